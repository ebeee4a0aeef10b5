"""24-bit samples as a file holds them, three bytes each, without libsndfile's conversion sample by sample.

libsndfile takes 5 ns to read and 7 ns to write a sample of the format that producers use most. NumPy needs a tenth: it
sees the bytes as overlapping 32-bit integers, three bytes apart. libsndfile keeps header, tags, and position;
only the bytes go through its raw functions.
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
    """Return whether an opened file holds 24-bit samples, lowest byte first, that this module can move."""
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
        # A byte more in front: a sample is the upper three bytes of an integer that begins one byte earlier.
        self._bytes = np.zeros(1 + 3 * _PIECE, np.uint8)
        self._words = np.ndarray((_PIECE,), np.int32, self._bytes, 0, (3,))
        self._integers = np.empty(_PIECE, np.int32)

    def read(self, sound: soundfile.SoundFile, out: Audio) -> Audio:
        """Fill `out` (frames, channels), float32, from where `sound` stands; return what was filled."""
        library = _library()
        assert library is not None
        opened, address = handle(sound), self._bytes[1:].ctypes.data
        channels, done, short = out.shape[1], 0, False
        while done < len(out) and not short:
            wanted = min(_PIECE // channels, len(out) - done)
            count = int(library.sf_read_raw(opened, address, 3 * channels * wanted)) // (3 * channels)
            for channel in range(channels):
                words, integers = self._words[channel : count * channels : channels], self._integers[:count]
                np.right_shift(words, 8, out=integers)
                place = out[done : done + count, channel]
                np.multiply(integers, _SCALE, out=place, dtype=np.float32, casting="unsafe")  # they all fit
            done += count
            short = count < wanted
        return out[:done]


class PackedWriter:
    """Write whole numbers as 24-bit samples.

    Parameters
    ----------
    samples : int
        Most samples (frames × channels) of one call.
    """

    def __init__(self, samples: int) -> None:
        self._bytes = np.zeros(3 * samples + 1, np.uint8)
        self._words = np.ndarray((samples,), np.int32, self._bytes, 0, (3,))

    def write(self, sound: soundfile.SoundFile, integers: npt.NDArray[Any]) -> None:
        """Write int32 `integers`, shape (frames, channels), each from −2^23 to 2^23 − 1."""
        library = _library()
        assert library is not None
        _lay(self._words, integers.reshape(-1))
        wanted = 3 * integers.size
        if library.sf_write_raw(handle(sound), self._bytes.ctypes.data, wanted) != wanted:
            raise soundfile.LibsndfileError(int(library.sf_error(handle(sound))))


def _lay(words: npt.NDArray[np.int32], integers: npt.NDArray[np.int32]) -> None:
    """Lay integers three bytes apart, from the first to the last: each covers the surplus byte of the one before."""
    words[: len(integers)] = integers


@once
def _library() -> Any:
    """Return libsndfile, or None if it cannot be reached, or if bytes lie differently on this machine."""
    return raw_library() if sys.byteorder == "little" and _lays_in_order() else None


def _lays_in_order() -> bool:
    """Try out what NumPy does but does not promise: that an assignment goes from the first element to the last."""
    integers = np.arange(-_PIECE // 2, _PIECE // 2, dtype=np.int32) * 1021
    buffer = np.zeros(3 * len(integers) + 1, np.uint8)
    _lay(np.ndarray(integers.shape, np.int32, buffer, 0, (3,)), integers)
    expected = integers.view(np.uint8).reshape(-1, 4)[:, :3].reshape(-1)
    return bool(np.array_equal(buffer[:-1], expected))
