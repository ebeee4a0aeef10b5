"""Faults: outputs appear whole or not at all, and malicious files are refused."""

import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

import reverb
from checks.check import Group, at_most
from checks.processes import ENVIRONMENT, reverb_and_peak, reverb_process
from checks.signals import RATE, noise

group = Group("Safety", "Numbers of failures.")
_APPLY = ("apply", "in.wav", "out.wav", "--ir", "church", "--quiet")


@contextmanager
def _folder(seconds: int = 1) -> Iterator[Path]:
    """Yield a folder with in.wav."""
    with tempfile.TemporaryDirectory() as name:
        block = noise(RATE)
        with soundfile.SoundFile(Path(name, "in.wav"), "w", RATE, 2, "FLOAT") as sound:
            for _ in range(seconds):
                sound.write(block)
        yield Path(name)


def _left(folder: Path) -> int:
    return len(list(folder.iterdir())) - 1


def _refused(action: Callable[..., object], *arguments: object) -> bool:
    try:
        action(*arguments)
    except reverb.ReverbError:
        return True
    return False


@group.check("NaN at the end of the input, four formats: files left", "whole or nothing", at_most(0))
def _() -> float:
    left = 0
    for name in ("out.wav", "out.flac", "out.aiff", "out.ogg"):
        with _folder() as folder:
            samples = noise(5 * RATE)
            samples[-1] = np.nan
            soundfile.write(folder / "in.wav", samples, RATE, "FLOAT")
            refused = _refused(reverb.process_file, folder / "in.wav", folder / name, reverb.Gain(0))
            left += _left(folder) + (not refused)
    return left


@group.check("killed (−9) at five moments: broken files under the final name", "whole or nothing", at_most(0))
def _() -> float:
    broken = 0
    whole = 60 * RATE + reverb.impulse("church").frames - 1
    for delay in (0.1, 0.2, 0.3, 0.4, 0.5):
        with _folder(60) as folder:
            process = reverb_process(*_APPLY, cwd=folder)
            time.sleep(delay)
            process.kill()
            process.communicate()
            output = folder / "out.wav"
            broken += output.exists() and soundfile.info(output).frames != whole
    return broken


@group.check("Ctrl-C while rendering: files left, tracebacks", "whole or nothing", at_most(0))
def _() -> float:
    with _folder(120) as folder:
        process = reverb_process(*_APPLY, cwd=folder)
        while process.poll() is None and not _left(folder):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        return _left(folder) + said.count("Traceback")


@group.check(
    "no space for the output: files left, tracebacks, status other than 1", "whole or nothing", at_most(0)
)
def _() -> float:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    with _folder(20) as folder:
        command = [sys.executable, "-m", "reverb", *_APPLY]
        result = subprocess.run(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            preexec_fn=small,
            check=False,
        )
        return _left(folder) + result.stderr.count("Traceback") + (result.returncode != 1)


@group.check(
    "an existing output, and the input as output: files changed without permission",
    "bytes before and after",
    at_most(0),
)
def _() -> float:
    with _folder() as folder:
        output = folder / "out.wav"
        output.write_bytes(b"precious")
        before = (folder / "in.wav").read_bytes()
        for name in ("out.wav", "in.wav"):
            _refused(reverb.process_file, folder / "in.wav", folder / name, reverb.Gain(0))
        return (output.read_bytes() != b"precious") + ((folder / "in.wav").read_bytes() != before)


_SOUND = b"\x01\x10" * 2048


def _wav(channels: int, rate: int, data_bytes: int) -> bytes:
    """Return a 16-bit WAV file whose header claims more than its few bytes contain."""
    frame = min(2 * channels, 0xFFFF)
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * frame) & 0xFFFFFFFF, frame, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", data_bytes)
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + chunks + _SOUND


def _rf64(frames: int) -> bytes:
    """Return an RF64 file, with 64-bit sizes, that claims this many frames."""
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 4 * frames + 72, 4 * frames, frames, 0)
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, RATE, 4 * RATE, 4, 16)
    return b"RF64\xff\xff\xff\xffWAVE" + sizes + form + b"data\xff\xff\xff\xff" + _SOUND


_BOMBS = {
    "2^40 frames.wav": _rf64(1 << 40),
    "60000 channels.wav": _wav(60_000, RATE, 1 << 30),
    "1 Hz.wav": _wav(2, 1, 4096),
    "2^31 Hz.wav": _wav(2, 1 << 31, 4096),
    "no frames.wav": _wav(2, RATE, 0)[:-4096],
    "noise.flac": b"fLaC" + bytes(range(256)) * 16,
}


@cache
def _bombs() -> tuple[int, float]:
    """Return the number of bombs, as input and as response, not refused with one line, and the peak memory in MB."""
    missed, largest = 0, 0.0
    with _folder() as folder:
        for name, content in _BOMBS.items():
            Path(folder, name).write_bytes(content)
            for arguments in (("apply", name, "out.wav", "--ir", "room"), ("ir", "info", name)):
                result, peak = reverb_and_peak(*arguments, cwd=folder)
                refused = result.returncode == 1 and result.stderr.startswith(f"Error: {name}: ")
                missed += not refused or result.stderr.count("\n") > 1 or (folder / "out.wav").exists()
                (folder / "out.wav").unlink(missing_ok=True)
                largest = max(largest, peak)
    return missed, largest


@group.check(
    "header bombs as input and as response: not refused with one line", "; ".join(_BOMBS), at_most(0)
)
def _() -> float:
    return _bombs()[0]


@group.check("peak memory while they are refused", "the kernel's VmHWM", at_most(300, "MB", digits=2))
def _() -> float:
    return _bombs()[1]


@group.check(
    "a pickle in .npy, a preset's file outside its folder without permission: accepted", "refused", at_most(0)
)
def _() -> float:
    with _folder() as folder:
        np.save(folder / "room_48000.npy", np.array([{"a": 1}], dtype=object))
        (folder / "inner").mkdir()
        preset = folder / "inner" / "chain.toml"
        preset.write_text('format = 1\n[[step]]\ntype = "reverb"\nir = "../in.wav"\n', encoding="utf-8")
        reverb.load_chain(preset, allow_outside=True)
        pickle = folder / "room_48000.npy"
        return (not _refused(reverb.load_response, pickle)) + (not _refused(reverb.load_chain, preset))
