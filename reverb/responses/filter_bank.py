"""Third-octave bands that add up to the sound they were cut from: for work on each band by itself.

The bands of ISO 3382 (`reverb.responses.bands`) are made for measuring: their sum is not the input. These are
made for editing: zero-phase masks on one long transform, each the difference of two smooth steps over log
frequency, so that they sum to 1 at every frequency. The steps are Gaussian integrals, whose responses die away
faster than any exponential: what one band rings, before or after an event, is soon below every tail.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

PER_OCTAVE = 3
LOWEST = 31.25
"""Centre in Hz of the lowest band, which takes all that lies below it, too."""
SPREAD = 1 / 12
"""Standard deviation of a step between two bands, in octaves."""
_RINGING = 0.5  # seconds until the lowest step's ringing lies below float64


def centres(sample_rate: int) -> Array:
    """Return the bands' centres in Hz, from low to high; the highest takes all that lies above it, too."""
    highest = int(np.floor(PER_OCTAVE * np.log2(0.45 * sample_rate / LOWEST)))
    return np.asarray(LOWEST * 2 ** (np.arange(max(highest, 0) + 1) / PER_OCTAVE))


def split(samples: Array, sample_rate: int) -> Iterator[tuple[float, Array]]:
    """Cut sound into bands.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.

    Yields
    ------
    (float, ndarray)
        Centre in Hz, and the band, `(frames, channels)`. All bands together sum to `samples`.
    """
    from scipy.fft import irfft, next_fast_len, rfft
    from scipy.special import ndtr

    frames = len(samples)
    length = next_fast_len(frames + 2 * round(_RINGING * sample_rate), real=True)
    spectrum = rfft(samples, length, axis=0)
    frequencies = np.fft.rfftfreq(length, 1 / sample_rate)
    octaves = np.log2(np.maximum(frequencies, 1e-9))
    middles = centres(sample_rate)
    below = np.ones(len(octaves))
    for centre in middles:
        border = np.log2(centre) + 0.5 / PER_OCTAVE
        above = ndtr((octaves - border) / SPREAD) if centre < middles[-1] else np.zeros(len(octaves))
        yield float(centre), irfft(spectrum * (below - above)[:, np.newaxis], length, axis=0)[:frames]
        below = above


def bandwidth(centre: float) -> float:
    """Return the width of a band in Hz, between the middles of its steps."""
    return centre * (2 ** (0.5 / PER_OCTAVE) - 2 ** (-0.5 / PER_OCTAVE))
