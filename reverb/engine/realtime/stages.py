"""The arrays of a real-time stage, and its work as lists of prepared calls.

Everything a block will do is decided here, once: each piece of work is a call without arguments, bound to views
of fixed arrays. What runs in a block is a walk through a short tuple of them.

Two sign conventions save all shifting of buffers. A stage's time buffer holds two partitions, and the newest
input is written over the older half, so that the window is rotated by one partition every second time. A
rotation by half its length turns the sign of every odd bin. Response partition ``p`` carries that sign ``p``
times, so that all products of a sum agree; the sum comes back rotated as the newest window is, and its valid
half (overlap-save) is simply the half last written to.
"""

from collections.abc import Iterator
from functools import partial
from math import lcm
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from reverb.engine import fft
from reverb.engine.aligned import aligned_zeros
from reverb.engine.fft_plans import Array, Backend, Step
from reverb.engine.realtime.delay_line import Lanes, Ring, Scratch, copy
from reverb.engine.realtime.plan import Plan
from reverb.engine.realtime.schedule import Stage, Task
from reverb.engine.realtime.shape import runs
from reverb.engine.routing import Routing

Program: TypeAlias = list[tuple[Step, ...]]


class Turn(NamedTuple):
    """What the head does in one slot: take the block, walk the steps, add the result and the tails' share."""

    inlet: Array
    steps: tuple[Step, ...]
    result: Array
    share: Array | None


class Kit(NamedTuple):
    """What all stages of a convolver are built from."""

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
    lanes : list of Lanes
    """

    def __init__(self, stage: Stage, kit: Kit) -> None:
        self._stage, self._kit = stage, kit
        self.lanes = [Lanes(group, stage, kit.routing, kit.scratch) for group in kit.plan.shape.groups]
        self.time = aligned_zeros((kit.routing.inputs, 2 * stage.size), kit.dtype)
        self.spectra = aligned_zeros((kit.routing.inputs, stage.columns), kit.scratch.dtype)
        self.result = aligned_zeros((kit.routing.outputs, 2 * stage.size), kit.dtype)

    def half(self, array: Array, parity: int) -> Array:
        """View the partition of `time` or `result` that was written last."""
        return array[:, parity * self._stage.size : (parity + 1) * self._stage.size]

    def forward(self, spectra: Array) -> list[Step]:
        """Plan the transforms of the input channels in use into `spectra` ``(inputs, columns)``."""
        return [
            self._kit.backend.forward(self.time[a:b], spectra[a:b, : self._stage.bins])
            for a, b in runs(self._kit.plan.shape.inputs, self._stage.fft_rows)
        ]

    def ring(self, partitions: Array, skip: int) -> Ring:
        """Make room for past spectra, to meet all `partitions` of the response but the first `skip`."""
        return Ring(self.lanes, partitions, skip, self.spectra)

    def inverse(self) -> list[Step]:
        """Plan the transforms of the output channels in use."""
        steps = []
        for lanes in self.lanes:
            first, outputs, _ = lanes.group
            for a, b in runs(range(outputs), self._stage.fft_rows):
                total = lanes.total[a:b, : self._stage.bins]
                steps.append(self._kit.backend.inverse(total, self.result[first + a : first + b]))
        return steps

    def clear(self) -> None:
        """Forget all sound."""
        for array in (self.time, self.spectra, self.result, *(lanes.total for lanes in self.lanes)):
            array[...] = 0


def partition_spectra(stage: Stage, kit: Kit) -> Array:
    """Transform a stage's part of the responses ``(rows, taps)`` to ``(rows, partitions, bins)``.

    In double precision, then rounded once; with the alternating sign of the module's docstring and the scale of
    the unscaled inverse transform.
    """
    size, count = stage.size, len(kit.responses)
    part = kit.responses[:, stage.offset : stage.offset + stage.partitions * size]
    padded = np.zeros((count, stage.partitions * size))
    padded[:, : part.shape[1]] = part
    windows = np.zeros((count * stage.partitions, 2 * size))
    windows[:, :size] = padded.reshape(-1, size)
    spectra: Array = np.empty((count, stage.partitions, size + 1), np.complex128)
    fft.forward(windows, spectra.reshape(-1, size + 1))
    spectra[:, 1::2, 1::2] *= -1
    spectra /= 2 * size
    result: Array = spectra.astype(kit.scratch.dtype)
    return result


class Head:
    """Stage 0: from a block to its answer within the slot."""

    def __init__(self, kit: Kit) -> None:
        self._stage = kit.plan.stages[0]
        self._buffers = Buffers(self._stage, kit)
        self._ring = self._buffers.ring(partition_spectra(self._stage, kit), 0)
        self._forward = [self._buffers.forward(spectra) for spectra in self._ring.spectra]
        self._inverse = self._buffers.inverse()

    def program(self, share: Array | None, blocks: int) -> list[Turn]:
        """List all turns until everything repeats; `share` is the tails' sum, a partition of `blocks` blocks."""
        size, partitions, buffers = self._stage.size, self._stage.partitions, self._buffers
        walks = [tuple(self._walk(t)) for t in range(partitions)]
        turns = []
        for t in range(lcm(2, partitions, blocks)):
            start = (t - partitions) % blocks * size
            shared = None if share is None else share[:, start : start + size]
            inlet, result = buffers.half(buffers.time, t % 2), buffers.half(buffers.result, t % 2)
            turns.append(Turn(inlet, walks[t % partitions], result, shared))
        return turns

    def _walk(self, t: int) -> Iterator[Step]:
        yield from self._forward[-t % len(self._forward)]
        yield from self._ring.store(t)
        for n, lane in enumerate(self._buffers.lanes):
            for batch in self._stage.batches(lane.group):
                yield from self._ring.multiply_add(n, batch, t, lane.total)
        yield from self._inverse

    def clear(self) -> None:
        """Forget all sound."""
        self._buffers.clear()
        self._ring.clear()


