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
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from reverb.engine.fft_plans import Array, Backend, Step, aligned_zeros
from reverb.engine.partition import CHUNK, Group, Plan, Stage, Task, runs
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
    scratch: "Scratch"
    dtype: np.dtype


def copy(source: Array, target: Array) -> Step:
    """Prepare a copy; the method call is twice as quick as ``np.copyto``."""
    return partial(target.__setitem__, ..., source)


class Scratch:
    """One buffer that all products of a convolver pass through, so that it stays in the cache."""

    def __init__(self, size: int, dtype: np.dtype) -> None:
        self._buffer = aligned_zeros((size,), dtype)
        self._ones = np.ones(size, self._buffer.real.dtype)

    def array(self, *shape: int) -> Array:
        """View of the beginning of the buffer."""
        return self._buffer[: int(np.prod(shape))].reshape(shape)

    def multiply_add(self, x: Array, h: Array, total: Array) -> Iterator[Step]:
        """Put the sum over the rows of ``x · h`` ``(rows, width)`` into `total` ``(width,)``.

        A product of ones and a real matrix sums rows twice as fast as ``add.reduce``, while BLAS stays in one
        thread: up to `CHUNK` complex numbers.
        """
        rows, width = h.shape
        if rows == 1:
            yield partial(np.multiply, x[0], h[0], total)
            return
        products = self.array(rows, width)
        yield partial(np.multiply, x, h, products)
        real = self._ones.dtype
        if rows == 2:
            yield partial(np.add, products[0], products[1], total)
        elif products.size <= CHUNK:
            yield partial(self._ones[:rows].dot, products.view(real), total.view(real))
        else:
            yield partial(np.add.reduce, products.view(real), 0, None, total.view(real))


