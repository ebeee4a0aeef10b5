"""Bands that sum to the input, for editing each band by itself.

The bands for measuring (`reverb.responses.bands`) do not sum to the input. These are zero-phase masks on one long
transform that sum to 1 at every frequency.

Third-octave masks are differences of two smooth steps over log frequency. The steps are Gaussian integrals, whose
impulse responses decay faster than any exponential, so that the ringing of a band before and after an event
soon is below any tail. Sixth-octave masks (`split_sixths`) are raised cosines, for shaping noise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from reverb.arrays import Array

BANDS_PER_OCTAVE = 3
MIN_CENTRE_HZ = 31.25
"""Center of the lowest band, which includes all lower frequencies."""
SPREAD_OCTAVES = 1 / 12
"""Standard deviation of a step between two bands."""
_REACH_OCTAVES = 8.5 * SPREAD_OCTAVES  # from the middle of a step until it is 0 or 1 in float64
_RINGING_SECONDS = 0.5  # until the ringing of the lowest step is below the precision of float64
_SIXTHS_PER_OCTAVE = 6


def centres(sample_rate: int) -> Array:
    """Return the centers of the bands in Hz, from low to high; the highest band includes all higher frequencies."""
    highest = int(np.floor(BANDS_PER_OCTAVE * np.log2(0.45 * sample_rate / MIN_CENTRE_HZ)))
    return np.asarray(MIN_CENTRE_HZ * 2 ** (np.arange(max(highest, 0) + 1) / BANDS_PER_OCTAVE))


@dataclass(frozen=True, slots=True)
class Subband:
    """A band of a sound at a reduced sample rate.

    Attributes
    ----------
    centre : float
        In Hz.
    step : int
        Decimation: frames of the sound per frame of the band.
    sound : ndarray, shape (channels, n)
        Circular: the sound, silence, and at the end the ringing before the start of the sound.
    """

    centre: float
    step: int
    sound: Array


def split_decimated(samples: Array, sample_rate: int) -> Iterator[Subband]:
    """Split sound into bands, each decimated to its own sample rate, which saves most of the work.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.

    Yields
    ------
    Subband
        `join` restores the sound from them.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    middles = centres(sample_rate)
    steps = [_step(centre, sample_rate) for centre in middles[:-1]] + [1]
    factor = max(steps[0], 2)  # at least 2, as `join` expects an even length
    length = next_fast_len(-(-(len(samples) + 2 * ringing_frames(sample_rate)) // factor), real=True) * factor
    spectrum = rfft(np.ascontiguousarray(samples.T), length)
    for (centre, kept, mask), step in zip(_masks(middles, length, sample_rate), steps, strict=True):
        part = np.zeros((len(spectrum), length // step // 2 + 1), spectrum.dtype)
        part[:, kept] = spectrum[:, kept] * (mask / step)
        yield Subband(centre, step, irfft(part, length // step))


def join(bands: Iterable[Subband], frames: int) -> Array:
    """Return the sum of decimated bands, `(frames, channels)`."""
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


def ringing_frames(sample_rate: int) -> int:
    """Return the largest length of the ringing of a band, before or after an event."""
    return round(_RINGING_SECONDS * sample_rate)


def split(samples: Array, sample_rate: int) -> Iterator[tuple[float, Array]]:
    """Split sound into third-octave bands.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.

    Yields
    ------
    (float, ndarray)
        Center in Hz, and the band, `(frames, channels)`. The bands sum to `samples`.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    frames = len(samples)
    length = next_fast_len(frames + 2 * ringing_frames(sample_rate), real=True)
    spectrum = rfft(samples, length, axis=0)
    for centre, kept, mask in _masks(centres(sample_rate), length, sample_rate):
        part = np.zeros_like(spectrum)
        part[kept] = spectrum[kept] * mask[:, np.newaxis]
        yield centre, irfft(part, length, axis=0)[:frames]


def split_sixths(samples: Array, sample_rate: int) -> Iterator[tuple[float, Array]]:
    """Split `(frames, channels)` into sixth-octave bands, circular in time; yield their centers in Hz and the bands."""
    spectrum = np.fft.rfft(samples, axis=0)
    frequencies = np.fft.rfftfreq(len(samples), 1 / sample_rate)
    steps = _SIXTHS_PER_OCTAVE * np.log2(np.maximum(frequencies, 1e-3) / 1000)
    lowest = -5 * _SIXTHS_PER_OCTAVE
    highest = int(_SIXTHS_PER_OCTAVE * np.log2(sample_rate / 2000))
    for step in range(lowest, highest + 1):
        # The first and the last band include all frequencies beyond them.
        distance = np.clip(steps, lowest, highest) - step
        mask = np.cos(np.pi / 2 * np.clip(np.abs(distance), 0, 1)) ** 2
        yield (
            1000 * 2 ** (step / _SIXTHS_PER_OCTAVE),
            np.fft.irfft(spectrum * mask[:, None], len(samples), axis=0),
        )


def _masks(middles: Array, length: int, sample_rate: int) -> Iterator[tuple[float, slice, Array]]:
    """Yield for each band its center, the range of nonzero bins of a transform, and the mask there."""
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
            above = ndtr((octaves - _border(centre)) / SPREAD_OCTAVES)
            mask -= above
        yield float(centre), slice(first, stop), mask
        if centre < middles[-1]:
            skipped = int(np.searchsorted(octaves, _border(centre) - _REACH_OCTAVES))
            first, below = first + skipped, above[skipped:]


def _step(centre: float, sample_rate: int) -> int:
    """Return the largest power of two by which a band may be decimated."""
    return 1 << max(int(np.log2(sample_rate / 2 / _edge(centre))), 0)


def _border(centre: float) -> float:
    """Return the middle of the step at the upper end of a band, in octaves re 1 Hz."""
    return float(np.log2(centre)) + 0.5 / BANDS_PER_OCTAVE


def _edge(centre: float) -> float:
    """Return the frequency in Hz above which the mask of a band is 0."""
    return float(2 ** (_border(centre) + _REACH_OCTAVES))


def bandwidth(centre: float) -> float:
    """Return the width of a band in Hz, between the middles of its steps."""
    return centre * (2 ** (0.5 / BANDS_PER_OCTAVE) - 2 ** (-0.5 / BANDS_PER_OCTAVE))
