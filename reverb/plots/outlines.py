"""What pictures of sound are drawn from: outlines, spectra and decay curves, as the few points a screen can show."""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio
from reverb.responses.decay.decay import energy_decay

Array: TypeAlias = npt.NDArray[np.float64]

_SEGMENT_SECONDS = 0.35  # of a spectrum: bins of 3 Hz


class Curve(NamedTuple):
    """Points of a line: seconds or Hz, and dB; both of shape (points,)."""

    x: Array
    y: Array


class Outline(NamedTuple):
    """The range of a sound in each of equal moments, over all channels; both of shape (moments,)."""

    low: Array
    high: Array


def outline(sound: Audio, moments: int, seconds: float, sample_rate: int) -> Outline:
    """Return the range of a sound in each moment of a time.

    Parameters
    ----------
    sound : ndarray, shape (frames, channels)
    moments : int
        How many equal ones there are.
    seconds : float
        Their length together; what lies beyond the sound is silence.
    sample_rate : int
        In Hz.
    """
    borders = np.linspace(0, seconds * sample_rate, moments + 1).astype(int)
    first, last = borders[:-1], np.maximum(borders[1:], borders[:-1] + 1)
    low, high = np.zeros(moments), np.zeros(moments)
    for moment, (start, stop) in enumerate(zip(first, last, strict=True)):
        part = sound[start:stop]
        if part.size:
            low[moment], high[moment] = part.min(), part.max()
    return Outline(low, high)


def spectrum(sound: Audio, sample_rate: int, points: Array, octaves: float) -> Curve:
    """Return the mean power spectrum of a sound, smoothed.

    Parameters
    ----------
    sound : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.
    points : ndarray, shape (n,)
        Where it is wanted, in Hz, rising; those beyond the Nyquist frequency are left out.
    octaves : float
        Width of what is averaged.

    Returns
    -------
    Curve
        dB of the power in that width of an octave, 0 dB for a sine at full scale; at least −200. By Welch's
        method (1967): halfway overlapping segments under a Hann window.
    """
    size = 1 << round(np.log2(max(sample_rate * _SEGMENT_SECONDS, 64)))
    window = np.hanning(size)
    padded = np.pad(sound, ((0, max(0, size - len(sound))), (0, 0)))
    starts = range(0, len(padded) - size + 1, size // 2)
    power = np.zeros(size // 2 + 1)
    for start in starts:
        segment = padded[start : start + size] * window[:, np.newaxis]
        power += (np.abs(np.fft.rfft(segment, axis=0)) ** 2).mean(axis=1)
    power *= 4 / (
        len(starts) * size * (window @ window)
    )  # a sine's power is half its peak's square, on two sides
    frequencies = np.asarray(np.fft.rfftfreq(size, 1 / sample_rate), np.float64)
    shown = points[points < sample_rate / 2]
    width = shown * (2 ** (octaves / 2) - 2 ** (-octaves / 2)) * size / sample_rate
    total = smoothed(power, frequencies, shown, octaves) * np.maximum(width, 1.0)
    return Curve(shown, 10 * np.log10(np.maximum(total, 1e-20)))


def smoothed(power: Array, frequencies: Array, points: Array, octaves: float) -> Array:
    """Average a power spectrum over a width in octaves around each point."""
    half = 2 ** (octaves / 2)
    low = np.searchsorted(frequencies, points / half)
    high = np.maximum(np.searchsorted(frequencies, points * half), low + 1)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    high = np.minimum(high, len(power))
    low = np.minimum(low, high - 1)
    return np.asarray((sums[high] - sums[low]) / (high - low))


def decay_line(samples: Audio, sample_rate: int, floor_db: float, points: int) -> Curve:
    """Return the energy decay of one channel from its onset down to a floor.

    Parameters
    ----------
    samples, sample_rate
        As `energy_decay` takes them.
    floor_db : float
        Where the line ends, in dB, below 0.
    points : int
        At most.
    """
    level = energy_decay(np.asarray(samples, np.float64), sample_rate).level
    shown = max(int(np.count_nonzero(level > floor_db)), 1)
    frames = np.unique(np.linspace(0, shown - 1, points).astype(int))
    return Curve(frames / sample_rate, level[frames])
