"""Uploads: the names that browsers give to files, and limits."""

import math
from pathlib import Path

import pytest

from reverb.errors import ParameterError, UnknownNameError
from reverb.studio.uploads import Limits, Uploads, clean_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("take 1.wav", "take 1.wav"),
        ("../../etc/passwd.wav", "passwd.wav"),
        ("C:\\music\\take.FLAC", "take.FLAC"),
        ("a\x00b\nc.wav", "abc.wav"),
        ("..hidden.wav", "hidden.wav"),
        (f"{'x' * 500}.aiff", f"{'x' * 80}.aiff"),
    ],
)
def test_names_from_a_browser_lose_folders_and_control_characters(text: str, name: str) -> None:
    assert clean_name(text) == name
    assert Path(name).name == name


@pytest.mark.parametrize("text", ["", "notes.txt", "room.conf", "wav", "../wav", "a.wav/", "x.npy", "x.sofa"])
def test_names_without_an_audio_ending_are_refused(text: str) -> None:
    with pytest.raises(ParameterError, match=r"no audio file; expected \.wav"):
        clean_name(text)


def test_limits_are_whole_numbers() -> None:
    for value in (None, math.nan, "3", -1, 2.5, True):
        for name in ("recording_bytes", "response_bytes", "recordings", "responses"):
            with pytest.raises(ParameterError, match=f"{name} is .*; expected a whole number"):
                Limits(**{name: value})  # type: ignore[arg-type]


def test_an_unknown_id_is_refused() -> None:
    uploads = Uploads(Limits())
    for id in (None, 3, math.nan, "", "r999", ["r0"], "../r0"):
        with pytest.raises(UnknownNameError, match="no such impulse response any more"):
            uploads.room(id)
        with pytest.raises(UnknownNameError, match="no such recording any more"):
            uploads.recording(id)
    uploads.close()