class Lanes:
    """The spectra of a group of outputs with equally many paths each, past and present, and their products.

    Frequencies are cut into pieces (`reverb.engine.partition.cut`); within a piece, the window of past spectra
    and the response are contiguous. The stored rows, `_history` of inputs or `_response`, are
    ``(pieces, rows, paths, width)``.

    Attributes
    ----------
    total : ndarray of complex, (outputs, columns)
        The spectrum to transform back.
    """

    def __init__(self, group: Group, stage: Stage, kit: Kit) -> None:
        self.group, self._stage, self._scratch = group, stage, kit.scratch
        outputs = range(group.first, group.first + group.outputs)
        into = [[path for path in kit.routing.paths if path.output == o] for o in outputs]
        self._inputs = np.array([[path.input for path in paths] for paths in into]).T
        self._rows = np.array([[path.response for path in paths] for paths in into]).T
        self.pieces, self._width, self.columns = stage.cut(group)
        self._complex = np.result_type(kit.dtype, np.complex64)
        self.total = self._zeros(group.outputs, self.columns)

    def _zeros(self, *shape: int) -> Array:
        return aligned_zeros((int(np.prod(shape)),), self._complex).reshape(shape)

    def rows(self, count: int) -> Array:
        """Room for `count` spectra of every path."""
        return self._zeros(self.pieces, count, self.group.paths, self._width)

    def _cells(self, rows: Array) -> Array:
        """View stored rows as ``(outputs, pieces of an output, rows, paths, width)``."""
        outputs = self.group.outputs
        if self.pieces == 1:
            return rows.reshape(*rows.shape[1:3], outputs, 1, self.columns).transpose(2, 3, 0, 1, 4)
        return rows.reshape(outputs, -1, *rows.shape[1:])

    def fill(self, rows: Array, spectra: Array) -> None:
        """Store response `spectra` ``(responses, rows, bins)`` of every path."""
        cells = self._cells(rows)
        padded = np.zeros((*spectra.shape[:2], self.columns), spectra.dtype)
        padded[..., : spectra.shape[2]] = spectra
        for i, o in np.ndindex(*self._rows.shape):
            pieces = padded[self._rows[i, o]].reshape(len(spectra[0]), cells.shape[1], -1)
            cells[o, :, :, i] = pieces.transpose(1, 0, 2)

    def first_rows(self, spectra: Array) -> Array:
        """Spectra ``(responses, bins)`` of every path as ``(paths, outputs, columns)``."""
        first = self._zeros(self.group.paths, self.group.outputs, self.columns)
        first[..., : spectra.shape[1]] = spectra[self._rows]
        return first

    def _sources(self, spectra: Array) -> Iterator[tuple[slice, slice, Array]]:
        """Input `spectra` ``(inputs, ≥ columns)`` of every path, ``(paths, outputs, columns)``, in few pieces.

        One where the inputs form a regular pattern, as all usual layouts do; else one for each path.
        """
        table, spectra = self._inputs, spectra[:, : self.columns]
        down = int(table[1, 0] - table[0, 0]) if len(table) > 1 else 0
        across = int(table[0, 1] - table[0, 0]) if table.shape[1] > 1 else 0
        rows, columns = np.indices(table.shape)
        if np.array_equal(table, table[0, 0] + down * rows + across * columns):
            channel, number = spectra.strides
            source = spectra[table[0, 0] :]
            shape, strides = (*table.shape, self.columns), (down * channel, across * channel, number)
            yield slice(None), slice(None), as_strided(source, shape, strides, writeable=False)
            return
        for i, o in np.ndindex(*table.shape):
            yield slice(i, i + 1), slice(o, o + 1), spectra[None, table[i, o], None]

    def straight(self) -> bool:
        """Whether the input spectra can be transformed right into a stored row: a path each, in order."""
        outputs = range(self.group.first, self.group.first + self.group.outputs)
        return self.pieces == 1 and self._inputs.tolist() == [list(outputs)]

    def store(self, spectra: Array, rows: Array, *indices: int) -> Iterator[Step]:
        """Copy input `spectra` of every path to one or more stored rows, evenly spaced."""
        step = indices[-1] - indices[0] or 1
        targets = self._cells(rows)[:, :, indices[0] : indices[-1] + 1 : step]
        for paths, outputs, source in self._sources(spectra):
            pieces = source.reshape(*source.shape[:2], targets.shape[1], -1)
            yield copy(pieces.transpose(1, 2, 0, 3)[:, :, None], targets[outputs, :, :, paths])

    def multiply_add(self, x: Array, h: Array, piece: int, sums: Array) -> Iterator[Step]:
        """Sum ``x · h`` over rows and paths for one piece of the frequencies, into that piece of `sums`."""
        first = piece * self._width
        total = sums.reshape(-1)[first : first + self._width]
        yield from self._scratch.multiply_add(
            x[piece].reshape(-1, self._width), h[piece].reshape(-1, self._width), total
        )

    def finish(self, spectra: Array, first: Array, sums: Array | None) -> Iterator[Step]:
        """Put the product of the input `spectra` with the `first` partition, plus `sums`, into `total`."""
        products = self.total[None] if self.group.paths == 1 else self._scratch.array(*first.shape)
        for paths, outputs, source in self._sources(spectra):
            yield partial(np.multiply, source, first[paths, outputs], products[paths, outputs])
        terms = [products[i] for i in range(1, self.group.paths)] + ([] if sums is None else [sums])
        running = products[0]
        for term in terms:
            yield partial(np.add, running, term, self.total)
            running = self.total


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
        self.lanes = [Lanes(group, stage, kit) for group in kit.plan.shape.groups]
        columns = max((lanes.columns for lanes in self.lanes), default=stage.bins)
        self.time = aligned_zeros((kit.routing.inputs, 2 * stage.size), kit.dtype)
        self.spectra = aligned_zeros((kit.routing.inputs, columns), np.result_type(kit.dtype, np.complex64))
        self.result = aligned_zeros((kit.routing.outputs, 2 * stage.size), kit.dtype)

    def half(self, array: Array, parity: int) -> Array:
        """View the partition of `time` or `result` that was written last."""
        return array[:, parity * self._stage.size : (parity + 1) * self._stage.size]

    def forward(self, spectra: Array | None = None) -> list[Step]:
        """Plan the transforms of the input channels in use, into `spectra` or other arrays of that shape."""
        target, shape = self.spectra if spectra is None else spectra, self._kit.plan.shape
        return [
            self._kit.backend.forward(self.time[a:b], target[a:b, : self._stage.bins])
            for a, b in runs(shape.inputs, self._stage.fft_rows)
        ]

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
    from scipy.fft import rfft

    size, responses = stage.size, kit.responses
    part = responses[:, stage.offset : stage.offset + stage.partitions * size]
    padded = np.zeros((len(responses), stage.partitions * size))
    padded[:, : part.shape[1]] = part
    spectra = rfft(padded.reshape(len(responses), stage.partitions, size), 2 * size, axis=-1)
    spectra[:, 1::2, 1::2] *= -1
    spectra /= 2 * size
    result: Array = spectra.astype(np.result_type(kit.dtype, np.complex64))
    return result


