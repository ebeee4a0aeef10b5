"""Convolution of a stream, block by block, without latency: each call returns the result of its own block.

Non-uniformly partitioned overlap-save in one thread. The plan (`reverb.engine.realtime.plan`) distributes the work over
the blocks, the stages (`reverb.engine.realtime.stages`) prepare it as calls without arguments, and
`RealtimeConvolver.process` runs through them. A block creates no array.
"""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array
from reverb.engine.fft import BackendName, Step, backend
from reverb.engine.machine import Machine, here
from reverb.engine.realtime.delay_line import Scratch
from reverb.engine.realtime.plan import Plan, plan_partitions
from reverb.engine.realtime.schedule import Shape
from reverb.engine.realtime.stages import BuildContext, Head, HeadSlot, Schedule, Tail
from reverb.engine.routing import Routing
from reverb.errors import ParameterError

add = np.add


class RealtimeConvolver:
    """Convolve a stream of equal blocks with a matrix of responses.

    Owned by one thread. The constructor allocates and plans everything, and runs one block.

    Parameters
    ----------
    responses : ndarray, shape (rows, taps)
        The impulse responses that the paths refer to.
    routing : Routing
        Which input feeds which output through which row; a path that is not listed costs nothing.
    block_size : int
        Frames per block, at least 1. Powers of two cost the least, sizes with a large prime factor the most.
    dtype : float32 or float64
        Of the blocks and of all arithmetic except the response's own transform, which is in double precision.
    fft : {'fftw', 'pocketfft', 'numpy'} or None
        The FFT backend; None takes the fastest that is installed.
    machine : Machine, optional
        Whose costs decide about the plan; by default this one's (`reverb.engine.machine.here`).

    Attributes
    ----------
    plan : Plan
        The stages and the work of every slot.
    block_size, latency, tail : int
        Frames; `latency` is 0, `tail` is ``taps − 1``.
    routing : Routing
    dtype : numpy.dtype

    Notes
    -----
    Invariant: before block ``t``, `_places` yields the part of the input history where the block goes, the tails'
    hand-off holds everything that the head needs for block ``t``, and each schedule yields the steps of slot ``t``.
    """

    latency = 0

    def __init__(
        self,
        responses: Array,
        routing: Routing,
        block_size: int,
        dtype: npt.DTypeLike = np.float32,
        *,
        fft: BackendName | None = None,
        machine: Machine | None = None,
    ) -> None:
        if block_size < 1:
            raise ParameterError(f"block_size is {block_size}; expected at least 1 frame")
        rows, taps = responses.shape
        assert rows >= routing.responses, (rows, routing)
        self.routing, self.block_size = routing, block_size
        self.tail: int = taps - 1
        self.dtype = np.dtype(dtype)
        transforms = backend(fft)
        costs = (machine or here()).costs(transforms.name)
        self.plan: Plan = plan_partitions(block_size, taps, Shape.of(routing), costs)
        self._history = np.zeros((routing.inputs, self.plan.stages[-1].size), self.dtype)
        scratch = Scratch(_scratch_size(self.plan), np.result_type(self.dtype, np.complex64))
        context = BuildContext(
            self.plan, _without_denormals(responses, self.dtype), routing, transforms, scratch, self.dtype
        )
        self._head = Head(context)
        self._tails = [Tail(stage, context) for stage in self.plan.stages[1:]]
        transforms.keep()
        self._tail_schedules, self._head_schedule = self._prepare()
        self._slots = np.split(self._history, self.plan.period, axis=1)
        self._tail_slots: list[Iterator[tuple[Step, ...]]]
        self._head_slots: Iterator[HeadSlot]
        self._places: Iterator[Array]
        self._silence = np.zeros((routing.inputs, block_size), self.dtype)
        self._sink = np.zeros((routing.outputs, block_size), self.dtype)
        self.reset()
        self.process(self._silence, self._sink)
        self.reset()

    def _prepare(self) -> tuple[list[Schedule], list[HeadSlot]]:
        schedules: list[Schedule] = []
        larger, size = None, 0
        for tail in reversed(self._tails):
            ratio = size // tail.stage.size if larger is not None else 1
            schedules.append(tail.schedule(self._history, larger, ratio))
            larger, size = tail.handoff, tail.stage.size
        return schedules, self._head.schedule(larger, size // self.block_size or 1)

    def process(self, block: Array, out: Array) -> None:
        """Convolve one block.

        Parameters
        ----------
        block : ndarray, shape (inputs, block_size)
            Any strides; finite.
        out : ndarray, shape (outputs, block_size)
            Receives the result. May be `block` itself.
        """
        next(self._places)[...] = block
        for slots in self._tail_slots:
            for step in next(slots):
                step()
        inlet, steps, result, share = next(self._head_slots)
        inlet[...] = block
        for step in steps:
            step()
        if share is None:
            out[...] = result
        else:
            add(result, share, out)

    def reset(self) -> None:
        """Forget all sound, as newly built."""
        self._history[...] = 0
        self._head.clear()
        for tail in self._tails:
            tail.clear()
        # Not `cycle`, which would copy its input. A schedule's first entry completes a partition, and is skipped.
        self._tail_slots = [chain.from_iterable(repeat(schedule)) for schedule in self._tail_schedules]
        self._head_slots = chain.from_iterable(repeat(self._head_schedule))
        self._places = chain.from_iterable(repeat(self._slots))
        for slots in self._tail_slots:
            next(slots)

    def take_apart(self) -> None:
        """Free its thousands of prepared steps one by one, after its last use.

        Freed all at once, they would keep the interpreter's lock, and an audio thread waiting, for milliseconds.
        """
        self._tail_slots, self._head_slots = [], iter(())
        everything: tuple[list[Any], ...] = (*self._tail_schedules, self._head_schedule)
        for calls in everything:
            while calls:
                calls.pop()


def _without_denormals(responses: Array, dtype: np.dtype[Any]) -> Array:
    """Clear samples below the square of the rounding error: a long decay would end in denormals, which are slow."""
    floor = float(np.finfo(dtype).eps) ** 2 * np.abs(responses).max()
    return np.where(np.abs(responses) < floor, 0, responses)


def _scratch_size(plan: Plan) -> int:
    """Return the number of complex numbers in the largest product of any step."""
    size = 1
    for stage in plan.stages:
        for group in plan.shape.groups:
            widest = max((batch.stop - batch.start for batch in stage.batches(group)), default=0)
            size = max(size, group.paths * stage.rows * widest, group.paths * group.outputs * stage.columns)
    return size
