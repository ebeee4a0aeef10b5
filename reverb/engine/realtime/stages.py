"""The arrays of a real-time stage, and its work as lists of prepared steps.

Everything that a block will do is decided here, once: each step is a call without arguments, bound to views of fixed
arrays, and a block runs through a short tuple of them.

Two sign conventions make it unnecessary to shift buffers. A stage's time buffer holds two partitions, and the newest
input is written over the older half, so that the window is rotated by one partition every second time. A
rotation by half its length turns the sign of every odd bin. Response partition ``p`` carries that sign ``p``
times, so that all products of a sum agree; the sum comes back rotated as the newest window is, and its valid
half (overlap-save) is the half that was written to last.
"""

from collections.abc import Iterator
from functools import partial
from math import lcm
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from reverb.arrays import Array, aligned_zeros
from reverb.engine import fft
from reverb.engine.fft import Backend, Step
from reverb.engine.realtime.delay_line import FrequencyDelayLine, OutputGroup, Scratch, copy
from reverb.engine.realtime.plan import Plan
from reverb.engine.realtime.schedule import Stage, Task, runs
from reverb.engine.routing import Routing

Schedule: TypeAlias = list[tuple[Step, ...]]
"""The steps of each slot, until all positions repeat."""


class HeadSlot(NamedTuple):
    """The head's work in one slot: copy the block to `inlet`, run the steps, add `result` and `share`."""

    inlet: Array
    steps: tuple[Step, ...]
    result: Array
    share: Array | None


class BuildContext(NamedTuple):
    """The values from which all stages of a convolver are built."""

    plan: Plan
    responses: Array
    routing: Routing
    backend: Backend
    scratch: Scratch
    dtype: np.dtype[Any]


class Buffers:
    """A stage's signals on both sides of its transforms.

    Attributes
    ----------
    time : ndarray, (inputs, 2 · size)
        The newest two partitions of input, newest in the half of its parity.
    spectra : ndarray of complex, (inputs, columns)
        Their spectra; columns from `bins` on are padding and stay zero.
    result : ndarray, (outputs, 2 · size)
        The output, valid in the half of the same parity.
    groups : list of OutputGroup
    """

    def __init__(self, stage: Stage, context: BuildContext) -> None:
        self._stage, self._context = stage, context
        self.groups = [
            OutputGroup(group, stage, context.routing, context.scratch) for group in context.plan.shape.groups
        ]
        self.time = aligned_zeros((context.routing.inputs, 2 * stage.size), context.dtype)
        self.spectra = aligned_zeros((context.routing.inputs, stage.columns), context.scratch.dtype)
        self.result = aligned_zeros((context.routing.outputs, 2 * stage.size), context.dtype)

    def half(self, array: Array, parity: int) -> Array:
        """Return a view of the partition of `time` or `result` that was written last."""
        return array[:, parity * self._stage.size : (parity + 1) * self._stage.size]

    def forward(self, spectra: Array) -> list[Step]:
        """Plan the transforms of the input channels in use into `spectra` ``(inputs, columns)``."""
        return [
            self._context.backend.plan(self.time[a:b], spectra[a:b, : self._stage.bins])
            for a, b in runs(self._context.plan.shape.inputs, self._stage.fft_rows)
        ]

    def delay_line(self, partitions: Array, skip: int) -> FrequencyDelayLine:
        """Return the delay line for all `partitions` of the response but the first `skip`."""
        return FrequencyDelayLine(self.groups, partitions, skip, self.spectra)

    def inverse(self) -> list[Step]:
        """Plan the transforms of the output channels in use."""
        steps = []
        for group in self.groups:
            first, outputs, _ = group.group
            for a, b in runs(range(outputs), self._stage.fft_rows):
                total = group.total[a:b, : self._stage.bins]
                steps.append(self._context.backend.plan(total, self.result[first + a : first + b]))
        return steps

    def clear(self) -> None:
        """Forget all sound."""
        for array in (self.time, self.spectra, self.result, *(group.total for group in self.groups)):
            array[...] = 0


def partition_spectra(stage: Stage, context: BuildContext) -> Array:
    """Return the spectra ``(rows, partitions, bins)`` of a stage's part of the responses ``(rows, taps)``.

    Computed in double precision, then rounded once; with the alternating sign of the module's docstring, and scaled
    for the unscaled inverse transform.
    """
    size, count = stage.size, len(context.responses)
    part = context.responses[:, stage.offset : stage.offset + stage.partitions * size]
    padded = np.zeros((count, stage.partitions * size))
    padded[:, : part.shape[1]] = part
    windows = np.zeros((count * stage.partitions, 2 * size))
    windows[:, :size] = padded.reshape(-1, size)
    spectra: Array = np.empty((count, stage.partitions, size + 1), np.complex128)
    fft.forward(windows, spectra.reshape(-1, size + 1))
    spectra[:, 1::2, 1::2] *= -1
    spectra /= 2 * size
    result: Array = spectra.astype(context.scratch.dtype)
    return result


