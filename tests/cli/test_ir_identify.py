"""`reverb ir identify|burst`: responses from music and from a clap."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from reverb.store.response_files import load_response
from tests.cli.running import run_ir as run
from tests.nulls import null_db
from tests.signals import decaying, noise

RATE = 16_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_music_and_claps() -> None:
    room = 0.1 * decaying(RATE // 2)[:, 0]
    room[0] = 1.0
    x = noise(4 * RATE, 1, peak=0.2)[:, 0]
    soundfile.write("dry.wav", x, RATE, "FLOAT")
    soundfile.write("wet.wav", fftconvolve(x, room), RATE, "FLOAT")
    command = ("identify", "dry.wav", "wet.wav", "found.wav", "--length", "0.5")
    report = json.loads(run(*command, "--json").stdout)
    assert min(band["coherence"] for band in report["bands"]) > 0.999
    assert "coherence" in run(*command, "--force").stdout
    soundfile.write("clap.wav", np.concatenate([np.zeros(RATE // 2), room]), RATE, "FLOAT")
    result = run("burst", "clap.wav", "made.wav", "--no-flatten")
    assert "a sweep gives a better measurement" in result.stderr
    made = load_response("made.wav")
    assert null_db(made.samples[made.latency :, 0], room) <= -100
