"""Spectra on grids so fine that one transform would take too much memory."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio

Complex: TypeAlias = npt.NDArray[np.complex128]

LONG = 12 << 20
"""Bytes of a channel, half a minute at 96 kHz in float32, beyond which its one transform would take too much."""
_PART = 1 << 19


def spectra(samples: Audio, points: int, size: int) -> Iterator[tuple[float, Complex]]:
    """Give the spectrum of real samples on an even grid, in parts that need little memory.

    Parameters
    ----------
    samples : ndarray, shape (frames,)
    points : int
        Of the grid, from 0 Hz to the sample rate; a power of two.
    size : int
        Of a part's transform, at most `points`; a power of two.

    Yields
    ------
    shift : float
    spectrum : ndarray, shape (size,)
        Its n-th value stands at ``(n + shift) / size`` cycles per frame.
    """
    for shift in np.arange(0, 1, size / points):
        # Samples that are turned have their points shifted by less than one; those a transform apart add up.
        folded = np.zeros(size, np.complex128)
        for number, start in enumerate(range(0, len(samples), size)):
            piece = samples[start : start + size]
            folded[: len(piece)] += np.exp(-2j * np.pi * shift * number) * piece
        folded *= np.exp((-2j * np.pi * shift / size) * np.arange(size))
        yield shift, np.fft.fft(folded)


def audible_spectra(samples: Audio, sample_rate: int) -> Iterator[tuple[Audio, Complex]]:
    """Give frequencies in Hz up to half the sample rate, rising, and the spectrum there: several times, interleaved.

    Parameters
    ----------
    samples : ndarray, shape (frames,)
    sample_rate : int
        In Hz; the grid is as fine as 1 Hz, or finer.
    """
    points = _PART << (max(len(samples), sample_rate) // _PART).bit_length()
    for shift, spectrum in spectra(samples, points, _PART):
        frequencies = (np.arange(_PART // 2 + 1) + shift) * (sample_rate / _PART)
        count = int(np.searchsorted(frequencies, sample_rate / 2, "right"))
        yield frequencies[:count], spectrum[:count]
