"""`reverb filter`: equalizers, crossovers and designs on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from tests.cli.running import fail, succeed
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import noise

pytestmark = pytest.mark.usefixtures("folder")
RATE = 48_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_sound: MakeSound) -> Path:
    make_sound("in.wav", noise(5000, peak=0.1), RATE, subtype="FLOAT")
    (tmp_path / "eq.csv").write_text("100,-3\n1000,0\n8000,2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        (["peak", "--frequency", "3000", "--boost", "6", "--q", "2"], reverb.Peak(3000, 6, 2)),
        (["shelf", "--kind", "low", "--frequency", "200", "--boost", "-3"], reverb.LowShelf(200, -3)),
        (
            ["shelf", "--kind", "high", "--frequency", "5000", "--boost", "3", "--phase", "linear"],
            reverb.HighShelf(5000, 3, phase="linear"),
        ),
        (["tilt", "--boost", "2"], reverb.Tilt(2)),
        (["notch", "--frequency", "1000", "--q", "5", "--harmonics", "2"], reverb.Notch(1000, 5, 2)),
        (
            ["lowpass", "--cutoff", "9000", "--phase", "mixed", "--ripple", "0.01", "--transition", "3000"],
            reverb.LowPass(9000, phase="mixed", ripple=0.01, transition=3000),
        ),
        (
            ["highpass", "--cutoff", "900", "--method", "equiripple", "--transition", "700"],
            reverb.HighPass(900, method="equiripple", transition=700),
        ),
    ],
)
def test_commands_do_what_the_effects_do(command: list[str], effect: reverb.Effect) -> None:
    succeed("filter", command[0], "in.wav", "out.wav", *command[1:])
    x, y = (soundfile.read(name)[0] for name in ("in.wav", "out.wav"))
    assert null_db(y, effect(x, RATE)) < -120


def test_a_filter_tells_of_its_taps_when_it_is_applied() -> None:
    command = ("filter", "lowpass", "in.wav", "out.wav", "--cutoff", "3000")
    assert succeed(*command).stdout.splitlines()[-1] == f"filter: {reverb.LowPass(3000).report(RATE)}"
    assert succeed(*command, "--force", "--quiet").output == ""


def test_an_equalizer_comes_from_a_file() -> None:
    succeed("filter", "eq", "eq.csv", "in.wav", "out.wav", "--phase", "linear")
    x, y = (soundfile.read(name)[0] for name in ("in.wav", "out.wav"))
    curve = reverb.Curve(((100, -3), (1000, 0), (8000, 2)), phase="linear")
    assert null_db(y, curve(x, RATE)) < -120
    fail(1, "none.csv: cannot be read", "filter", "eq", "none.csv", "in.wav", "more.wav")
    Path("bad.csv").write_text("100,-3\nlots,of\n")
    fail(1, "bad.csv, line 2: 'lots,of'", "filter", "eq", "bad.csv", "in.wav", "more.wav")


def test_an_equalizer_and_a_crossover_tell_of_their_taps() -> None:
    told = succeed("filter", "eq", "eq.csv", "in.wav", "out.wav").stdout.splitlines()[-1]
    assert told == f"filter: {reverb.load_equalizer('eq.csv').report(RATE)}"  # type: ignore[attr-defined]
    lines = succeed("filter", "crossover", "in.wav", "b.wav", "--at", "900", "--transition", "300").stdout
    bands = reverb.crossover(900, slope=None, transition=300)
    reports = [line for line in lines.splitlines() if line.startswith("band")]
    assert reports == [f"band {number}: {band.report(RATE)}" for number, band in enumerate(bands, 1)]
    assert succeed("filter", "crossover", "in.wav", "q.wav", "--at", "900", "--quiet").output == ""


def test_a_crossover_writes_bands_that_sum_to_the_input() -> None:
    succeed(
        "filter", "crossover", "in.wav", "b.wav", "--at", "300", "--at", "3000", "--slope", "48", "--no-tail"
    )
    x = soundfile.read("in.wav")[0]
    bands = [soundfile.read(f"b-{n}.wav")[0] for n in (1, 2, 3)]
    assert null_db(sum(bands), x) < -120
    steep = ("--at", "300", "--transition", "100", "--attenuation", "60", "--no-tail")
    succeed("filter", "crossover", "in.wav", "s.wav", *steep)
    low = reverb.Band((300,), 0, slope=None, transition=100, attenuation=60)(x, RATE)[: len(x)]
    assert null_db(soundfile.read("s-1.wav")[0], low) < -120
    Path("t-2.wav").touch()
    fail(1, "t-2.wav: exists already", "filter", "crossover", "in.wav", "t.wav", "--at", "300")
    fail(2, "expected names", "filter", "crossover", "in.wav", "-", "--at", "300")
    fail(
        2, "slope 50 dB per octave", "filter", "crossover", "in.wav", "c.wav", "--at", "300", "--slope", "50"
    )


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
