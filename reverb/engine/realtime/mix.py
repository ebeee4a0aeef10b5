"""Levels that move without zipper noise, and the dry path beside a real-time convolver.

Blocks are ``(channels, block_size)`` here. Nothing in `Ramp.advance` or `Mixer.process` creates an array.
"""

from typing import Any

import numpy as np

from reverb.arrays import Array


class Ramp:
    """A gain that moves to each new target in a straight line, sample by sample.

    Attributes
    ----------
    value : float
        The gain after the last block.
    gains : ndarray, (block_size,)
        Of the last block.
    """

    def __init__(self, value: float, frames: int, block_size: int, dtype: np.dtype[Any]) -> None:
        self.value = self._target = value
        self.gains = np.full(block_size, value, dtype)
        self._frames, self._left, self._step = max(1, frames), 0, 0.0
        self._counts = np.arange(1, block_size + 1, dtype=dtype)

    def advance(self, target: float) -> None:
        """Move by one block, towards `target`."""
        if target != self._target:
            self._target, self._left = target, self._frames
            self._step = (target - self.value) / self._frames
        size = len(self.gains)
        if self._left > size:
            np.multiply(self._counts, self._step, self.gains)
            np.add(self.gains, self.value, self.gains)
            self.value += self._step * size
            self._left -= size
            return
        if self._left:
            np.multiply(self._counts, self._step, self.gains)
            np.add(self.gains, self.value, self.gains)
        self.gains[max(0, self._left - 1) :] = target
        self.value, self._left = target, 0

    def settle(self, value: float) -> None:
        """Jump to `value`."""
        self.value = self._target = value
        self._left = 0


class Delay:
    """A signal some frames late: the dry path of a response that begins before its time zero."""

    def __init__(self, frames: int, channels: int, block_size: int, dtype: np.dtype[Any]) -> None:
        self._past = np.zeros((channels, frames + block_size), dtype)
        self._frames, self._size, self._at = frames, block_size, 0

    def process(self, block: Array, out: Array) -> None:
        """Store `block`, and fill `out` with the input of `frames` earlier."""
        past, length = self._past, self._past.shape[1]
        self._transfer(past, self._at, block, write=True)
        self._transfer(past, (self._at - self._frames) % length, out, write=False)
        self._at = (self._at + self._size) % length

    def _transfer(self, past: Array, start: int, block: Array, *, write: bool) -> None:
        first = min(self._size, past.shape[1] - start)
        for part, inner in (
            (slice(start, start + first), slice(first)),
            (slice(self._size - first), slice(first, None)),
        ):
            if write:
                past[:, part] = block[:, inner]
            else:
                block[:, inner] = past[:, part]

    def clear(self) -> None:
        """Forget all sound."""
        self._past[...] = 0


class Mixer:
    """Add the dry signal to the wet one, each at a level of its own.

    One dry channel goes to every output; of several, each goes to the output of its number, where there is one.

    Attributes
    ----------
    wet, dry : float
        Linear gains. May be set at any time and from any thread; the ramp begins with the next block.
    """

    def __init__(
        self, wet: float, dry: float, ramp: int, shape: tuple[int, int, int], dtype: np.dtype[Any]
    ) -> None:
        inputs, outputs, block_size = shape
        self.wet, self.dry = wet, dry
        self._wet, self._dry = Ramp(wet, ramp, block_size, dtype), Ramp(dry, ramp, block_size, dtype)
        self._shared = outputs if inputs == 1 else min(inputs, outputs)
        self._scaled = np.zeros((self._shared, block_size), dtype)

    @property
    def neutral(self) -> bool:
        """Whether the wet signal passes unchanged and alone."""
        return self.wet == 1 == self._wet.value and self.dry == 0 == self._dry.value

    def process(self, signal: Array, dry: Array) -> None:
        """Mix `dry` ``(inputs, block_size)`` into the wet `signal` ``(outputs, block_size)``."""
        if self.wet != self._wet.value or self.dry != self._dry.value:
            self._wet.advance(self.wet)
            self._dry.advance(self.dry)
            np.multiply(signal, self._wet.gains, signal)
            self._add(signal, dry, self._dry.gains)
            return
        if self.wet != 1:
            np.multiply(signal, self.wet, signal)
        if self.dry != 0:
            self._add(signal, dry, self.dry)

    def _add(self, signal: Array, dry: Array, gain: Array | float) -> None:
        shared = signal[: self._shared]
        np.multiply(dry[: self._shared], gain, self._scaled)
        np.add(shared, self._scaled, shared)

    def settle(self) -> None:
        """Jump to the set levels."""
        self._wet.settle(self.wet)
        self._dry.settle(self.dry)
