"""Test signals, each the same at every call, and the independent references they are convolved with."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reverb.engine.routing import Routing

Array = npt.NDArray[Any]
Signal = npt.NDArray[np.float64]


class TakesBlocks(Protocol):
    """Anything that turns one block of `block_size` frames, shape (frames, channels), into another."""

    @property
    def block_size(self) -> int: ...

    def process(self, block: Array, /) -> Array: ...


def noise(frames: int, channels: int = 2, seed: int = 0, peak: float = 0.5) -> Signal:
    """White noise of uniform density, shape (frames, channels)."""
    return np.random.default_rng(seed).uniform(-peak, peak, (frames, channels))


def gaussian(*shape: int, seed: int = 0, dtype: npt.DTypeLike = np.float64) -> Array:
    """Gaussian noise of any shape and type, standard deviation 1."""
    x: Array = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return x


def pink(sample_rate: int, seconds: float, channels: int = 2, seed: int = 0) -> Signal:
    """Pink noise from 20 Hz to 20 kHz, peak 0.25, shape (frames, channels)."""
    frames = round(sample_rate * seconds)
    frequencies = np.fft.rfftfreq(frames, 1 / sample_rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((frames, channels)), axis=0)
    spectrum[1:] /= np.sqrt(frequencies[1:, np.newaxis])
    spectrum[(frequencies < 20) | (frequencies > 20_000)] = 0
    x: Signal = np.fft.irfft(spectrum, frames, axis=0)
    return 0.25 * x / float(np.abs(x).max())


def tone(frequency: float, sample_rate: int, seconds: float = 1.0, peak: float = 0.5) -> Signal:
    """A sine, shape (frames,)."""
    x: Signal = peak * np.sin(2 * np.pi * frequency / sample_rate * np.arange(round(sample_rate * seconds)))
    return x


def decaying(frames: int, rows: int = 1, seed: int = 1) -> Signal:
    """Noise that decays by 60 dB, like a room, shape (frames, rows)."""
    envelope: Signal = 10 ** (-3 * np.arange(frames) / frames)
    return noise(frames, rows, seed) * envelope[:, np.newaxis]


def direct(x: Array, responses: Array, routing: Routing) -> Signal:
    """Sum the direct convolutions of all paths, in float64.

    `x` has shape (frames, inputs), `responses` (rows, taps); the result has shape (frames + taps − 1, outputs).
    """
    y = np.zeros((len(x) + responses.shape[1] - 1, routing.outputs))
    for path in routing.paths:
        if len(x):
            y[:, path.output] += np.convolve(
                x[:, path.input].astype(np.float64), responses[path.response].astype(np.float64)
            )
    return y


def stream(convolver: TakesBlocks, x: Array) -> Array:
    """Run `x`, time on axis 0, through a convolver block by block; the last block may be short if it allows that."""
    size = convolver.block_size
    return np.concatenate([convolver.process(x[n : n + size]) for n in range(0, len(x), size)])


def pieces(x: Array, cuts: Sequence[int]) -> list[Array]:
    """Cut `x` along axis 0 at the given frames, in any order; cuts beyond its end give empty pieces."""
    return np.split(x, sorted(min(cut, len(x)) for cut in cuts))