class Head:
    """Stage 0: from a block to its answer within the slot.

    The ring `_history` holds the spectra of the last blocks, the newest one row further down each time; the
    response lies doubled, so that a window of it matches the ring in every position.
    """

    def __init__(self, kit: Kit) -> None:
        self._stage = kit.plan.stages[0]
        self._buffers = Buffers(self._stage, kit)
        self._inverse = self._buffers.inverse()
        self._history, self._response = [], []
        spectra = partition_spectra(self._stage, kit)
        for lanes in self._buffers.lanes:
            self._history.append(lanes.rows(self._stage.partitions))
            response = lanes.rows(2 * self._stage.partitions)
            lanes.fill(response, np.concatenate((spectra, spectra), axis=1))
            self._response.append(response)
        self._plan_forward(kit)

    def _plan_forward(self, kit: Kit) -> None:
        """Transform right into the ring where its rows are laid out as spectra are, else beside it."""
        lanes, partitions = self._buffers.lanes, self._stage.partitions
        self._straight = (
            len(lanes) == 1 and lanes[0].straight() and lanes[0].group.outputs == kit.routing.inputs
        )
        if self._straight:
            shape = (partitions, kit.routing.inputs, lanes[0].columns)
            self._forward = [self._buffers.forward(row) for row in self._history[0].reshape(shape)]
        else:
            self._forward = [self._buffers.forward()] * partitions

    def program(self, share: Array | None, blocks: int) -> list[Turn]:
        """All turns until everything repeats; `share` is the tails' sum, a partition of `blocks` blocks."""
        size, partitions, buffers = self._stage.size, self._stage.partitions, self._buffers
        rows = [(*self._forward[row], *self._multiply_adds(row), *self._inverse) for row in range(partitions)]
        turns = []
        for t in range(lcm(2, partitions, blocks)):
            start = (t - partitions) % blocks * size
            shared = None if share is None else share[:, start : start + size]
            inlet, result = buffers.half(buffers.time, t % 2), buffers.half(buffers.result, t % 2)
            turns.append(Turn(inlet, rows[-t % partitions], result, shared))
        return turns

    def _multiply_adds(self, newest: int) -> Iterator[Step]:
        partitions = self._stage.partitions
        for lanes, history, response in zip(self._buffers.lanes, self._history, self._response, strict=True):
            if not self._straight:
                yield from lanes.store(self._buffers.spectra, history, newest)
            window = response[:, partitions - newest : 2 * partitions - newest]
            for piece in range(lanes.pieces):
                yield from lanes.multiply_add(history, window, piece, lanes.total)

    def clear(self) -> None:
        """Forget all sound."""
        self._buffers.clear()
        for history in self._history:
            history[...] = 0


