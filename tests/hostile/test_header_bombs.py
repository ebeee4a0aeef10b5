"""Files that claim more than they contain: refused with a clear error, without memory, and never executed."""

import io
import json
import operator
import os
import pickle
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverb.audiofiles.files import open_sound, shortfall
from reverb.errors import AudioFileError, InvalidAudioError, ReverbError
from reverb.render.files import process_file
from reverb.responses.response import ImpulseResponse
from reverb.store.formats.text import read_text
from reverb.store.response_files import load_response, save_response
from reverb.store.sweep_files import load_played
from tests.conftest import MakeSound
from tests.signals import decaying, noise

MEMORY = 30 << 20
"""Bytes that a refusal may use: a few blocks, and imports."""


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEMORY


def _file(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def _made(container: str, subtype: str = "PCM_16", frames: int = 1000) -> bytearray:
    file = io.BytesIO()
    soundfile.write(file, decaying(frames, 2), 48_000, subtype, format=container)
    return bytearray(file.getvalue())


def _wav(channels: int = 2, sample_rate: int = 48_000) -> bytes:
    data = _made("WAV")
    data[22:28] = struct.pack("<HI", channels, sample_rate)
    return bytes(data)


def _rf64(frames: int) -> bytes:
    data = _made("RF64")
    data[20:44] = struct.pack("<QQQ", 4 * frames + 60, 4 * frames, frames)
    return bytes(data)


def _w64(frames: int) -> bytes:
    data = _made("W64")
    at = data.index(b"data") + 16
    data[at : at + 8] = struct.pack("<Q", 4 * frames + 24)
    return bytes(data)


def _caf(frames: int) -> bytes:
    data = _made("CAF")
    at = data.index(b"data") + 4
    data[at : at + 8] = struct.pack(">Q", 4 * frames + 4)
    return bytes(data)


def _flac(frames: int = 1000, sample_rate: int = 48_000, channels: int = 2) -> bytes:
    data = _made("FLAC")
    packed = sample_rate << 44 | (channels - 1) << 41 | 15 << 36 | frames
    data[18:26] = packed.to_bytes(8, "big")
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.wav", _wav(channels=60_000), "Too many channels"),
        ("a.wav", _wav(sample_rate=1), "sample rate 1 Hz; expected 100 to 2000000 Hz"),
        ("a.wav", _wav(sample_rate=(1 << 31) - 1), "sample rate 2147483647 Hz; expected 100 to 2000000 Hz"),
        ("a.wav", _wav(sample_rate=1 << 31), "not a readable audio file"),
        ("a.rf64", _rf64(1 << 40), r"promises 1\d{12} frames; expected at most 34359738368"),
        ("a.wav", _rf64(1 << 40), r"promises 1\d{12} frames"),
        ("a.w64", _w64(1 << 40), r"promises 1\d+ frames; expected at most 34359738368"),
        ("a.caf", _caf(1 << 40), "not a readable audio file"),
        ("a.flac", _flac(frames=(1 << 36) - 1), "promises 68719476735 frames"),
        ("a.flac", _flac(sample_rate=1), "sample rate 1 Hz"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_at_every_door(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    path = _file(tmp_path, name, data)
    room = ImpulseResponse([1.0], 48_000)
    doors: tuple[Callable[[], object], ...] = (
        lambda: open_sound(path),
        lambda: load_response(path),
        lambda: load_played(path),
        lambda: process_file(path, tmp_path / "out.wav", room),
    )
    for door in doors:
        with pytest.raises(AudioFileError, match=message):
            door()
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(("name", "data"), [("a.rf64", _rf64(10_000)), ("a.w64", _w64(10_000))])
def test_large_formats_that_are_cut_short_say_so(tmp_path: Path, name: str, data: bytes) -> None:
    with open_sound(_file(tmp_path, name, data)) as sound:
        assert sound.frames == 1000
        assert f"promises {40_000 + (24 if name == 'a.w64' else 0)} bytes" in (shortfall(sound) or "")


@pytest.mark.parametrize("container", ["RF64", "W64", "CAF", "AU", "AIFF", "WAV"])
def test_whole_files_are_not_called_short(tmp_path: Path, container: str) -> None:
    with open_sound(_file(tmp_path, "a", bytes(_made(container)))) as sound:
        assert shortfall(sound) is None


def test_a_response_of_many_samples_in_few_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silence.flac"
    with soundfile.SoundFile(path, "w", 96_000, 8, "PCM_16") as file:
        for _ in range(30):
            file.write(np.zeros((96_000, 8), np.int16))
    for door in (load_response, load_played):
        with pytest.raises(AudioFileError, match=r"promises 23040000 samples in .* at most 128 a byte"):
            door(path)


def test_a_response_that_would_take_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.flac", _flac(frames=100 * 655_350, sample_rate=655_350))
    with pytest.raises(ReverbError, match="at most"):
        load_response(path)
    tiny = ImpulseResponse(noise(12_000, 1), 100)
    with pytest.raises(
        InvalidAudioError, match=r"from 100 Hz to 2000000 Hz, would have .* at most 16777216 samples"
    ):
        tiny.response(2_000_000)
    with pytest.raises(InvalidAudioError, match=r"a delay of 1e\+08 s would have .* Make it shorter"):
        tiny.delay(1e8)


def test_series_and_parallel_of_long_responses_are_refused() -> None:
    wide = ImpulseResponse(noise(100, 256), 48_000, wiring="16x16")
    long = ImpulseResponse(noise(70_000, 1), 48_000, "long")
    for combine in (operator.rshift, operator.add):
        with pytest.raises(InvalidAudioError, match="expected at most 16777216 samples in all"):
            combine(wide, long)


def test_a_wiring_of_a_billion_outputs_is_not_believed(make_sound: MakeSound) -> None:
    facts = {"name": "x", "latency": 0, "inputs": 1, "outputs": 10**9, "paths": [[0, 0, 0]]}
    for text in (json.dumps(facts), "[" * 5000):
        path = make_sound("a.wav", decaying(100), comment=f"reverb impulse response: {text}")
        assert load_response(path).layout == "mono"


@pytest.mark.parametrize("value", [1e16, 3e38])
def test_samples_that_are_no_sound_are_refused(tmp_path: Path, make_sound: MakeSound, value: float) -> None:
    path = make_sound("a.wav", np.array([0.1, value, 0.1]), subtype="FLOAT")
    for door in (
        load_response,
        lambda path: process_file(path, tmp_path / "out.wav", ImpulseResponse([1.0], 48_000)),
    ):
        with pytest.raises(InvalidAudioError, match=r"holds a sample of .*e\+.*expected at most 1e\+15"):
            door(path)


@pytest.mark.parametrize(
    ("rate", "channels", "message"), [(200_001, 1, "at 200001 Hz"), (48_000, 256, "256 channels")]
)
def test_what_crashes_the_vorbis_encoder_is_refused(
    tmp_path: Path, make_sound: MakeSound, rate: int, channels: int, message: str
) -> None:
    path = make_sound("a.wav", noise(100, channels), rate)
    with pytest.raises(AudioFileError, match=f"{message}.*at most 255 channels at 200000 Hz"):
        process_file(path, tmp_path / "out.ogg", ImpulseResponse([1.0], rate))


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    prefix = b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header
    trap = tmp_path / "executed"
    for name, data in (("a_48000.npy", prefix), ("b_48000.npy", b"")):
        path = _file(tmp_path, name, data + pickle.dumps(_Trap(trap)))
        with pytest.raises(AudioFileError, match="not a plain NumPy array"):
            load_response(path)
    assert not trap.exists()
    pickle.loads(pickle.dumps(_Trap(trap)))  # the trap works
    assert trap.exists()


@pytest.mark.parametrize("shape", ["(1099511627776,)", "(3, 1000000000)", "(100000000,)"])
def test_numpy_headers_that_promise_too_much(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    data = b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + bytes(400)
    with pytest.raises(ReverbError, match=r"not a plain NumPy array|at most 16777216 samples"):
        load_response(_file(tmp_path, "a_48000.npy", data))


@pytest.mark.parametrize("name", ["a_48000.txt", "a_48000.f32", "a_48000.npy", "a.sofa", "a.conf"])
def test_files_of_gigabytes_are_refused_unread(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    os.truncate(path, 5 << 30)  # a hole, without disk space
    with pytest.raises(AudioFileError, match="has 5368709120 bytes; expected 1 to"):
        load_response(path)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="a line of more than 16384 characters"):
        read_text(_file(tmp_path, "a.txt", b"1 " * 1_000_000), None, 48_000)


def test_a_sofa_file_of_dimensions_that_were_never_filled(tmp_path: Path) -> None:
    netcdf = pytest.importorskip("netCDF4", reason="SOFA files need sofar")
    pytest.importorskip("sofar")
    path = tmp_path / "a.sofa"
    with netcdf.Dataset(path, "w") as file:
        for name, size in (("M", 1_000_000), ("R", 2), ("N", 1_000_000)):
            file.createDimension(name, size)
        file.createVariable("Data.IR", "f8", ("M", "R", "N"), zlib=True, chunksizes=(1, 2, 100_000))
    with pytest.raises(AudioFileError, match=r"it promises 2000000000000 numbers in \d+ bytes"):
        load_response(path)


def test_a_configuration_of_too_much_is_refused(tmp_path: Path) -> None:
    lines = ["/convolver/new 64 64 256 20000000", "/impulse/dirac 1 1 1 19999999", "/impulse/dirac 1 2 1 0"]
    with pytest.raises(
        AudioFileError, match="line 2: the matrix of all responses would have 20000000 frames"
    ):
        load_response(_file(tmp_path, "a.conf", "\n".join(lines).encode()))
    lines = ["/convolver/new 2 2 256 4000", "/impulse/dirac 1 1 nan 0"]
    with pytest.raises(AudioFileError, match="line 2: a gain of nan"):
        load_response(_file(tmp_path, "a.conf", "\n".join(lines).encode()))
    lines = ["/convolver/new 2 2 256 4000", "/impulse/copy 1 1 2 2"]
    with pytest.raises(AudioFileError, match="line 2: no response from 2 to 2 to copy"):
        load_response(_file(tmp_path, "a.conf", "\n".join(lines).encode()))


def test_many_channels_through_a_long_response_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((15, 768)), 44_100, "DOUBLE")
    room = ImpulseResponse(np.ones(150_000), 44_100)
    with pytest.raises(InvalidAudioError, match=r"150000 frames × 768 channels; expected at most 16777216"):
        process_file(tmp_path / "in.wav", tmp_path / "out.wav", room)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_samples_beyond_all_sound_do_not_abort_the_mp3_encoder(tmp_path: Path) -> None:
    loud = 1e11 * np.random.default_rng(5).standard_normal((3000, 2))
    soundfile.write(tmp_path / "in.wav", loud, 44_100, "FLOAT")
    report = process_file(tmp_path / "in.wav", tmp_path / "out.mp3", ImpulseResponse(np.ones(1), 44_100))
    assert report.clipped == loud.size
    held, _ = soundfile.read(tmp_path / "out.mp3")
    assert np.abs(held).max() < 4  # not 1e11: a codec overshoots clipped samples
    with pytest.raises(InvalidAudioError, match="MP3 stores samples up to ±1"):
        save_response(ImpulseResponse(loud, 44_100), tmp_path / "response.mp3")
