"""`reverb ir sweep|record|deconvolve`: from the sweep to the response; and failures of all measurements."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from scipy.signal import fftconvolve

from reverb.responses.measure.sweep import Sweep, one_sweep
from reverb.store.response_files import load_response
from reverb.store.sweep_files import load_played
from tests.cli.running import run_ir as run
from tests.nulls import null_db

RATE = 16_000
Array = npt.NDArray[np.float64]
QUICK = ("--seconds", "2", "--pause", "0.6", "--sample-rate", str(RATE), "--level", "-12")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def room(seed: int = 0) -> Array:
    n = np.arange(RATE // 2)
    h = 0.05 * np.random.default_rng(seed).standard_normal(len(n)) * 10 ** (-3 * n / len(n))
    h[0] = 1.0
    return np.asarray(h)


def record(played: str, recording: str, *responses: Array, channel: int = 0) -> None:
    """Simulate the recording of a played channel, with a microphone for each response."""
    x, rate = soundfile.read(played, always_2d=True)
    heard = [np.concatenate([np.zeros(1234), 0.5 * fftconvolve(x[:, channel], h)]) for h in responses]
    soundfile.write(recording, np.stack(heard, axis=1), rate, "FLOAT")


def in_band(x: Array) -> Array:
    spectrum = np.fft.rfft(x, 1 << 16, axis=0)
    f = np.fft.rfftfreq(1 << 16, 1 / RATE)
    spectrum[(f < 60) | (f > 6000)] = 0
    return np.asarray(np.fft.irfft(spectrum, axis=0))


def test_from_sweep_to_response() -> None:
    run("sweep", "sweep.wav", *QUICK, "--repetitions", "2")
    samples, rate, sweep = load_played("sweep.wav")
    assert sweep == Sweep(sample_rate=RATE, seconds=2, pause=0.6, level=-12, repetitions=2)
    assert (rate, samples.shape[1], soundfile.info("sweep.wav").subtype) == (RATE, 1, "PCM_24")
    record("sweep.wav", "take.wav", room())
    report = json.loads(run("deconvolve", "take.wav", "room.wav", "--sweep", "sweep.wav", "--json").stdout)
    assert report["repetitions"] == 2
    assert report["objections"] == []
    response = load_response("room.wav")
    expected = np.zeros((response.frames, 1))
    expected[response.latency : response.latency + RATE // 2, 0] = 0.5 * room()
    found = null_db(in_band(np.asarray(response.samples, np.float64)), in_band(expected))
    assert found <= -60, f"null {found:.1f} dB"
    text = run("deconvolve", "take.wav", "again.wav", "--sweep", "sweep.wav", "--length", "0.3").stdout
    assert "decay range (dB)" in text
    assert load_response("again.wav").seconds == pytest.approx(0.32)


def test_two_positions_make_true_stereo() -> None:
    run("sweep", "sweep.wav", *QUICK)
    record("sweep.wav", "left.wav", room(1), 0.5 * room(2))
    record("sweep.wav", "right.wav", 0.5 * room(3), room(4))
    run("deconvolve", "left.wav", "right.wav", "room.wav", "--sweep", "sweep.wav", "--quiet")
    response = load_response("room.wav")
    assert response.layout == "true-stereo"
    direct = response.samples[response.latency]
    np.testing.assert_allclose(direct / direct[0], [1, 0.5, 0.5, 1], rtol=0.1)


def test_a_foreign_sweep_serves_too() -> None:
    wave = one_sweep(Sweep(sample_rate=RATE, seconds=2))
    soundfile.write("foreign.wav", wave, RATE, "PCM_16")
    record("foreign.wav", "take.wav", room())
    run("deconvolve", "take.wav", "room.wav", "--sweep", "foreign.wav", "--length", "0.4")
    assert load_response("room.wav").layout == "mono"


def test_the_inverse_filter_is_written_beside() -> None:
    run("sweep", "sweep.wav", *QUICK, "--inverse", "inverse.wav")
    inverse, rate = soundfile.read("inverse.wav")
    pulse = fftconvolve(one_sweep(Sweep(sample_rate=RATE, seconds=2, level=-12)), inverse)
    assert rate == RATE
    assert np.abs(pulse).argmax() == len(inverse) - 1


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (["sweep", "x.wav", "--high", "30"], 0, ""),
        (["sweep", "x.wav", "--low", "30", "--high", "20"], 2, "sweep from 30 to 20 Hz"),
        (["sweep", "x.ogg"], 2, "lossy"),
        (["sweep", "x.wav", "--sources", "0"], 2, "sources is 0; expected a whole number from 1 to 16"),
        (["deconvolve", "in.wav", "out.wav"], 2, "give it with --sweep FILE"),
        (["deconvolve", "none.wav", "out.wav", "--sweep", "in.wav"], 1, "no such file"),
        (["deconvolve", "in.wav", "in.wav", "--sweep", "in.wav"], 1, "exists already"),
        (["deconvolve", "in.wav", "out.wav", "--sweep", "other.wav"], 1, "must be equal"),
        (["identify", "in.wav", "other.wav", "out.wav"], 1, "must be equal"),
        (["identify", "in.wav", "in.wav", "out.wav", "--length", "100"], 2, "the shorter recording"),
        (["burst", "in.wav", "out.wav"], 1, "has no burst"),
        (["record", "take.wav", "--input-channels", "a"], 2, "expected numbers from 1"),
    ],
)
def test_failures_are_one_line(args: list[str], status: int, told: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, RATE)
    soundfile.write("in.wav", noise, RATE)
    soundfile.write("other.wav", noise, 2 * RATE)
    result = run(*args, status=status)
    if status:
        assert told in result.stderr
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        assert sorted(path.name for path in Path().iterdir()) == ["in.wav", "other.wav"]


def test_a_comment_of_nonsense_is_not_taken_for_a_sweep() -> None:
    for comment in (
        "reverb sweep: {",
        'reverb sweep: {"seconds": -1}',
        'reverb sweep: ["a"]',
        "reverb sweep: 3",
    ):
        with soundfile.SoundFile("odd.wav", "w", RATE, 1) as file:
            file.comment = comment
            file.write(np.zeros(10))
        assert load_played("odd.wav")[2] is None
