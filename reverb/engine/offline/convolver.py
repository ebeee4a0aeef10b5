"""Offline convolution of a stream: uniformly partitioned overlap-add, in rounds of many blocks, on all cores.

Input is cut on a fixed grid that depends on nothing but the position in the stream, and one FFT call always gets
the same rows. So the output is the same bits however the input is cut into calls, and however many threads work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_real, check_out
from reverb.engine.fft import Real, fftw_sizes
from reverb.engine.offline.plan import Plan, Shape, choose, cost
from reverb.engine.offline.rounds import Rounds
from reverb.engine.relay import relay
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError

MEMORY = 90 << 20
"""Bytes that a streaming convolver may use, about."""

SMALL = 2e6
"""Estimated ns of work below which threads cost more than they save."""

LARGE = 2e7
"""Estimated ns of work from which on FFTW is worth loading."""


class OverlapAdd:
    """Convolve a stream with a matrix of responses, in constant memory and blocks of any length.

    Parameters
    ----------
    responses : array_like, shape (rows, taps)
        Real impulse responses, to which the paths of `routing` refer by row. Not copied, so they must not change while
        the convolver lives.
    routing : Routing
        Which input feeds which output through which row.
    dtype : float32 or float64
        Of the arithmetic and the output.
    length : int, optional
        Expected frames of input, for the choice of a plan; more or fewer may come.
    workers : int, optional
        Threads to compute with; as many as cores by default.
    memory : int or None
        Bytes to stay under where a plan can; None for no limit.
    ahead : int
        Rounds of `preferred_frames` by which `take` may run ahead of `give`, so that two threads share the work.

    Attributes
    ----------
    inputs, outputs : int
        Channels of the blocks that go in and come out.
    tail : int
        Frames that sound after the input ends: ``taps - 1``.
    preferred_frames : int
        Frames per call that spare a copy of the input; each such call returns as many.
    plan : Plan
        How the work is cut.

    Notes
    -----
    Invariant between calls: the first `_filled` frames of `_pending` are the input that does not fill a round yet, and
    the output of all before them has been returned or waits for `give`. Owned by one thread at a time, but for `take`
    and `give`, which may each have one.
    """

    def __init__(
        self,
        responses: npt.ArrayLike,
        routing: Routing,
        *,
        dtype: npt.DTypeLike = np.float32,
        length: int | None = None,
        workers: int | None = None,
        memory: int | None = MEMORY,
        ahead: int = 0,
    ) -> None:
        rows: Real = np.asarray(responses)
        self._dtype = np.dtype(dtype)
        assert rows.ndim == 2, rows.shape
        assert rows.shape[1] >= 1, rows.shape
        assert rows.shape[0] >= routing.responses, (rows.shape, routing)
        assert self._dtype in (np.float32, np.float64), dtype
        self.inputs, self.outputs, self.tail = routing.inputs, routing.outputs, rows.shape[1] - 1
        shape = _shape(rows.shape[1], self._dtype, routing, length, ahead)
        self.plan: Plan = _plan(shape, memory)
        self.preferred_frames = self.plan.round
        worthwhile = cost(self.plan, shape) > SMALL
        workers = (workers or os.cpu_count() or 1) if worthwhile else 1
        self._rounds = Rounds(self.plan, rows, routing, self._dtype, workers)
        self._pending: Real = np.empty((0, self.inputs), self._dtype)
        self._filled = 0

    def process(self, block: npt.ArrayLike, out: Real | None = None) -> Real:
        """Take in a block and return what is finished.

        Parameters
        ----------
        block : array_like, shape (frames, inputs)
            The next frames, none included. Any real type.
        out : ndarray of float32 or float64, shape (room, outputs), optional
            Where to write, with room for what will be finished: up to ``preferred_frames - 1`` frames from earlier
            calls more than `block` holds.

        Returns
        -------
        ndarray, shape (frames, outputs)
            The next frames of output, a multiple of `preferred_frames`, often none; the head of `out`, or a new array.

        Raises
        ------
        InvalidAudioError
            If `block` or `out` has another shape or type; the stream stays where it was.
        """
        source = self._checked(block)
        size = self.plan.round
        finished = (self._filled + len(source)) // size * size
        if out is None:
            out = np.empty((finished, self.outputs), self._dtype)
        else:
            out = out[:finished] if isinstance(out, np.ndarray) and out.ndim else out
            check_out(out, (finished, self.outputs))
        for position, piece in enumerate(self._full_rounds(source)):
            self._rounds.transform(piece)
            self._rounds.finish(out[position * size : (position + 1) * size])
        return out

    def take(self, block: npt.ArrayLike) -> int:
        """Take in a block, the first half of `process`; return how many rounds of output may be drawn for it."""
        rounds = 0
        for piece in self._full_rounds(self._checked(block)):
            self._rounds.transform(piece)
            rounds += 1
        return rounds

    def give(self, out: Real) -> Real:
        """Write the next round of output to `out`, shape (preferred_frames, outputs), and return it."""
        check_out(out, (self.plan.round, self.outputs))
        self._rounds.finish(out)
        return out

    def _full_rounds(self, source: Real) -> Iterator[Real]:
        """Give full rounds of input, where they lie if possible; what is left over waits for the next call."""
        used, size = 0, self.plan.round
        while self._filled + len(source) - used >= size:
            if self._filled == 0:  # a whole round lies in the caller's array
                piece = source[used : used + size]
                used += size
            else:
                used += self._collect(source[used : used + size - self._filled])
                piece, self._filled = self._pending, 0
            yield piece
        self._collect(source[used:])

    def finish(self) -> Real:
        """Return the rest, with the tail of ``taps - 1`` frames, and be as newly built.

        Returns
        -------
        ndarray, shape (frames, outputs)
            So that all output together has as many frames as all input and the tail.
        """
        out = np.empty((self._filled + self.tail, self.outputs), self._dtype)
        for _ in self._end(self._pending[: self._filled], _slices(out)):
            pass
        return out

    def drain(self) -> Iterator[Real]:
        """Give what `finish` returns in pieces of at most `preferred_frames`, each a new array."""
        yield from self._end(
            self._pending[: self._filled], lambda frames: np.empty((frames, self.outputs), self._dtype)
        )

    def _end(self, source: Real, room: Callable[[int], Real]) -> Iterator[Real]:
        self._rounds.transform(source)
        yield from self._rounds.finish_all(len(source) + self.tail, room)
        self.reset()

    def whole(self, signal: npt.ArrayLike, out: Real) -> None:
        """Convolve a whole signal at once, with a new stream of its own.

        Parameters
        ----------
        signal : array_like, shape (frames, inputs)
        out : ndarray, shape (frames + tail, outputs)
            Receives the result.
        """
        source = self._checked(signal)
        check_out(out, (len(source) + self.tail, self.outputs))
        self.reset()
        size, rounds = self.plan.round, -(-len(source) // self.plan.round)
        last = max(rounds - 1, 0)

        def transform(n: int) -> None:
            self._rounds.transform(source[n * size : (n + 1) * size])

        def finish(n: int) -> None:
            if n < last:
                self._rounds.finish(out[n * size : (n + 1) * size])

        relay(transform, finish, rounds, self.plan.ahead)
        for _ in self._rounds.finish_all(len(out) - last * size, _slices(out[last * size :])):
            pass
        self.reset()

    def reset(self) -> None:
        """Forget all input, as if newly built."""
        self._filled = 0
        self._rounds.reset()

    def _checked(self, block: npt.ArrayLike) -> Real:
        source = as_real(block, "block")
        if source.ndim != 2 or source.shape[1] != self.inputs:
            raise InvalidAudioError(f"block has shape {source.shape}; expected (frames, {self.inputs})")
        return source.astype(self._dtype, copy=False)

    def _collect(self, piece: Real) -> int:
        """Append to the pending frames, and return how many."""
        if len(piece) and len(self._pending) == 0:
            self._pending = np.empty((self.plan.round, self.inputs), self._dtype)
        self._pending[self._filled : self._filled + len(piece)] = piece
        self._filled += len(piece)
        return len(piece)


def _slices(out: Real) -> Callable[[int], Real]:
    """Return a function that gives the next so many frames of `out`."""
    position = 0

    def following(frames: int) -> Real:
        nonlocal position
        position += frames
        return out[position - frames : position]

    return following


def _plan(shape: Shape, memory: int | None) -> Plan:
    """Choose a plan; with FFTW, if it is there, where the work is worth loading it."""
    plan = choose(shape, memory)
    return choose(shape, memory, fftw_sizes(shape.itemsize)) if cost(plan, shape) > LARGE else plan


def _shape(taps: int, dtype: np.dtype[Any], routing: Routing, length: int | None, ahead: int) -> Shape:
    paths = routing.paths
    inputs, used = {path.input for path in paths}, {path.response for path in paths}
    return Shape(taps, length, len(inputs), routing.outputs, len(paths), len(used), dtype.itemsize, ahead)
