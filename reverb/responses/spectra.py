"""Spectra on grids so fine that one transform would take too much memory."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio


def spectra(samples: Audio, points: int, size: int) -> Iterator[tuple[float, npt.NDArray[np.complex128]]]:
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
