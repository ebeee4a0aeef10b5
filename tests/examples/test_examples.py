"""The scripts in examples/ run on short parts of the bundled recordings, with the described effect."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from tests.conftest import ROOT

Run = Callable[..., str]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a script beside two seconds of each recording, and returns its output."""
    monkeypatch.chdir(tmp_path)
    for name in ("guitar", "drum-roll"):
        sound, rate = soundfile.read(EXAMPLES / "audio" / f"{name}.flac", frames=2 * 44_100)
        soundfile.write(f"{name}.wav", sound, rate, "PCM_24")

    def run_script(script: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
        return capsys.readouterr().out

    return run_script


def _power(path: str, low: float, high: float) -> float:
    sound, rate = soundfile.read(path, always_2d=True)
    power = (np.abs(np.fft.rfft(sound * np.hanning(len(sound))[:, np.newaxis], axis=0)) ** 2).sum(axis=1)
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate)
    return float(10 * np.log10(power[(frequencies >= low) & (frequencies < high)].sum()))


def test_the_choir_is_as_loud_in_its_cathedral(run: Run) -> None:
    said = run("choir_in_a_cathedral.py", "guitar.wav", "out.wav")
    before, after = (float(word) for word in said.replace("LUFS", "").split() if word.startswith("-"))
    assert after == pytest.approx(before, abs=0.15)
    assert soundfile.info("out.wav").duration > soundfile.info("guitar.wav").duration + 3


def test_the_voice_is_brought_to_its_loudness_without_rumble(run: Run) -> None:
    assert "-16.0 LUFS" in run("podcast_voice.py", "guitar.wav", "out.wav")
    lost = [_power("out.wav", *band) - _power("guitar.wav", *band) for band in ((20, 40), (800, 3000))]
    assert lost[0] < lost[1] - 20


def test_the_kick_stays_dry(run: Run) -> None:
    run("drum_room.py", "drum-roll.wav", "out.wav")
    tail, rate = soundfile.read("out.wav", start=soundfile.info("drum-roll.wav").frames + 2000)
    soundfile.write("tail.wav", tail, rate, "FLOAT")
    assert _power("tail.wav", 20, 80) < _power("tail.wav", 400, 4000) - 20


def test_a_lifted_room_is_the_room(run: Run) -> None:
    assert "1 kHz: 100% explained" in run(
        "lift_hardware_reverb.py", "drum-roll.wav", "out.wav", "--try", "living-room", "--seconds", "0.3"
    )
    lifted, room = reverb.load_response("out.wav").samples, reverb.impulse("living-room").samples
    start, length = int(np.abs(lifted).argmax()), 2000
    found = lifted[start : start + length, 0]
    wanted = room[(peak := int(np.abs(room[:, 0]).argmax())) : peak + length, 0]
    assert np.corrcoef(found, wanted)[0, 1] > 0.95


def test_a_training_set_comes_out_the_same_again(run: Run) -> None:
    for folder in ("one", "two"):
        run("augment_speech.py", "guitar.wav", "--output-dir", folder, "--variants", "2", "--seed", "3")
    first, second = (
        {path.name: path.read_bytes() for path in Path(name).iterdir()} for name in ("one", "two")
    )
    assert first == second
    assert set(first) == {"guitar-1.flac", "guitar-2.flac", "variants.csv"}


def test_every_example_is_held_and_listed() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    here, listed = Path(__file__).read_text("utf-8"), (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f'"{name}"' in here and f"`{name}`" in listed for name in scripts)
    assert len(scripts) == 5
