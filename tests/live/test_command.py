"""The command as a process on a real JACK server: signals, a killed process, and a server that stops and restarts."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.live.jackd import JackServer, UnavailableError

pytestmark = pytest.mark.sound_server


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "reverb", "live", "--ir", "room", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until_recording(path: Path, frames: int = 12_000) -> None:
    """Wait until the file's header says that so many frames are on disk."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if soundfile.info(path).frames >= frames:
                return
        except soundfile.LibsndfileError:
            pass
        time.sleep(0.05)
    pytest.fail(f"{path} did not grow")


def output_of(process: "subprocess.Popen[str]") -> str:
    return process.communicate(timeout=30)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary(jackd: JackServer, tmp_path: Path, number: signal.Signals) -> None:  # noqa: ARG001
    path = tmp_path / "take.wav"
    process = start("--record", str(path))
    until_recording(path)
    process.send_signal(number)
    text = output_of(process)
    assert process.returncode == 0
    assert "at 48000 Hz in blocks of 128 frames" in text
    assert f"recorded {path}" in text
    assert "Traceback" not in text


@pytest.fixture
def mortal() -> Iterator[JackServer]:
    """A server of one test's own, which may be stopped, or left with a killed client, for which it would wait long."""
    try:
        server = JackServer()
    except UnavailableError as missing:
        pytest.skip(str(missing))
    yield server
    server.close()


def test_a_recording_outlives_a_killed_process(mortal: JackServer, tmp_path: Path) -> None:  # noqa: ARG001
    path = tmp_path / "take.wav"
    process = start("--record", str(path))
    until_recording(path, 24_000)
    process.kill()
    output_of(process)
    sound, rate = soundfile.read(path)
    assert rate == 48_000
    assert len(sound) >= 24_000


def test_a_server_that_dies_is_said_and_the_recording_kept(mortal: JackServer, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    process = start("--record", str(path))
    until_recording(path)
    mortal.stop()
    text = output_of(process)
    assert process.returncode == 1
    assert text.splitlines()[-1].startswith("Error: device 0 ('system', JACK Audio Connection Kit) was lost")
    assert f"recorded {path}" in text
    assert soundfile.info(path).frames >= 12_000


def test_it_waits_for_a_server_and_goes_on(mortal: JackServer, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    process = start("--record", str(path), "--reconnect", "--gain", "-7")
    until_recording(path)
    mortal.stop()
    time.sleep(0.5)
    mortal.start()
    until_recording(tmp_path / "take-2.wav")
    process.send_signal(signal.SIGTERM)
    text = output_of(process)
    assert process.returncode == 0
    for part in ("was lost", "waiting for the sound card", "the sound card is back", "take-2.wav"):
        assert part in text
    assert soundfile.info(path).frames >= 12_000


def test_waiting_for_a_server_can_be_ended(mortal: JackServer) -> None:
    mortal.stop()
    process = start("--reconnect")
    assert process.stdout is not None
    assert "waiting for the sound card" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    text = output_of(process)
    assert (process.returncode, text.strip()) == (0, "")
