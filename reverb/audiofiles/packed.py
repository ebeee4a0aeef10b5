"""24-bit samples read and written as bytes, three for each sample, without libsndfile's conversion.

24 bits are the format that producers use most. libsndfile converts sample by sample, 5 ns each in reading and 7 ns in
writing. NumPy needs a tenth of that: it views the bytes as overlapping 32-bit integers, three bytes apart. libsndfile
still handles header, tags, and position; only the bytes go through its raw functions.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from reverb.arrays import Audio
from reverb.audiofiles.libsndfile import handle, raw_library
from reverb.once import once

_CONTAINERS = {"WAV", "WAVEX", "RF64", "W64"}
_PIECE = 1 << 17  # samples at a time, so that they stay in the cache
_SCALE = np.float32(2.0**-23)


def packed(sound: soundfile.SoundFile) -> bool:
    """Return whether an opened file has little-endian 24-bit samples that this module can read or write."""
    return (
        sound.subtype == "PCM_24"
        and sound.format in _CONTAINERS
        and sound.endian in ("FILE", "LITTLE")
        and hasattr(sound, "_file")
        and _library() is not None
    )


class PackedReader:
    """Read 24-bit samples as float32, full scale 1.0."""

    def __init__(self) -> None:
        # One byte more at the start: a sample is the upper three bytes of an integer that starts one byte earlier.
        self._bytes = np.zeros(1 + 3 * _PIECE, np.uint8)
        self._words = np.ndarray((_PIECE,), np.int32, self._bytes, 0, (3,))
        self._integers = np.empty(_PIECE, np.int32)

    def read(self, sound: soundfile.SoundFile, out: Audio) -> Audio:
        """Read from the current position into `out`, float32 of shape (frames, channels); return the filled part."""
        library = _library()
        assert library is not None
        opened, address = handle(sound), self._bytes[1:].ctypes.data
        channels, done, at_end = out.shape[1], 0, False
        while done < len(out) and not at_end:
            wanted = min(_PIECE // channels, len(out) - done)
            count = int(library.sf_read_raw(opened, address, 3 * channels * wanted)) // (3 * channels)
            for channel in range(channels):
                words, integers = self._words[channel : count * channels : channels], self._integers[:count]
                np.right_shift(words, 8, out=integers)
                samples = out[done : done + count, channel]
                np.multiply(integers, _SCALE, out=samples, dtype=np.float32, casting="unsafe")  # exact
            done += count
            at_end = count < wanted
        return out[:done]


class PackedWriter:
    """Write integers as 24-bit samples.

    Parameters
    ----------
    max_samples : int
        Maximum number of samples (frames × channels) of one call.
    """

    def __init__(self, max_samples: int) -> None:
        self._bytes = np.zeros(3 * max_samples + 1, np.uint8)
        self._words = np.ndarray((max_samples,), np.int32, self._bytes, 0, (3,))

    def write(self, sound: soundfile.SoundFile, integers: npt.NDArray[Any]) -> None:
        """Write int32 values from −2^23 to 2^23 − 1, shape (frames, channels)."""
        library = _library()
        assert library is not None
        _pack(self._words, integers.reshape(-1))
        size = 3 * integers.size
        if library.sf_write_raw(handle(sound), self._bytes.ctypes.data, size) != size:
            raise soundfile.LibsndfileError(int(library.sf_error(handle(sound))))


def _pack(words: npt.NDArray[np.int32], integers: npt.NDArray[np.int32]) -> None:
    """Write integers three bytes apart, first to last: each overwrites the surplus fourth byte of the one before."""
    words[: len(integers)] = integers


@once
def _library() -> Any:
    """Return libsndfile; None if it is not accessible, or if packing would not work on this machine."""
    return raw_library() if sys.byteorder == "little" and _assigns_in_order() else None


def _assigns_in_order() -> bool:
    """Return whether NumPy assigns from the first element to the last, which it does but does not promise."""
    integers = np.arange(-_PIECE // 2, _PIECE // 2, dtype=np.int32) * 1021
    buffer = np.zeros(3 * len(integers) + 1, np.uint8)
    _pack(np.ndarray(integers.shape, np.int32, buffer, 0, (3,)), integers)
    expected = integers.view(np.uint8).reshape(-1, 4)[:, :3].reshape(-1)
    return bool(np.array_equal(buffer[:-1], expected))
