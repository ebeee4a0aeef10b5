"""Sweeps and recordings in files: the sweep's parameters are restored, and other comments ignored."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.responses.measure.sweep import Sweep, signal
from reverb.store.sweep_files import load_played, save_played
from tests.conftest import MakeSound
from tests.signals import noise

SWEEP = Sweep(seconds=0.2, pause=0.1, sample_rate=44_100)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.caf"])
def test_a_sweep_comes_back_with_its_parameters(tmp_path: Path, name: str) -> None:
    played = signal(SWEEP)
    save_played(played, SWEEP, tmp_path / name)
    samples, sample_rate, sweep = load_played(tmp_path / name)
    assert (sample_rate, sweep) == (44_100, SWEEP)
    assert samples.dtype == np.float64
    np.testing.assert_allclose(samples, played.reshape(len(played), -1), atol=2**-23)


def test_a_mono_recording_may_have_one_axis(tmp_path: Path) -> None:
    played = signal(SWEEP).reshape(-1)
    save_played(played, SWEEP, tmp_path / "a.wav", subtype="FLOAT")
    assert load_played(tmp_path / "a.wav")[0].shape == (len(played), 1)


def test_a_recording_shorter_than_its_sweep_has_none(tmp_path: Path) -> None:
    save_played(signal(SWEEP)[:1000], SWEEP, tmp_path / "a.wav")
    assert load_played(tmp_path / "a.wav")[2] is None


@pytest.mark.parametrize(
    "comment",
    [
        "a nice sweep",
        "reverb sweep: {",
        "reverb sweep: 3",
        'reverb sweep: {"size": 3}',
        'reverb sweep: {"seconds": "x"}',
        'reverb sweep: {"repetitions": 1.5}',
    ],
)
def test_other_comments_are_ignored(make_sound: MakeSound, comment: str) -> None:
    assert load_played(make_sound("a.wav", noise(100), comment=comment))[2] is None


def test_lossy_formats_and_existing_files_are_refused(tmp_path: Path) -> None:
    for name in ("a.ogg", "a.mp3"):
        with pytest.raises(ParameterError, match="is lossy, which blurs the measurement"):
            save_played(signal(SWEEP), SWEEP, tmp_path / name)
    save_played(signal(SWEEP), SWEEP, tmp_path / "a.wav")
    with pytest.raises(AudioFileError, match="exists already"):
        save_played(signal(SWEEP), SWEEP, tmp_path / "a.wav")
    other = replace(SWEEP, seconds=0.3)
    save_played(signal(other), other, tmp_path / "a.wav", overwrite=True)
    assert load_played(tmp_path / "a.wav")[2] == other


def test_an_hour_and_nan_are_refused(make_sound: MakeSound) -> None:
    with pytest.raises(AudioFileError, match="lasts longer than an hour"):
        load_played(make_sound("long.wav", np.zeros(3601 * 100, np.int16), 100))
    broken = noise(100)
    broken[50] = np.nan
    with pytest.raises(InvalidAudioError, match="NaN or infinity, first at frame 50"):
        load_played(make_sound("broken.wav", broken, subtype="FLOAT"))
