"""`reverb filter design`: taps, reports, pictures, and files for other programs."""

import json
from pathlib import Path

import numpy as np
import pytest

import reverb
from tests.cli.running import fail, succeed

pytestmark = pytest.mark.usefixtures("folder")
RATE = 48_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_design_reports_exports_and_draws() -> None:
    files = [f"taps.{ending}" for ending in ("wav", "txt", "npy", "json")]
    exports = [word for name in files for word in ("--export", name)]
    said = succeed(
        "filter",
        "design",
        "lowpass",
        "--cutoff",
        "5000",
        "--sample-rate",
        "44100",
        "--plot",
        "p.svg",
        *exports,
    ).stdout
    effect = reverb.LowPass(5000)
    taps = effect.response(44_100).samples[:, 0]
    assert said == f"LowPass(cutoff=5000.0)\n{effect.report(44_100)}\n"
    assert np.abs(reverb.load_response("taps.wav").samples[:, 0] - taps).max() == 0
    assert np.abs(np.load("taps.npy").ravel() - taps).max() == 0
    written = [float(line) for line in Path("taps.txt").read_text().splitlines() if not line.startswith("#")]
    assert np.abs(np.array(written) - taps).max() == 0
    facts = json.loads(Path("taps.json").read_text())
    assert facts["taps"] == taps.tolist()
    assert (facts["sample_rate_hz"], facts["latency_frames"]) == (44_100, len(taps) // 2)
    assert "<svg" in Path("p.svg").read_text()
    succeed("filter", "design", "lowpass", "--cutoff", "5000", "--plot", "--export", "more.wav")
    assert Path("lowpass.png").stat().st_size > 10_000
    fail(1, "exists already", "filter", "design", "lowpass", "--cutoff", "5000", "--export", "taps.wav")


def test_a_crossovers_band_and_an_equalizer_of_a_file_can_be_designed() -> None:
    command = ("filter", "design", "crossover", "--at", "300", "--at", "3000", "--band", "2")
    shown = succeed(*command, "--export", "band.npy").stdout.splitlines()
    band = reverb.crossover(300, 3000)[1]
    assert shown == [repr(band), str(band.report(RATE))]
    assert np.array_equal(np.load("band.npy"), band.response(RATE).samples)
    assert "slope=None" in succeed(*command, "--transition", "100").stdout
    Path("auto.txt").write_text("Preamp: -2 dB\nFilter 1: ON PK Fc 1000 Hz Gain 3 dB Q 1\n")
    shown = succeed("filter", "design", "eq", "--file", "auto.txt").stdout.splitlines()
    assert shown[0] == repr(reverb.load_equalizer("auto.txt"))
    assert " taps at 48000 Hz, ripple 0.0" in shown[1]
    fail(2, "--band 4; the crossover has bands 1 to 3", *command[:-1], "4")
    fail(2, "Missing option '--file' of eq", "filter", "design", "eq")


def test_a_design_is_json_for_programs() -> None:
    facts = json.loads(
        succeed("filter", "design", "peak", "--frequency", "100", "--boost", "3", "--json").stdout
    )
    report = reverb.Peak(100, 3).report(48_000)
    assert facts["filter"] == "Peak(frequency=100.0, gain_db=3.0)"
    assert (facts["taps"], facts["attenuation"], facts["pre_ringing"]) == (report.taps, None, None)
    for kind in ("riaa", "weighting"):
        more = ("--curve", "A") if kind == "weighting" else ("--recording",)
        succeed("filter", "design", kind, *more)


def test_wrong_designs_are_told_in_one_line() -> None:
    fail(2, "Missing option '--kind'. Choose from: low, high", "filter", "shelf", "in.wav", "out.wav")
    design = ("filter", "design")
    fail(2, "Missing option '--frequency' of peak", *design, "peak", "--boost", "3")
    fail(2, "Missing option '--boost' of tilt", *design, "tilt")
    fail(2, "--cutoff is no option of peak; it has --frequency", *design, "peak", "--cutoff", "3")
    fail(2, "the ending '.doc'; expected .wav, .txt", *design, "tilt", "--boost", "3", "--export", "taps.doc")
    fail(
        2,
        "the ending is '.doc'; expected .png or .svg or .pdf",
        *design,
        "tilt",
        "--boost",
        "3",
        "--plot",
        "p.doc",
    )
    fail(2, "cutoff 30000 Hz", *design, "lowpass", "--cutoff", "30000")
