"""Folders with files that several commands work on."""

from pathlib import Path

import pytest

from reverb.responses.response import ImpulseResponse
from reverb.store.response_files import save_response
from tests.conftest import MakeSound
from tests.signals import decaying, noise

_RATE = 16_000


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_sound: MakeSound) -> Path:
    """Change to a new folder with the recording in.wav and the response room.wav."""
    make_sound("in.wav", noise(5000, peak=0.2), subtype="PCM_24")
    make_sound("room.wav", decaying(2000, 2), subtype="PCM_24")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def responses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a new folder with the responses room.wav (stereo) and mono.wav."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")
    samples = decaying(_RATE, 2)
    samples[0] = 1
    save_response(ImpulseResponse(samples, _RATE, "room"), tmp_path / "room.wav")
    save_response(ImpulseResponse(samples[:, :1], _RATE, "mono"), tmp_path / "mono.wav")
    return tmp_path
