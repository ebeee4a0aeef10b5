"""The cookbook: every recipe runs as shown, and has the effect it describes."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click.testing
import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest
import soundfile

from reverb.cli.app import cli
from tests.conftest import ROOT, MakeSound
from tests.signals import pink, tone

Array = npt.NDArray[np.float64]
RATE = 44_100
PAGE = (ROOT / "docs" / "cookbook.md").read_text()
RECIPES = dict(re.findall(r"^## \d+\. (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"[Ss]ave this as `([^`]+)`")


@pytest.fixture
def kitchen(tmp_path: Path, make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with the recordings that the recipes use."""
    monkeypatch.chdir(tmp_path)
    x = pink(RATE, 1.5, 2)
    for name, samples in {
        "voice.wav": 0.2 * np.tanh(8 * x[:, :1]),
        "guitar.wav": x,
        "drums.wav": x * np.exp(-(np.arange(len(x)) % 11_025) / 2000)[:, np.newaxis],
        "mix.wav": 0.9 * x + 0.1 * tone(60, RATE, 1.5)[:, np.newaxis] * [1, -1],
        "field.wav": 0.3 * x + 0.05 * sum(tone(50 * n, RATE, 1.5) for n in (1, 2, 3))[:, np.newaxis],  # type: ignore[index]
    }.items():
        make_sound(name, samples, RATE, subtype="PCM_24")
    return tmp_path


def _run(recipe: str) -> list[str]:
    """Run all blocks of a recipe in order; return the output of its commands."""
    said = []
    names = iter(SAVED.findall(recipe))
    for language, text in BLOCK.findall(recipe):
        if language == "python":
            exec(compile(text, "recipe", "exec"), {"__name__": "recipe"})
        elif language == "sh":
            for line in text.splitlines():
                words = shlex.split(line)
                assert words[0] == "reverb", line
                result = click.testing.CliRunner().invoke(cli, words[1:], prog_name="reverb")
                assert result.exit_code == 0, f"{line}: {result.output}"
                said.append(result.output)
        else:
            Path(next(names)).write_text(text)
    return said


def _read(name: str) -> Array:
    x, rate = soundfile.read(name, always_2d=True)
    assert rate == RATE
    return np.asarray(x)


def _loudness(name: str) -> float:
    return float(pyloudnorm.Meter(RATE).integrated_loudness(_read(name)))


def _level(x: Array, low: float, high: float) -> float:
    """Return the power between two frequencies in dB, summed over channels."""
    power = (np.abs(np.fft.rfft(x, axis=0)) ** 2).sum(axis=1)
    frequencies = np.fft.rfftfreq(len(x), 1 / RATE)
    return float(10 * np.log10(power[(frequencies >= low) & (frequencies < high)].sum()))


def _side(x: Array) -> Array:
    return x[:, :1] - x[:, 1:]


def _as_loud(*pairs: tuple[str, str]) -> None:
    for before, after in pairs:
        assert _loudness(after) == pytest.approx(_loudness(before), abs=0.2)


def _podcast() -> None:
    assert _loudness("podcast.wav") == pytest.approx(-16, abs=0.2)  # a short file: few blocks
    assert np.abs(_read("podcast.wav")).max() <= 10 ** (-1 / 20)


def _clean() -> None:
    before, after = _read("field.wav"), _read("clean.wav")[: len(_read("field.wav"))]
    assert _level(after, 49, 51) < _level(before, 49, 51) - 12
    assert _level(after, 500, 5000) == pytest.approx(_level(before, 500, 5000), abs=0.5)
    assert _level(after, 20, 25) < _level(before, 20, 25) - 15


def _kick() -> None:
    before, after = _read("drums.wav"), _read("drums-room.wav")
    # Below the crossover only the level changes; above it there is a room.
    assert len(after) > len(before) + RATE // 10
    tail = after[len(before) + 2000 :]
    assert _level(tail, 20, 80) < _level(tail, 500, 8000) - 24


def _telephone() -> None:
    x = _read("telephone.wav")
    assert _level(x, 4000, 20_000) < _level(x, 400, 3000) - 50
    y = _read("next-door.wav")
    assert _level(y, 6000, 20_000) < _level(y, 200, 1500) - 35


def _echoes() -> None:
    x, y = _read("guitar.wav"), _read("guitar-echo.wav")
    assert len(y) > len(x) + 3 * RATE
    _as_loud(("guitar.wav", "guitar-echo.wav"))


def _headphones() -> None:
    before = _read("mix.wav")
    for name in ("mix-headphones.wav", "mix-linear.wav"):
        after = _read(name)[: len(before)]
        assert _level(after, 990, 1010) - _level(before, 990, 1010) == pytest.approx(-6.6, abs=0.8)
        assert _level(after, 30, 50) - _level(before, 30, 50) == pytest.approx(-0.8, abs=0.6)


def _wide() -> None:
    before, after = _read("mix.wav"), _read("mix-wide.wav")
    assert _level(_side(after), 30, 70) < _level(_side(before), 30, 70) - 8
    assert _level(_side(after), 8000, 16_000) > _level(_side(before), 8000, 16_000) + 2


def _exports() -> None:
    for name in ("string-hall.wav", "subsonic.wav", "chamber-tight.wav"):
        assert soundfile.info(name).samplerate == 48_000
    assert len([line for line in Path("subsonic.txt").read_text().splitlines() if line[0] != "#"]) > 1000
    assert Path("subsonic.png").stat().st_size > 10_000


def _bands() -> None:
    mix = _read("mix.wav")
    bands = [_read(f"band-{number}.wav") for number in (1, 2, 3)]
    assert np.abs(sum(bands) - mix).max() < 1e-6
    _as_loud(("mix.wav", "mix-balanced.wav"))


CHECKS: dict[str, Callable[[], None]] = {
    "A voice on a plate": lambda: _as_loud(("voice.wav", "voice-plate.wav"), ("voice.wav", "voice-wet.wav")),
    "A podcast at −16 LUFS": _podcast,
    "Remove hum and rumble from a field recording": _clean,
    "A room for the drums, but not for the kick": _kick,
    "A voice on the telephone": _telephone,
    "Echoes in the song's tempo": _echoes,
    "Make headphones flat": _headphones,
    "A wide master with its bass in the middle": _wide,
    "A whole chain inside another program": _exports,
    "Three bands on three faders": _bands,
}


def test_every_recipe_has_its_check() -> None:
    assert list(RECIPES) == list(CHECKS)
    assert len(RECIPES) == 10


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("title", CHECKS)
def test_the_recipe_runs_and_does_what_it_says(title: str) -> None:
    _run(RECIPES[title])
    CHECKS[title]()


def test_the_example_of_the_format_is_a_preset() -> None:
    from reverb.store.presets import read_preset

    page = (ROOT / "docs" / "presets.md").read_text()
    blocks = [text for language, text in BLOCK.findall(page) if language == "toml"]
    assert len(blocks) == 1
    assert read_preset(blocks[0], "example.toml").effect.response(44_100).channels == 2
