"""24-bit samples moved as bytes: the same samples, files and errors as through libsndfile's own conversion."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from reverb.audiofiles import libsndfile, packed
from reverb.audiofiles.files import open_sound
from reverb.audiofiles.packed import PackedReader, PackedWriter

Integers = npt.NDArray[np.int32]


@pytest.fixture
def integers() -> Integers:
    rng = np.random.default_rng(3)
    whole = rng.integers(-(1 << 23), 1 << 23, (50_000, 2), np.int32)
    whole[:6, 0] = (0, 1, -1, (1 << 23) - 1, -(1 << 23), 255)
    return whole


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64"])
def test_bytes_read_are_the_samples_that_libsndfile_reads(
    container: str, integers: Integers, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, integers << 8, 48_000, "PCM_24", format=container)
    expected, _ = soundfile.read(path, dtype="float32")
    with open_sound(path) as sound:
        assert packed.packed(sound)
        reader, out = PackedReader(), np.empty((40_000, 2), np.float32)  # more than a piece
        parts = []
        while len(block := reader.read(sound, out)):
            parts.append(block.copy())
    assert [len(part) for part in parts] == [40_000, 10_000]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_bytes_written_are_the_file_that_libsndfile_writes(integers: Integers, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.wav", tmp_path / "theirs.wav"
    soundfile.write(theirs, integers << 8, 48_000, "PCM_24")
    with soundfile.SoundFile(ours, "w", 48_000, 2, "PCM_24") as out:
        assert packed.packed(out)
        writer = PackedWriter(2 * 30_000)
        writer.write(out, integers[:30_000])
        writer.write(out, integers[30_000:])
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("subtype", "container", "endian"),
    [("PCM_16", "WAV", None), ("PCM_24", "AIFF", None), ("PCM_24", "FLAC", None), ("PCM_24", "WAV", "BIG")],
)
def test_other_formats_are_left_to_libsndfile(
    subtype: str, container: str, endian: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    soundfile.write(path, np.zeros((9, 2)), 48_000, subtype, format=container, endian=endian)
    with soundfile.SoundFile(path) as sound:
        assert not packed.packed(sound)


def test_without_libsndfiles_raw_door_nothing_is_packed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((9, 2)), 48_000, "PCM_24")
    monkeypatch.setattr(packed, "_library", lambda: None)
    with soundfile.SoundFile(tmp_path / "a.wav") as sound:
        assert not packed.packed(sound)


def test_a_copy_of_libsndfile_that_soundfile_did_not_load_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import _ctypes

    monkeypatch.setattr(soundfile, "_full_path", _ctypes.__file__, raising=False)
    monkeypatch.setattr(soundfile, "_libname", None, raising=False)
    assert libsndfile.raw_library.__wrapped__() is None
