"""Third-octave bands that add up to the sound they were cut from: for work on each band by itself.

The bands of ISO 3382 (`reverb.responses.bands`) are made for measuring: their sum is not the input. These are
made for editing: zero-phase masks on one long transform, each the difference of two smooth steps over log
frequency, so that they sum to 1 at every frequency. The steps are Gaussian integrals, whose responses die away
faster than any exponential: what one band rings, before or after an event, is soon below every tail.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

PER_OCTAVE = 3
LOWEST = 31.25
"""Centre in Hz of the lowest band, which takes all that lies below it, too."""
SPREAD = 1 / 12
"""Standard deviation of a step between two bands, in octaves."""
_REACH = 8.5 * SPREAD  # octaves from the middle of a step until it is 0 or 1 in float64
_RINGING = 0.5  # seconds until the lowest step's ringing lies below float64


def centres(sample_rate: int) -> Array:
    """Return the bands' centres in Hz, from low to high; the highest takes all that lies above it, too."""
    highest = int(np.floor(PER_OCTAVE * np.log2(0.45 * sample_rate / LOWEST)))
    return np.asarray(LOWEST * 2 ** (np.arange(max(highest, 0) + 1) / PER_OCTAVE))


@dataclass(frozen=True, slots=True)
class Band:
    """A band of a sound, at as low a rate as holds it.

    Attributes
    ----------
    centre : float
        In Hz.
    step : int
        Frames of the sound to one of the band.
    sound : ndarray, shape (channels, n)
        A circle: the sound, silence, and at the end what rings before the sound's start.
    """

    centre: float
    step: int
    sound: Array


def split_low(samples: Array, sample_rate: int) -> Iterator[Band]:
    """Cut sound into bands, each at its own rate: a fraction of the work, for the lower two thirds of them are short.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.

    Yields
    ------
    Band
        `joined` makes the sound of them again.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    middles = centres(sample_rate)
    steps = [_step(centre, sample_rate) for centre in middles[:-1]] + [1]
    whole = max(steps[0], 2)  # an even number of frames, as `joined` takes it to be
    length = next_fast_len(-(-(len(samples) + 2 * lead(sample_rate)) // whole), real=True) * whole
    spectrum = rfft(np.ascontiguousarray(samples.T), length)
    for (centre, kept, mask), step in zip(_masks(middles, length, sample_rate), steps, strict=True):
        part = np.zeros((len(spectrum), length // step // 2 + 1), spectrum.dtype)
        part[:, kept] = spectrum[:, kept] * (mask / step)
        yield Band(centre, step, irfft(part, length // step))


def joined(bands: Iterable[Band], frames: int) -> Array:
    """Return the sound that bands sum to, `(frames, channels)`."""
    from scipy.fft import irfft, rfft

    sums: dict[int, Array] = {}
    for band in bands:
        sums[band.step] = sums[band.step] + band.sound if band.step in sums else band.sound
    total = rfft(sums.pop(1))
    for step, sound in sums.items():
        part = rfft(sound)
        total[:, : part.shape[1]] += part * step
    length = 2 * (total.shape[1] - 1)
    return np.ascontiguousarray(irfft(total, length)[:, :frames].T)


def lead(sample_rate: int) -> int:
    """Return how many frames a band may ring, before an event or after it."""
    return round(_RINGING * sample_rate)


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

    frames = len(samples)
    length = next_fast_len(frames + 2 * lead(sample_rate), real=True)
    spectrum = rfft(samples, length, axis=0)
    for centre, kept, mask in _masks(centres(sample_rate), length, sample_rate):
        part = np.zeros_like(spectrum)
        part[kept] = spectrum[kept] * mask[:, np.newaxis]
        yield centre, irfft(part, length, axis=0)[:frames]


def _masks(middles: Array, length: int, sample_rate: int) -> Iterator[tuple[float, slice, Array]]:
    """Give centre, the lines of a transform that are not 0, and the mask on these, for each band."""
    from scipy.special import ndtr

    line = sample_rate / length
    below: Array | None = None
    first = 0
    for centre in middles:
        stop = length // 2 + 1
        if centre < middles[-1]:
            stop = min(int(_edge(centre) / line) + 1, stop)
        octaves = np.log2(np.maximum(np.arange(first, stop) * line, 1e-9))
        mask = np.ones(stop - first)
        if below is not None:
            mask[: len(below)] = below[: len(mask)]
        if centre < middles[-1]:
            above = ndtr((octaves - _border(centre)) / SPREAD)
            mask -= above
        yield float(centre), slice(first, stop), mask
        if centre < middles[-1]:
            skipped = int(np.searchsorted(octaves, _border(centre) - _REACH))
            first, below = first + skipped, above[skipped:]


def _step(centre: float, sample_rate: int) -> int:
    """Return the largest power of two by which a band's rate may be divided."""
    return 1 << max(int(np.log2(sample_rate / 2 / _edge(centre))), 0)


def _border(centre: float) -> float:
    """Return the middle of the step at a band's upper end, in octaves over 1 Hz."""
    return float(np.log2(centre)) + 0.5 / PER_OCTAVE


def _edge(centre: float) -> float:
    """Return the frequency in Hz above which nothing is left of a band."""
    return float(2 ** (_border(centre) + _REACH))


def bandwidth(centre: float) -> float:
    """Return the width of a band in Hz, between the middles of its steps."""
    return centre * (2 ** (0.5 / PER_OCTAVE) - 2 ** (-0.5 / PER_OCTAVE))
