"""The points to draw in pictures of sound: outlines, spectra and decay curves, no more than a screen can show."""

from typing import NamedTuple

import numpy as np

from reverb.arrays import Audio, Double
from reverb.responses.decay.decay import energy_decay

_SEGMENT_SECONDS = 0.35  # of a spectrum, for bins of 3 Hz
_MIN_SEGMENT = 64  # frames


class Curve(NamedTuple):
    """Points of a line: seconds or Hz, and dB; both of shape (points,)."""

    x: Double
    y: Double


class Outline(NamedTuple):
    """Minimum and maximum of a sound over all channels, in equal periods; both of shape (moments,)."""

    low: Double
    high: Double


def outline(sound: Audio, moments: int, seconds: float, sample_rate: int) -> Outline:
    """Return the minimum and maximum of a sound in equal periods.

    Parameters
    ----------
    sound : ndarray, shape (frames, channels)
    moments : int
        Number of periods.
    seconds : float
        Total length of the periods; after the end of the sound there is silence.
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


def spectrum(sound: Audio, sample_rate: int, points: Double, octaves: float) -> Curve:
    """Return the smoothed mean power spectrum of a sound, by Welch's method (1967).

    Parameters
    ----------
    sound : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.
    points : ndarray, shape (n,)
        Frequencies in Hz, rising; those beyond the Nyquist frequency are left out.
    octaves : float
        Width of the smoothing.

    Returns
    -------
    Curve
        Power in bands of that width, in dB; 0 dB is a sine at full scale, −200 the minimum. The segments overlap by
        half, under a Hann window.
    """
    size = 1 << round(np.log2(max(sample_rate * _SEGMENT_SECONDS, _MIN_SEGMENT)))
    window = np.hanning(size)
    padded = np.pad(sound, ((0, max(0, size - len(sound))), (0, 0)))
    starts = range(0, len(padded) - size + 1, size // 2)
    power = np.zeros(size // 2 + 1)
    for start in starts:
        segment = padded[start : start + size] * window[:, np.newaxis]
        power += (np.abs(np.fft.rfft(segment, axis=0)) ** 2).mean(axis=1)
    # The power of a sine is half the square of its peak, and half of that on each side of the spectrum.
    power *= 4 / (len(starts) * size * (window @ window))
    frequencies = np.asarray(np.fft.rfftfreq(size, 1 / sample_rate), np.float64)
    shown = points[points < sample_rate / 2]
    width = shown * (2 ** (octaves / 2) - 2 ** (-octaves / 2)) * size / sample_rate
    total = smoothed(power, frequencies, shown, octaves) * np.maximum(width, 1.0)
    return Curve(shown, 10 * np.log10(np.maximum(total, 1e-20)))


def smoothed(power: Double, frequencies: Double, points: Double, octaves: float) -> Double:
    """Return a power spectrum averaged over a width in octaves around each point."""
    half = 2 ** (octaves / 2)
    low = np.searchsorted(frequencies, points / half)
    high = np.maximum(np.searchsorted(frequencies, points * half), low + 1)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    high = np.minimum(high, len(power))
    low = np.minimum(low, high - 1)
    return np.asarray((sums[high] - sums[low]) / (high - low))


def decay_line(samples: Audio, sample_rate: int, floor_db: float, points: int) -> Curve:
    """Return the energy decay of one channel, from its onset down to a floor.

    Parameters
    ----------
    samples, sample_rate
        See `energy_decay`.
    floor_db : float
        Level at which the line ends, in dB, below 0.
    points : int
        Maximum number of points.
    """
    level = energy_decay(np.asarray(samples, np.float64), sample_rate).level
    shown = max(int(np.count_nonzero(level > floor_db)), 1)
    frames = np.unique(np.linspace(0, shown - 1, points).astype(int))
    return Curve(frames / sample_rate, level[frames])
