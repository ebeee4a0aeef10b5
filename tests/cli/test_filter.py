"""`reverb filter`: equalizers, crossovers and designs on the command line."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from tests.cli.running import fail, succeed
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import noise, tone

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
    both = ("--slope", "24", "--transition", "100")
    fail(2, "--slope excludes --transition", "filter", "crossover", "in.wav", "c.wav", "--at", "300", *both)
    fail(
        2, "slope 50 dB per octave", "filter", "crossover", "in.wav", "c.wav", "--at", "300", "--slope", "50"
    )


@pytest.mark.parametrize(
    ("kind", "edges", "kept"),
    [
        ("lowpass", ("--cutoff", "2000"), [500]),
        ("highpass", ("--cutoff", "2000"), [5000]),
        ("bandpass", ("--low", "1000", "--high", "3000"), [2000]),
        ("bandstop", ("--low", "1000", "--high", "3000"), [500, 5000]),
    ],
)
@pytest.mark.parametrize("phase", ["linear", "minimum"])
def test_filters_keep_and_kill(
    make_sound: MakeSound, kind: str, edges: tuple[str, ...], kept: list[int], phase: str
) -> None:
    for frequency in (500, 2000, 5000):
        if kind in ("lowpass", "highpass") and frequency == 2000:
            continue
        make_sound("tone.wav", tone(frequency, 48_000, 0.5), subtype="FLOAT")
        more = ("--transition", "300", "--attenuation", "90", "--phase", phase, "--force", "--quiet")
        assert succeed("filter", kind, "tone.wav", "out.wav", *edges, *more).output == ""
        y = soundfile.read("out.wav")[0][8000:16_000]
        gain = 20 * np.log10(y.std() / (0.5 / np.sqrt(2)))
        assert gain == pytest.approx(0, abs=0.01) if frequency in kept else gain < -89
