"""A smoke test through PulseAudio's null sinks, which are not sample-exact: spectrum, level and length are checked."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.sound_server

RATE = 48_000
SECONDS = 2.0
HZ = 1000.0
WINDOW = 2048

# A program of its own, as PortAudio lists the devices that were there when it was loaded.
PROGRAM = """
import sys
import reverb
from reverb.live import Session
card = {"input_device": "pulse", "output_device": "pulse", "sample_rate": 48000, "latency": 0.3, "block_size": 1024}
with Session(reverb.Gain(-6.0), **card) as session:
    print("ready", flush=True)
    session.wait(float(sys.argv[1]))
    stats = session.stats()
print(stats.block_size, stats.seconds, stats.bad_blocks)
"""


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a PulseAudio server with two null sinks, as ALSA's default device."""
    for program in ("pulseaudio", "pactl", "pacat"):
        if shutil.which(program) is None:
            pytest.skip("needs: apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2")
    (tmp_path / ".asoundrc").write_text(
        "pcm.!default { type pulse }\nctl.!default { type pulse }\npcm.pulse { type pulse }\n"
    )
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(run),
        "PULSE_SERVER": f"unix:{run}/native",
    }
    environment.pop("JACK_DEFAULT_SERVER", None)
    environment["JACK_NO_START_SERVER"] = "1"
    sinks = [f"module-null-sink sink_name={name} rate={RATE}" for name in ("ci_in", "ci_out")]
    modules = [f"module-native-protocol-unix socket={run}/native auth-anonymous=1", *sinks]
    loads = [argument for module in modules for argument in ("-L", module)]
    server = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no", *loads],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for command in (("set-default-source", "ci_in.monitor"), ("set-default-sink", "ci_out")):
            deadline = time.monotonic() + 5
            while subprocess.run(["pactl", *command], env=environment, capture_output=True).returncode:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.skip("pulseaudio is installed but does not start here")
                time.sleep(0.05)
        yield environment
    finally:
        server.terminate()
        server.wait(5)


def test_sound_goes_through_pulseaudio(pulse: dict[str, str], tmp_path: Path) -> None:
    n = np.arange(int((SECONDS + 4) * RATE))
    wave = 0.4 * np.sin(2 * np.pi * HZ * n / RATE)
    soundfile.write(tmp_path / "tone.wav", np.column_stack([wave, wave]), RATE, "FLOAT")
    session = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(SECONDS)],
        env={**pulse, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    helpers = []
    try:
        assert session.stdout is not None
        if session.stdout.readline() != "ready\n":
            _, problem = session.communicate(timeout=10)
            if "no sound card" in problem or "output device 'pulse'" in problem or "libasound" in problem:
                pytest.skip("PortAudio has no ALSA-to-PulseAudio device here (libasound2-plugins)")
            pytest.fail(problem)
        options = ["--raw", "--format=float32le", f"--rate={RATE}", "--channels=2", "--latency-msec=20"]
        tone = soundfile.read(tmp_path / "tone.wav", dtype="float32")[0].tobytes()
        (tmp_path / "tone.raw").write_bytes(tone)
        with (tmp_path / "heard.raw").open("wb") as heard, (tmp_path / "tone.raw").open("rb") as sent:
            helpers.append(
                subprocess.Popen(["pacat", "-r", "-d", "ci_out.monitor", *options], env=pulse, stdout=heard)
            )
            helpers.append(subprocess.Popen(["pacat", "-p", "-d", "ci_in", *options], env=pulse, stdin=sent))
            text, problem = session.communicate(timeout=30)
    finally:
        for helper in helpers:
            helper.terminate()
            helper.wait()
        if session.poll() is None:
            session.kill()
            session.communicate()
    assert session.returncode == 0, problem
    block_size, seconds, bad = text.split()
    assert int(block_size) >= 1
    assert float(seconds) > 0.8 * SECONDS
    assert int(bad) == 0
    y = np.fromfile(tmp_path / "heard.raw", np.float32)
    y = y[: len(y) // 2 * 2].reshape(-1, 2)
    loud = np.flatnonzero(np.abs(y).max(axis=1) > 0.05)
    assert len(loud) > 0.3 * SECONDS * RATE
    # The server makes gaps where it is late: judge the half of the short windows that have the fewest.
    windows = y[loud[0] : loud[-1], 0].astype(np.float64)
    windows = windows[: len(windows) // WINDOW * WINDOW].reshape(-1, WINDOW)
    levels = np.sqrt(2 * np.mean(windows**2, axis=1))
    middle = windows[np.argsort(levels)[-len(levels) // 2]]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE / WINDOW == pytest.approx(HZ, abs=RATE / WINDOW)
    assert np.median(levels) <= 0.21
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.2, rel=0.05)  # 0.4 at −6 dB
