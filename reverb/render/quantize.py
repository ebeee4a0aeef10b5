"""From float samples to what a file holds: gain staging is done, here come dither, rounding and clipping.

libsndfile converts float to integers sample by sample; rounding whole blocks here and handing it integers is
quicker, and rounds to nearest where libsndfile truncates.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio

Integers = npt.NDArray[np.signedinteger[Any]]

BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""Bits of the integer subtypes."""

PIECE = 1 << 15
"""Frames that are measured, rounded and written at a time, so that they stay in the cache."""

DITHERED_BITS = 16
"""Subtypes of at most this many bits are dithered by default; at 24 the rounding lies at −146 dB."""


class Meter:
    """What passed by: the largest sample, and how many samples did not fit.

    Attributes
    ----------
    peak : float
        Largest absolute sample so far, 1 at full scale.
    clipped : int
        Samples beyond full scale so far; integer formats hold them at the limit.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self.clipped = 0

    def watch(self, block: Audio) -> None:
        """Take a block, shape (frames, channels), into account."""
        if block.size == 0:
            return
        highest, lowest = float(block.max()), float(block.min())
        self.peak = max(self.peak, highest, -lowest)
        if highest > 1.0 or lowest < -1.0:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1.0))


class Quantiser:
    """Round float samples to integers of a subtype, with triangular dither where asked.

    Full scale 1.0 is ``2^(bits − 1)``, as in reading, so that unprocessed samples come back bit by bit.

    Parameters
    ----------
    bits : int
        8, 16, 24 or 32.
    channels : int
    dtype : float32 or float64
        Of the samples.
    upper : bool
        Give integers in the upper bits of their type, as libsndfile takes them, or else in the lower ones.
    dither : bool
        Add triangular noise of ±1 step before rounding: the error then has a constant power and no
        correlation with the sound. The noise is drawn from a fixed seed: same input, same bytes.

    References
    ----------
    S. P. Lipshitz, R. A. Wannamaker, J. Vanderkooy, "Quantization and dither: a theoretical survey",
    J. Audio Eng. Soc. 40(5), 1992.
    """

    def __init__(
        self, bits: int, channels: int, dtype: npt.DTypeLike, dither: bool, *, upper: bool = True
    ) -> None:
        container = np.dtype(np.int16 if bits <= 16 else np.int32)
        # float32 has no 2^31 − 1, and would round it up to what int32 cannot hold.
        wider = bits == 32 and dtype != np.float64
        self._scaled = np.empty((PIECE, channels), np.float64) if wider else None
        self._integers = np.empty((PIECE, channels), container)
        self._limit = 2 ** (bits - 1)
        self._shift = 8 * container.itemsize - bits if upper else 0
        self._noise = np.random.SFC64(0) if dither else None

    def integers(self, block: Audio) -> Integers:
        """Return a block, shape (frames, channels), up to `PIECE` frames, as int16 (up to 16 bits) or int32.

        The block is used up, and the next one overwrites what is returned: fresh memory for every block would cost more
        than the arithmetic.
        """
        scaled = block if self._scaled is None else self._scaled[: len(block)]
        integers = self._integers[: len(block)]
        with np.errstate(over="ignore"):  # what overflows is clipped below
            np.multiply(block, self._limit, out=scaled)
        if self._noise is not None:
            scaled += self._triangular(block.size).reshape(block.shape)
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


def sixteen_bit_to_float(block: npt.NDArray[np.int16], out: Audio) -> Audio:
    """Write 16-bit samples as float, full scale 1.0, to `out` of the same shape, and return it."""
    return np.multiply(block, out.dtype.type(2.0**-15), out=out)