class Tail:
    """A stage of larger partitions, its work spread over a period of slots.

    `_history` holds each spectrum twice, `partitions` rows apart, so that every window of past spectra is
    contiguous.

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
        self._forward, self._inverse = self._buffers.forward(), self._buffers.inverse()
        self._history, self._response, self._first, self._sums = [], [], [], []
        spectra = partition_spectra(stage, kit)
        for lanes in self._buffers.lanes:
            self._first.append(lanes.first_rows(spectra[:, 0]))
            self._history.append(lanes.rows(2 * stage.partitions))
            self._response.append(lanes.rows(stage.partitions - 1))
            lanes.fill(self._response[-1], spectra[:, 1:])
            self._sums.append(np.zeros_like(lanes.total))

    def program(self, ring: Array, larger: Array | None, ratio: int) -> Program:
        """List the work of every slot until all positions repeat; entry 0 completes a partition.

        `ring` is the input to load from, `larger` the next larger stage's hand-off of `ratio` partitions.
        """
        stage = self.stage
        finish = next(task.slot for task in stage.tasks if task.kind == "newest")
        rounds = lcm(2, stage.partitions, ratio, ring.shape[1] // stage.size)
        program: Program = [()] * (rounds * stage.ratio)
        for task in sorted(stage.tasks, key=_precedence):
            for n in range(rounds):
                concerned = n + (task.kind == "ahead" and task.slot > finish)
                steps = tuple(self._steps(task, concerned, ring, larger, ratio))
                program[n * stage.ratio + task.slot] += steps
        return program

    def _steps(self, task: Task, n: int, ring: Array, larger: Array | None, ratio: int) -> Iterator[Step]:
        """Prepare a task for the ``n``-th partition of input (counted from 1)."""
        buffers, size = self._buffers, self.stage.size
        newest = -n % self.stage.partitions
        if task.kind == "load":
            start = (n - 1) * size % ring.shape[1]
            yield copy(ring[:, start : start + size], buffers.half(buffers.time, n % 2))
        elif task.kind == "forward":
            yield self._forward[task.number]
        elif task.kind == "newest":
            yield from self._newest(newest)
        elif task.kind == "inverse":
            yield self._inverse[task.number]
        elif task.kind == "ahead":
            yield from self._ahead(task.number, newest)
        else:
            valid = buffers.half(buffers.result, n % 2)
            start = (n - 1 - self.stage.partitions) % ratio * size
            yield (
                copy(valid, self.handoff)
                if larger is None
                else partial(np.add, valid, larger[:, start : start + size], self.handoff)
            )

    def _newest(self, newest: int) -> Iterator[Step]:
        """Add the newest spectrum's product with the first partition to the sums, and store it for later."""
        spectra, partitions = self._buffers.spectra, self.stage.partitions
        for n, lanes in enumerate(self._buffers.lanes):
            yield from lanes.finish(spectra, self._first[n], self._sums[n] if partitions > 1 else None)
            yield from lanes.store(spectra, self._history[n], newest, newest + partitions)

    def _ahead(self, piece: int, newest: int) -> Iterator[Step]:
        """Sum the products of all older spectra, for one piece of the frequencies."""
        for n, lanes in enumerate(self._buffers.lanes):
            if piece < lanes.pieces:
                window = self._history[n][:, newest + 1 : newest + self.stage.partitions]
                yield from lanes.multiply_add(window, self._response[n], piece, self._sums[n])
                return
            piece -= lanes.pieces

    def clear(self) -> None:
        """Forget all sound."""
        self._buffers.clear()
        for array in (self.handoff, *self._history, *self._sums):
            array[...] = 0


def _precedence(task: Task) -> int:
    """Order within a slot: what was to be done ahead first, then the chain in its own order."""
    return ("ahead", "load", "forward", "newest", "inverse", "merge").index(task.kind)
