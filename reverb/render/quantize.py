"""From float samples to the samples of a file: dither, rounding, clipping, and writing.

libsndfile converts floats to integers one by one, and truncates. Whole blocks are rounded here, to nearest, in less
time, and libsndfile receives integers.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio
from reverb.audiofiles.files import NewSound, bounded
from reverb.audiofiles.packed import PackedWriter, packed

Sink: TypeAlias = Callable[[Audio], None]
"""Called with each block of a stream, shape (frames, channels)."""

Integers: TypeAlias = npt.NDArray[np.signedinteger[Any]]

BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""Bits of the integer subtypes."""

PIECE_FRAMES = 1 << 15
"""Frames that are measured, rounded and written at a time, so that they stay in the cache."""

_MAX_DITHERED_BITS = 16  # by default; at 24 bits the rounding error is at −146 dB


class Quantizer:
    """Round float samples to integers of a subtype, with triangular dither on request.

    Full scale 1.0 is ``2^(bits − 1)``, as in reading, so that unprocessed samples come back bit by bit.

    Parameters
    ----------
    bits : int
        8, 16, 24 or 32.
    channels : int
    dtype : float32 or float64
        Of the samples.
    dither : bool
        Add triangular noise of ±1 step before rounding: the error then has a constant power and no
        correlation with the sound. The noise is drawn from a fixed seed: same input, same bytes.
    left_aligned : bool
        Return integers in the upper bits of their type, as libsndfile takes them, instead of the lower ones.

    References
    ----------
    S. P. Lipshitz, R. A. Wannamaker, J. Vanderkooy, "Quantization and dither: a theoretical survey",
    J. Audio Eng. Soc. 40(5), 1992.
    """

    def __init__(
        self, bits: int, channels: int, dtype: npt.DTypeLike, dither: bool, *, left_aligned: bool = True
    ) -> None:
        integer = np.dtype(np.int16 if bits <= 16 else np.int32)
        # float32 has no 2^31 − 1, and would round it up to 2^31, which int32 cannot represent.
        wider = bits == 32 and dtype != np.float64
        self._scaled = np.empty((PIECE_FRAMES, channels), np.float64) if wider else None
        self._integers = np.empty((PIECE_FRAMES, channels), integer)
        self._limit = 2 ** (bits - 1)
        self._shift = 8 * integer.itemsize - bits if left_aligned else 0
        self._noise = np.random.SFC64(0) if dither else None

    def quantize(self, piece: Audio) -> Integers:
        """Return up to `PIECE_FRAMES` frames, shape (frames, channels), as int16 (up to 16 bits) or int32.

        The piece is overwritten, and the next call overwrites the result: fresh memory for every piece would cost more
        than the arithmetic.
        """
        scaled = piece if self._scaled is None else self._scaled[: len(piece)]
        integers = self._integers[: len(piece)]
        with np.errstate(over="ignore"):  # an overflow is clipped below
            np.multiply(piece, self._limit, out=scaled)
        if self._noise is not None:
            scaled += self._triangular(piece.size).reshape(piece.shape)
        np.rint(scaled, out=scaled)
        np.clip(scaled, -self._limit, self._limit - 1, out=integers, casting="unsafe")
        if self._shift:
            np.left_shift(integers, self._shift, out=integers)
        return integers

    def _triangular(self, count: int) -> npt.NDArray[np.float32]:
        """Return noise of a triangular density over ±1 step: the difference of two uniform ones."""
        assert self._noise is not None
        raw = self._noise.random_raw((2 * count + 3) // 4).view(np.uint16)
        noise = raw[:count].astype(np.float32)
        noise -= raw[count : 2 * count]
        noise *= np.float32(2.0**-16)
        return noise


def block_writer(
    out: NewSound, subtype: str, dtype: npt.DTypeLike, dither: bool | None, meters: Sequence[Sink]
) -> Sink:
    """Return a function that measures, rounds and writes the blocks of an output, and overwrites them.

    Parameters
    ----------
    out : NewSound
    subtype : str
        Of `out`, in libsndfile's name.
    dtype : float32 or float64
        Of the blocks.
    dither : bool or None
        None for dither at 16 bits and fewer.
    meters : sequence of callable
        Called with each piece before it is rounded.
    """
    writer = PackedWriter(PIECE_FRAMES * out.channels) if packed(out) else None
    quantizer = None
    if subtype in BITS:
        if dither is None:
            dither = BITS[subtype] <= _MAX_DITHERED_BITS
        quantizer = Quantizer(BITS[subtype], out.channels, dtype, dither, left_aligned=writer is None)
    clips = bounded(subtype)

    def write_piece(piece: Audio) -> None:
        for measure in meters:
            measure(piece)
        if quantizer is None:
            if clips:
                np.clip(piece, -1.0, 1.0, out=piece)
            out.write(piece)
        elif writer is None:
            out.write(quantizer.quantize(piece))
        else:
            writer.write(out, quantizer.quantize(piece))

    def write(block: Audio) -> None:
        for start in range(0, len(block), PIECE_FRAMES):
            write_piece(block[start : start + PIECE_FRAMES])

    return write


def int16_to_float(samples: npt.NDArray[np.int16], out: Audio) -> Audio:
    """Write 16-bit samples as floats, full scale 1.0, to `out` of the same shape, and return it."""
    return np.multiply(samples, out.dtype.type(2.0**-15), out=out)