class Tail:
    """A stage of larger partitions, its work spread over a period of slots.

    The ring keeps all windows but the newest, whose product with the first partition is a task of its own.

    Attributes
    ----------
    stage : Stage
    handoff : ndarray, (outputs, size)
        The finished partition, with the larger stages' share, from which the next smaller stage is served.
    """

    def __init__(self, stage: Stage, kit: Kit) -> None:
        self.stage = stage
        self.handoff = aligned_zeros((kit.routing.outputs, stage.size), kit.dtype)
        self._buffers = Buffers(stage, kit)
        partitions, lanes = partition_spectra(stage, kit), self._buffers.lanes
        self._first = [lane.responses(partitions[:, :1])[0] for lane in lanes]
        self._sums = [np.zeros_like(lane.total) for lane in lanes]
        self._ring = self._buffers.ring(partitions, 1)
        self._batches = [(n, batch) for n, lane in enumerate(lanes) for batch in stage.batches(lane.group)]
        self._forward = [self._buffers.forward(spectra) for spectra in self._ring.spectra]
        self._inverse = self._buffers.inverse()

    def program(self, ring: Array, larger: Array | None, ratio: int) -> Program:
        """List the work of every slot until all positions repeat; entry 0 completes a partition.

        `ring` is the input to load from, `larger` the next larger stage's hand-off of `ratio` partitions.
        """
        stage = self.stage
        finish = next(task.slot for task in stage.tasks if task.kind == "newest")
        loads, rows = ring.shape[1] // stage.size, self._ring.rows or 1
        repeats = {
            "load": lcm(2, loads),
            "forward": rows,
            "newest": rows,
            "ahead": rows,
            "merge": lcm(2, ratio),
        }
        rounds = lcm(*repeats.values())
        program: Program = [()] * (rounds * stage.ratio)
        for task in sorted(stage.tasks, key=_precedence):
            early = task.kind == "ahead" and task.slot > finish  # then it is the next output's
            variants = [
                tuple(self._steps(task, n, ring, larger, ratio)) for n in range(repeats.get(task.kind, 1))
            ]
            for n in range(rounds):
                program[n * stage.ratio + task.slot] += variants[(n + early) % len(variants)]
        return program

    def _steps(self, task: Task, n: int, ring: Array, larger: Array | None, ratio: int) -> Iterator[Step]:
        """Prepare a task for the ``n``-th partition of input (counted from 1)."""
        buffers, size = self._buffers, self.stage.size
        if task.kind == "load":
            start = (n - 1) * size % ring.shape[1]
            yield copy(ring[:, start : start + size], buffers.half(buffers.time, n % 2))
        elif task.kind == "forward":
            yield self._forward[-n % len(self._forward)][task.number]
        elif task.kind == "newest":
            yield from self._newest(n)
        elif task.kind == "inverse":
            yield self._inverse[task.number]
        elif task.kind == "ahead":
            lane, batch = self._batches[task.number]
            yield from self._ring.multiply_add(lane, batch, n, self._sums[lane])
        else:
            valid = buffers.half(buffers.result, n % 2)
            start = (n - 1 - self.stage.partitions) % ratio * size
            yield (
                copy(valid, self.handoff)
                if larger is None
                else partial(np.add, valid, larger[:, start : start + size], self.handoff)
            )

    def _newest(self, n: int) -> Iterator[Step]:
        """Add the newest spectrum's product with the first partition to the sums, and keep it for later."""
        spectra = self._ring.spectra[-n % len(self._ring.spectra)]
        for lane, first, sums in zip(self._buffers.lanes, self._first, self._sums, strict=True):
            yield from lane.finish(spectra, first, sums if self._ring.rows else None)
        yield from self._ring.store(n)

    def clear(self) -> None:
        """Forget all sound."""
        self._buffers.clear()
        self._ring.clear()
        for array in (self.handoff, *self._sums):
            array[...] = 0


def _precedence(task: Task) -> int:
    """Order within a slot: what was to be done ahead first, then the chain in its own order."""
    return ("ahead", "load", "forward", "newest", "inverse", "merge").index(task.kind)
