"""Calls of any length, for a processor of equal blocks."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, as_real, check_out
from reverb.checks import instance
from reverb.errors import InvalidAudioError


@runtime_checkable
class BlockProcessor(Protocol):
    """A processor of blocks ``(block_size, inputs)`` into blocks ``(block_size, outputs)``."""

    block_size: int
    inputs: int
    outputs: int
    latency: int
    dtype: np.dtype[Any]

    @property
    def tail(self) -> int:
        """Frames that sound after the input has ended."""

    def process(self, block: Audio, out: Audio) -> Audio:
        """Process one block."""

    def reset(self) -> None:
        """Forget all sound."""


class BlockAdapter:
    """Feed a block convolver with calls of any length, at the cost of ``block_size − 1`` frames of latency.

    No less is possible for lengths that are not known in advance: of ``n`` frames so far, complete blocks hold at least
    ``n − (block_size − 1)``. Where a sound card can be opened with the convolver's block size, or all calls have a
    multiple of it, use the convolver itself, which adds no latency.

    Parameters
    ----------
    convolver : BlockProcessor
        It belongs to the adapter from now on.

    Attributes
    ----------
    latency : int
        Frames, including the convolver's.
    """

    def __init__(self, convolver: BlockProcessor) -> None:
        self._convolver = instance("convolver", convolver, BlockProcessor, "a Convolver")  # type: ignore[type-abstract]
        self.latency = convolver.latency + convolver.block_size - 1
        self._in = np.zeros((convolver.block_size, convolver.inputs), convolver.dtype)
        self._out = np.zeros((convolver.block_size, convolver.outputs), convolver.dtype)
        self._filled = 0

    @property
    def tail(self) -> int:
        """Frames that still sound after the input has ended, without the latency."""
        return self._convolver.tail

    def process(self, frames: npt.ArrayLike, out: Audio | None = None) -> Audio:
        """Convolve any number of frames, or none, and return as many.

        Parameters
        ----------
        frames : array_like, shape (n, inputs), or (n,) if there is one input
            Any real type.
        out : ndarray of float32 or float64, shape (n, outputs), or (n,) if there is one output; optional
            May be `frames` itself.

        Raises
        ------
        InvalidAudioError
            If `frames` or `out` have another shape or type; the stream stays where it was.
        """
        inputs, outputs = self._convolver.inputs, self._convolver.outputs
        real = as_real(frames, "frames")
        flat = real.ndim == 1 and inputs == 1
        given = real[:, np.newaxis] if flat else real
        if given.ndim != 2 or given.shape[1] != inputs:
            raise InvalidAudioError(f"frames have shape {real.shape}; expected (n, {inputs})")
        shapes = ((len(given), outputs), (len(given),))[: 2 if outputs == 1 else 1]
        if out is None:
            out = np.empty(shapes[-1] if flat else shapes[0], self._out.dtype)
        else:
            check_out(out, *shapes)
        target = out[:, np.newaxis] if out.ndim == 1 else out
        done = 0
        while done < len(given):
            done += self._move(given[done:], target[done:])
        return out

    def _move(self, given: Audio, target: Audio) -> int:
        """Take frames up to the end of the block; its last frame gives the first frame of the block's result."""
        size, filled = len(self._in), self._filled
        count = min(len(given), size - filled)
        self._in[filled : filled + count] = given[:count]
        old = min(count, size - 1 - filled)
        target[:old] = self._out[filled + 1 : filled + 1 + old]
        self._filled = (filled + count) % size
        if self._filled == 0:
            self._convolver.process(self._in, self._out)
            target[count - 1] = self._out[0]
        return count

    def reset(self) -> None:
        """Forget all sound, including the convolver's."""
        self._convolver.reset()
        self._in[...] = 0
        self._out[...] = 0
        self._filled = 0
