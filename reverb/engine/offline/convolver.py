"""Offline convolution of a stream: uniformly partitioned overlap-add, in segments of many blocks, on all cores.

Input is cut on a fixed grid that depends on nothing but the position in the stream, and one FFT call always gets
the same rows. So the output is the same bits however the input is cut into calls, and however many threads work.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Complex, Real, as_float_type, as_real, check_out
from reverb.checks import instance, whole, worker_count
from reverb.engine.machine import Machine, followed
from reverb.engine.offline.blocks import Analysis, Spectra, Synthesis
from reverb.engine.offline.plan import Plan, Shape, choose, cost
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError

MEMORY = 90 << 20
"""Bytes that a streaming convolver may use, about."""

SMALL = 2e6
"""Estimated ns of work below which threads cost more than they save."""

LARGE = 2e7
"""Estimated ns of work from which on FFTW is worth loading."""

MAX_MEMORY = 1 << 62
_MAX_LENGTH = 1 << 62


class OverlapAdd:
    """Convolve a stream with a matrix of responses, in constant memory and blocks of any length.

    Most callers need only `process`. Two threads may share the work on one stream: `analyze` and `synthesize` are its
    two halves.

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
    machine : Machine, optional
        Whose FFTs are used; by default this one's (`reverb.engine.machine.here`).

    Raises
    ------
    InvalidAudioError
        If the responses are no array of that shape, or have fewer rows than the routing refers to.
    ParameterError
        If a setting is of a wrong type or out of its range, or `machine` has FFTs that this one cannot do.

    Attributes
    ----------
    inputs, outputs : int
        Channels of the blocks that go in and come out.
    tail : int
        Frames that sound after the input ends: ``taps - 1``.
    preferred_frames : int
        Frames of a segment. Calls with so many frames need no copy of the input, and each returns as many.
    plan : Plan
        The partitions, blocks and FFTs.

    Notes
    -----
    Invariant between calls: the first `_filled` frames of `_pending` are the input that does not fill a segment yet,
    and the output of all frames before them has been returned. Owned by one thread, except that `analyze` and
    `synthesize` may each have one.

    Examples
    --------
    >>> from reverb.engine.routing import each
    >>> convolver = OverlapAdd([[1.0, 0.5]], each(1), dtype="float64")
    >>> np.concatenate([convolver.process([[1.0], [0.0]]), convolver.flush()])[:, 0].round(9).tolist()
    [1.0, 0.5, 0.0]
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
        machine: Machine | None = None,
    ) -> None:
        instance("routing", routing, Routing, "a Routing, such as each(2) or matrix(2, 2)")
        rows = _checked_responses(responses, routing)
        self._dtype = as_float_type(dtype)
        length = None if length is None else whole("length", length, 0, _MAX_LENGTH, "frames")
        memory = None if memory is None else whole("memory", memory, 1, MAX_MEMORY, "bytes")
        workers = worker_count(workers) or os.cpu_count() or 1
        self.inputs, self.outputs, self.tail = routing.inputs, routing.outputs, rows.shape[1] - 1
        shape = _shape(rows.shape[1], self._dtype, routing, length)
        self.plan: Plan = _plan(shape, memory, machine)
        self.preferred_frames = self.plan.segment
        workers = workers if cost(self.plan, shape) > SMALL else 1
        free: deque[Complex] = deque()
        self._analysis = Analysis(self.plan, routing, self._dtype, workers, free)
        self._synthesis = Synthesis(self.plan, rows, routing, self._dtype, workers, free)
        self._pending: Real = np.empty((0, self.inputs), self._dtype)
        self._filled = 0

    def process(self, block: npt.ArrayLike, out: Real | None = None) -> Real:
        """Convolve a block, and return the output that is complete.

        Parameters
        ----------
        block : array_like, shape (frames, inputs)
            The next frames, none included.
        out : ndarray, shape (room, outputs), optional
            Where to write, with room for all complete output: up to ``preferred_frames - 1`` frames more than `block`
            has, from earlier calls.

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
        size = self.preferred_frames
        finished = (self._filled + len(source)) // size * size
        if out is None:
            out = np.empty((finished, self.outputs), self._dtype)
        else:
            out = out[:finished] if isinstance(out, np.ndarray) and out.ndim else out
            check_out(out, (finished, self.outputs))
        for number, piece in enumerate(self._segments(source)):
            self.synthesize(self._analysis.transform(piece), out[number * size : (number + 1) * size])
        return out

    def flush(self, out: Real | None = None) -> Real:
        """Return the rest, with the tail of ``taps - 1`` frames, and be as newly built.

        Parameters
        ----------
        out : ndarray, shape (frames, outputs), optional
            Where to write.

        Returns
        -------
        ndarray, shape (frames, outputs)
            So that all output together has as many frames as all input and the tail.
        """
        last = self.analyze(self._pending[: self._filled])
        return self._flush(last, out)

    def finish(self) -> Real:
        """Call `flush`, which this was named before."""
        warnings.warn("OverlapAdd.finish is now OverlapAdd.flush", DeprecationWarning, stacklevel=2)
        return self.flush()

    def analyze(self, block: Real) -> Spectra:
        """Transform a segment of input: the first half of `process`.

        Parameters
        ----------
        block : array_like, shape (frames, inputs)
            `preferred_frames` of them, or fewer at the end of the stream.

        Raises
        ------
        InvalidAudioError
            If it has another shape or type.
        """
        source = self._checked(block)
        if len(source) > self.preferred_frames:
            raise InvalidAudioError(
                f"block has {len(source)} frames; expected at most {self.preferred_frames}"
            )
        return self._analysis.transform(source)

    def synthesize(self, spectra: Spectra, out: Real) -> Real:
        """Make a segment of output, shape (preferred_frames, outputs), from a full one of input: the second half.

        Raises
        ------
        InvalidAudioError
            If the segment of input is not full, or `out` has another shape or type.
        """
        if spectra.frames != self.preferred_frames:
            raise InvalidAudioError(
                f"spectra of {spectra.frames} frames; expected {self.preferred_frames}, or flush_segments for the last"
            )
        check_out(out, (self.preferred_frames, self.outputs))
        self._synthesis.take(spectra)
        self._synthesis.make(self.plan.segment_blocks, out)
        return out

    def flush_segments(self, last: Spectra, room: Callable[[int], Real]) -> Iterator[Real]:
        """Make the rest of the output in pieces of at most `preferred_frames`, and be as newly built.

        Parameters
        ----------
        last : Spectra
            Of the last frames of input, fewer than a segment, perhaps none.
        room : callable
            Takes a number of frames, returns the array (frames, outputs) in which to write them.
        """
        synthesis, frames = self._synthesis, last.frames + self.tail
        synthesis.take(last)
        left = synthesis.arrived + self.plan.partitions - 1 - synthesis.done if synthesis.arrived else 0
        while left > 0 and frames > 0:
            blocks = min(left, self.plan.segment_blocks)
            out = room(min(blocks * self.plan.block, frames))
            synthesis.make(blocks, out)
            left, frames = left - blocks, frames - len(out)
            yield out
        position = 0
        while position < frames:  # no block begins here any more, but the last ones reach this far
            out = room(min(self.preferred_frames, frames - position))
            out[:] = synthesis.carried(slice(position, position + len(out))) if synthesis.arrived else 0
            position += len(out)
            yield out
        self.reset()

    def _flush(self, last: Spectra, out: Real | None) -> Real:
        frames = last.frames + self.tail
        if out is None:
            out = np.empty((frames, self.outputs), self._dtype)
        check_out(out, (frames, self.outputs))
        position = 0

        def room(count: int) -> Real:
            nonlocal position
            position += count
            return out[position - count : position]

        for _ in self.flush_segments(last, room):
            pass
        return out

    def convolve(self, signal: npt.ArrayLike, out: Real) -> Real:
        """Reset, and convolve a complete signal.

        Parameters
        ----------
        signal : array_like, shape (frames, inputs)
        out : ndarray, shape (frames + tail, outputs)
            Receives the result.
        """
        source = self._checked(signal)
        check_out(out, (len(source) + self.tail, self.outputs))
        self.reset()
        size = self.preferred_frames
        full = len(source) // size * size
        for start in range(0, full, size):
            self.synthesize(self._analysis.transform(source[start : start + size]), out[start : start + size])
        self._flush(self.analyze(source[full:]), out[full:])
        return out

    def reset(self) -> None:
        """Forget all input, as if newly built."""
        self._filled = 0
        self._synthesis.reset()

    def _checked(self, block: npt.ArrayLike) -> Real:
        source = as_real(block, "block")
        if source.ndim != 2 or source.shape[1] != self.inputs:
            raise InvalidAudioError(f"block has shape {source.shape}; expected (frames, {self.inputs})")
        return source.astype(self._dtype, copy=False)

    def _segments(self, source: Real) -> Iterator[Real]:
        """Yield full segments of input, as views of `source` where possible; the rest waits for the next call."""
        used, size = 0, self.preferred_frames
        while self._filled + len(source) - used >= size:
            if self._filled == 0:
                piece = source[used : used + size]
                used += size
            else:
                used += self._collect(source[used : used + size - self._filled])
                piece, self._filled = self._pending, 0
            yield piece
        self._collect(source[used:])

    def _collect(self, piece: Real) -> int:
        """Append to the pending frames, and return how many."""
        if len(piece) and len(self._pending) == 0:
            self._pending = np.empty((self.preferred_frames, self.inputs), self._dtype)
        self._pending[self._filled : self._filled + len(piece)] = piece
        self._filled += len(piece)
        return len(piece)


def _checked_responses(responses: npt.ArrayLike, routing: Routing) -> Real:
    rows: Real = as_real(responses, "responses")
    if rows.ndim != 2 or rows.shape[1] < 1:
        raise InvalidAudioError(
            f"responses have shape {rows.shape}; expected (rows, taps) with at least one tap"
        )
    if rows.shape[0] < routing.responses:
        raise InvalidAudioError(
            f"responses have shape {rows.shape}; expected at least {routing.responses} rows, as the routing names"
        )
    if rows.size and not np.isfinite([rows.min(), rows.max()]).all():
        raise InvalidAudioError("responses hold NaN or infinity; repair the source")
    return rows


def _plan(shape: Shape, memory: int | None, machine: Machine | None) -> Plan:
    """Choose a plan; consider FFTW only for long work, because it takes a tenth of a second to load."""
    plan = choose(shape, memory)
    if cost(plan, shape) <= LARGE:
        return plan
    return choose(shape, memory, followed(machine).sizes(shape.itemsize))


def _shape(taps: int, dtype: np.dtype[Any], routing: Routing, length: int | None) -> Shape:
    paths = routing.paths
    inputs, used = {path.input for path in paths}, {path.response for path in paths}
    return Shape(taps, length, len(inputs), routing.outputs, len(paths), len(used), dtype.itemsize)
