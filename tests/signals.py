"""Test signals, each the same at every call."""

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]


def noise(frames: int, channels: int = 2, seed: int = 0, peak: float = 0.5) -> Signal:
    """White noise of uniform density, shape (frames, channels)."""
    return np.random.default_rng(seed).uniform(-peak, peak, (frames, channels))


def pink(sample_rate: int, seconds: float, channels: int = 2, seed: int = 0) -> Signal:
    """Pink noise from 20 Hz to 20 kHz, peak 0.25, shape (frames, channels)."""
    frames = round(sample_rate * seconds)
    frequencies = np.fft.rfftfreq(frames, 1 / sample_rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((frames, channels)), axis=0)
    spectrum[1:] /= np.sqrt(frequencies[1:, np.newaxis])
    spectrum[(frequencies < 20) | (frequencies > 20_000)] = 0
    x = np.fft.irfft(spectrum, frames, axis=0)
    return 0.25 * x / np.abs(x).max()


def tone(frequency: float, sample_rate: int, seconds: float = 1.0, peak: float = 0.5) -> Signal:
    """A sine, shape (frames,)."""
    return peak * np.sin(2 * np.pi * frequency / sample_rate * np.arange(round(sample_rate * seconds)))


def decaying(frames: int, rows: int = 1, seed: int = 1) -> Signal:
    """Noise that decays by 60 dB, like a room, shape (frames, rows)."""
    envelope = 10 ** (-3 * np.arange(frames) / frames)
    return noise(frames, rows, seed) * envelope[:, np.newaxis]
