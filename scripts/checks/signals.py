"""Test signals and reference computations, in float64."""

import numpy as np
import numpy.typing as npt
from scipy.signal import oaconvolve

Signal = npt.NDArray[np.float64]
RATE = 48_000


def noise(frames: int, channels: int = 2, seed: int = 0) -> Signal:
    """Return white noise within ±0.5, shape (frames, channels)."""
    return np.random.default_rng(seed).random((frames, channels)) - 0.5


def room(frames: int, channels: int = 2, seed: int = 1) -> Signal:
    """Return noise that decays by 60 dB, with a gain of a decibel or two, shape (frames, channels)."""
    fall = 10 ** np.linspace(0, -3, frames)[:, np.newaxis]
    return np.asarray(noise(frames, channels, seed) * fall * (8 / np.sqrt(frames)))


def sine(frequency: float, seconds: float = 1.0, rate: int = RATE, peak: float = 0.5) -> Signal:
    """Return a tone, shape (frames,)."""
    return peak * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def pink(seconds: float, channels: int = 2, rate: int = RATE, seed: int = 0) -> Signal:
    """Return pink noise from 20 Hz to 20 kHz with an RMS of 0.05, shape (frames, channels)."""
    frames = round(seconds * rate)
    frequencies = np.fft.rfftfreq(frames, 1 / rate)
    heard = (frequencies >= 20) & (frequencies <= 20_000)
    slope = np.where(heard, 1 / np.sqrt(np.maximum(frequencies, 20)), 0)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((frames, channels)), axis=0)
    sound = np.fft.irfft(spectrum * slope[:, np.newaxis], frames, axis=0)
    return np.asarray(0.05 * sound / sound.std())


def convolved(x: npt.ArrayLike, h: npt.ArrayLike) -> Signal:
    """Return the convolution per channel, by SciPy in float64."""
    return np.asarray(oaconvolve(np.asarray(x, np.float64), np.asarray(h, np.float64), axes=0))


def spectrum(
    samples: npt.ArrayLike, frequencies: Signal, rate: int, latency: int = 0
) -> npt.NDArray[np.complex128]:
    """Return the Fourier sum of one channel at any frequencies in Hz, time zero at frame `latency`.

    The sum is ``Σ h[n] exp(−j 2π f (n − latency) / rate)``; long responses are summed in pieces.
    """
    taps = np.asarray(samples, np.float64).ravel()
    total = np.zeros(len(frequencies), np.complex128)
    for start in range(0, len(taps), 4096):
        piece = taps[start : start + 4096]
        times = (start + np.arange(len(piece)) - latency) / rate
        total += np.exp(-2j * np.pi * np.outer(frequencies, times)) @ piece
    return total


def decibels(gain: npt.ArrayLike) -> Signal:
    """Return the absolute value of a gain in dB, at least −400."""
    return np.asarray(20 * np.log10(np.maximum(np.abs(gain), 1e-20)))


def null(actual: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return the peak of the difference in dB relative to the expected peak; infinite if the shapes differ."""
    ours, theirs = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if ours.shape != theirs.shape:
        return np.inf
    difference = np.abs(ours - theirs).max()
    return float(20 * np.log10(difference / np.abs(theirs).max())) if difference else -np.inf