class Head:
    """Stage 0, whose result is due in the slot of its input."""

    def __init__(self, context: BuildContext) -> None:
        self._stage = context.plan.stages[0]
        self._buffers = Buffers(self._stage, context)
        self._delay_line = self._buffers.delay_line(partition_spectra(self._stage, context), 0)
        self._forward = [self._buffers.forward(spectra) for spectra in self._delay_line.spectra]
        self._inverse = self._buffers.inverse()

    def schedule(self, share: Array | None, blocks: int) -> list[HeadSlot]:
        """Return all slots until everything repeats; `share` is the tails' sum, a partition of `blocks` blocks."""
        size, partitions, buffers = self._stage.size, self._stage.partitions, self._buffers
        steps = [tuple(self._steps(t)) for t in range(partitions)]
        slots = []
        for t in range(lcm(2, partitions, blocks)):
            start = (t - partitions) % blocks * size
            shared = None if share is None else share[:, start : start + size]
            inlet, result = buffers.half(buffers.time, t % 2), buffers.half(buffers.result, t % 2)
            slots.append(HeadSlot(inlet, steps[t % partitions], result, shared))
        return slots

    def _steps(self, t: int) -> Iterator[Step]:
        yield from self._forward[-t % len(self._forward)]
        yield from self._delay_line.store(t)
        for n, group in enumerate(self._buffers.groups):
            for batch in self._stage.batches(group.group):
                yield from self._delay_line.multiply_add(n, batch, t, group.total)
        yield from self._inverse

    def clear(self) -> None:
        """Forget all sound."""
        self._buffers.clear()
        self._delay_line.clear()


class Tail:
    """A stage of larger partitions, its work spread over a period of slots.

    The delay line keeps all windows but the newest, whose product with the first partition is a task of its own.

    Attributes
    ----------
    stage : Stage
    handoff : ndarray, (outputs, size)
        The finished partition, with the larger stages' share: the input of the next smaller stage's merge.
    """

    def __init__(self, stage: Stage, context: BuildContext) -> None:
        self.stage = stage
        self.handoff = aligned_zeros((context.routing.outputs, stage.size), context.dtype)
        self._buffers = Buffers(stage, context)
        partitions, groups = partition_spectra(stage, context), self._buffers.groups
        self._first = [group.responses(partitions[:, :1])[0] for group in groups]
        self._sums = [np.zeros_like(group.total) for group in groups]
        self._delay_line = self._buffers.delay_line(partitions, 1)
        self._batches = [(n, batch) for n, group in enumerate(groups) for batch in stage.batches(group.group)]
        self._forward = [self._buffers.forward(spectra) for spectra in self._delay_line.spectra]
        self._inverse = self._buffers.inverse()

    def schedule(self, history: Array, larger: Array | None, ratio: int) -> Schedule:
        """Return the steps of every slot until all positions repeat; entry 0 completes a partition.

        `history` is the ring of past input, `larger` the next larger stage's hand-off of `ratio` partitions.
        """
        stage = self.stage
        finish = next(task.slot for task in stage.tasks if task.kind == "newest")
        loads, rows = history.shape[1] // stage.size, self._delay_line.rows or 1
        repeats = {
            "load": lcm(2, loads),
            "forward": rows,
            "newest": rows,
            "ahead": rows,
            "merge": lcm(2, ratio),
        }
        rounds = lcm(*repeats.values())
        schedule: Schedule = [()] * (rounds * stage.ratio)
        for task in sorted(stage.tasks, key=_precedence):
            early = task.kind == "ahead" and task.slot > finish  # and belongs to the next output
            variants = [
                tuple(self._steps(task, n, history, larger, ratio)) for n in range(repeats.get(task.kind, 1))
            ]
            for n in range(rounds):
                schedule[n * stage.ratio + task.slot] += variants[(n + early) % len(variants)]
        return schedule

    def _steps(self, task: Task, n: int, history: Array, larger: Array | None, ratio: int) -> Iterator[Step]:
        """Prepare a task for the ``n``-th partition of input, counted from 1."""
        buffers, size = self._buffers, self.stage.size
        if task.kind == "load":
            start = (n - 1) * size % history.shape[1]
            yield copy(history[:, start : start + size], buffers.half(buffers.time, n % 2))
        elif task.kind == "forward":
            yield self._forward[-n % len(self._forward)][task.number]
        elif task.kind == "newest":
            yield from self._newest(n)
        elif task.kind == "inverse":
            yield self._inverse[task.number]
        elif task.kind == "ahead":
            group, batch = self._batches[task.number]
            yield from self._delay_line.multiply_add(group, batch, n, self._sums[group])
        else:
            valid = buffers.half(buffers.result, n % 2)
            start = (n - 1 - self.stage.partitions) % ratio * size
            yield (
                copy(valid, self.handoff)
                if larger is None
                else partial(np.add, valid, larger[:, start : start + size], self.handoff)
            )

    def _newest(self, n: int) -> Iterator[Step]:
        """Prepare the newest spectrum's product with the first partition, plus the sums, and keep the spectrum."""
        spectra = self._delay_line.spectra[-n % len(self._delay_line.spectra)]
        for group, first, sums in zip(self._buffers.groups, self._first, self._sums, strict=True):
            yield from group.finish(spectra, first, sums if self._delay_line.rows else None)
        yield from self._delay_line.store(n)

    def clear(self) -> None:
        """Forget all sound."""
        self._buffers.clear()
        self._delay_line.clear()
        for array in (self.handoff, *self._sums):
            array[...] = 0


def _precedence(task: Task) -> int:
    """Return the order within a slot: multiply-adds done ahead first, then the chain in its own order."""
    return ("ahead", "load", "forward", "newest", "inverse", "merge").index(task.kind)
