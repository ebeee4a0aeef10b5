"""The arithmetic of offline convolution: rounds of blocks through FFT, multiply-add, inverse FFT and overlap-add."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from reverb.engine import fft
from reverb.engine.aligned import aligned_empty, aligned_zeros
from reverb.engine.crew import Crew
from reverb.engine.fft import LANES, Complex, Real, Transforms
from reverb.engine.offline.plan import Plan
from reverb.engine.routing import Path, Routing


class Rounds:
    """A stream of blocks through a matrix of responses; each call is one round of ``plan.group`` blocks.

    `transform` takes input, `finish` makes output. Each may be called from a thread of its own, as long as no more than
    ``plan.ahead`` rounds lie between them; the workers are then shared between both.

    Notes
    -----
    Invariants between calls, with `_arrived` blocks of input transformed and `_done` blocks of output finished: the
    spectrum of input block ``b`` of the ``i``-th input in use is ``_history[i, b % plan.slots]`` for as long as a later
    block needs it; ``_carry[0, o]`` is what the blocks done add to the frames of output ``o`` that come next.
    """

    def __init__(
        self, plan: Plan, responses: Real, routing: Routing, dtype: np.dtype[Any], workers: int
    ) -> None:
        self._plan, self._dtype = plan, dtype
        self._all, self._half = workers, -(-workers // 2) if plan.ahead else workers
        spectral = _complex(dtype)
        self._entering = Crew(lambda: _Entrance(plan, dtype))
        self._leaving = Crew(lambda: _Exit(plan, dtype))
        self._sources = sorted({path.input for path in routing.paths})
        place = {channel: index for index, channel in enumerate(self._sources)}
        self._paths: dict[int, list[Path]] = {}
        for path in routing.paths:
            self._paths.setdefault(path.output, []).append(path._replace(input=place[path.input]))
        self._parts = max(1, min(-(-workers // max(1, len(self._paths))), plan.group // plan.batch))
        self._kept = self._transform_all(responses) if plan.keep_spectra else {}
        self._responses = None if plan.keep_spectra else responses  # no need to hold what may be freed
        # Not touched before sound comes: a short one needs little of it.
        self._history: Complex = aligned_empty((len(self._sources), plan.slots, plan.bins), spectral)
        self._carry: Real = np.empty((self._parts, routing.outputs, plan.overlap), dtype)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._arrived = self._done = 0
        self._carry[:] = 0

    def finish(self, out: Real) -> None:
        """Write the next round (round, outputs), whose input has been transformed."""
        self._finish_blocks(self._done + self._plan.group, self._plan.group, out, self._half)

    def finish_all(self, frames: int, room: Callable[[int], Real]) -> Iterator[Real]:
        """Give all output that is left, `frames` with the tail, after the last input.

        Each piece is at most a round long and is written where ``room(length)`` says.
        """
        plan, arrived = self._plan, self._arrived
        left = arrived + plan.partitions - 1 - self._done if arrived else 0
        while left > 0 and frames > 0:
            blocks = min(left, plan.group)
            out = room(min(blocks * plan.block, frames))
            self._finish_blocks(arrived, blocks, out, self._all)
            left, frames = left - blocks, frames - len(out)
            yield out
        position = 0
        while position < frames:
            out = room(min(plan.round, frames - position))
            out[:] = self._carry[0, :, position : position + len(out)].T if arrived else 0
            position += len(out)
            yield out

    def _transform_all(self, responses: Real) -> dict[int, Complex]:
        """Return the spectra of each response in use, (partitions, bins)."""
        plan = self._plan
        used = sorted({path.response for paths in self._paths.values() for path in paths})
        spectral = _complex(self._dtype)
        kept = {row: aligned_empty((plan.partitions, plan.bins), spectral) for row in used}
        batches = [(row, p) for row in used for p in range(0, plan.partitions, LANES)]
        self._leaving.run(
            lambda task, scratch: self._transform_response(
                responses[task[0]], task[1], kept[task[0]][task[1] : task[1] + LANES], scratch.fft
            ),
            batches,
            self._all,
        )
        return kept

    def _transform_response(self, response: Real, first: int, out: Complex, transforms: Transforms) -> None:
        """Transform up to LANES partitions of a response from the `first`; the inverse FFT's scale is put in here."""
        plan, count = self._plan, len(out)
        size = plan.block if plan.partitions > 1 else len(response)
        rows = aligned_zeros((_lanes(plan, count), plan.fft_size), self._dtype)
        for index in range(count):
            taps = response[(first + index) * size : (first + index + 1) * size]
            np.multiply(taps.astype(self._dtype, copy=False), 1 / plan.fft_size, out=rows[index, : len(taps)])
        if len(rows) == count:
            transforms.forward(rows, out)
        else:
            spectra = np.empty((len(rows), plan.bins), out.dtype)
            transforms.forward(rows, spectra)
            out[:] = spectra[:count]

    def transform(self, source: Real) -> None:
        """Take a round of input (round, inputs), or less at its end."""
        plan = self._plan
        blocks = -(-len(source) // plan.block)
        batches = [(i, g) for g in range(0, blocks, plan.batch) for i in range(len(self._sources))]

        def transform(task: tuple[int, int], scratch: "_Entrance") -> None:
            index, start = task
            piece = source[start * plan.block : (start + plan.batch) * plan.block, self._sources[index]]
            slot = (self._arrived + start) % plan.slots
            rows = _padded(piece, plan, scratch.padded)
            scratch.fft.forward(rows, self._history[index, slot : slot + len(rows)])

        assert self._arrived + blocks - self._done <= plan.group * (1 + plan.ahead), (
            self._arrived,
            self._done,
        )
        self._entering.run(transform, batches, self._half)
        self._arrived += blocks

    def _finish_blocks(self, arrived: int, blocks: int, out: Real, workers: int) -> None:
        """Write the output of the next `blocks` blocks, where `arrived` blocks of input have come in all."""
        plan = self._plan
        share = -(-blocks // (self._parts * plan.batch)) * plan.batch
        starts = range(0, blocks, share)
        tasks = [(o, part, start) for part, start in enumerate(starts) for o in self._paths]
        if len(self._paths) < out.shape[1]:
            out[:] = 0

        def finish(task: tuple[int, int, int], scratch: "_Exit") -> None:
            output, part, start = task
            stop = min(start + share, blocks)
            place = out[start * plan.block : stop * plan.block, output]
            self._finish_rows(output, part, (start, stop), arrived, place, scratch)

        self._leaving.run(finish, tasks, workers)
        for part, start in enumerate(starts):
            if part > 0:  # the parts were made side by side; what each adds to the next is added now
                head = out[start * plan.block :][: plan.overlap]
                head += self._carry[part - 1, :, : len(head)].T
        if len(starts) > 1:
            self._carry[0] = self._carry[len(starts) - 1]
        self._done += blocks

    def _finish_rows(
        self, output: int, part: int, rows: tuple[int, int], arrived: int, out: Real, scratch: "_Exit"
    ) -> None:
        """Write the rows from ``rows[0]`` up to ``rows[1]`` of a round to `out`, one channel of the output."""
        plan = self._plan
        carry = self._carry[part, output]
        if part > 0:
            carry[:] = 0
        step = len(scratch.spectra)
        for first in range(rows[0], rows[1], step):
            count = min(step, rows[1] - first)
            spectra = scratch.spectra[:count]
            self._multiply_add(output, self._done + first, arrived, spectra, scratch)
            for start in range(0, count, plan.batch):
                some = min(plan.batch, count - start)
                lanes = _lanes(plan, some)
                scratch.fft.inverse(scratch.spectra[start : start + lanes], scratch.blocks[:lanes])
                place = (first - rows[0] + start) * plan.block
                _overlap_add(scratch.blocks[:some], plan.block, carry, out[place:])

    def _multiply_add(
        self, output: int, first: int, arrived: int, spectra: Complex, scratch: "_Exit"
    ) -> None:
        """Sum the products of input and response spectra of `output` for its blocks from `first` on."""
        plan = self._plan
        fresh = True
        for path in self._paths[output]:
            stride = plan.partitions if plan.keep_spectra else LANES
            for start in range(0, plan.partitions, stride):
                stop = min(start + stride, plan.partitions)
                terms = list(_terms(plan, first, len(spectra), arrived, range(start, stop)))
                if not terms:
                    continue
                if fresh and terms[0].rows != slice(0, len(spectra)):
                    spectra[:] = 0
                    fresh = False
                response = self._response_spectra(path.response, start, stop, scratch)
                _accumulate(
                    terms, self._history[path.input], response, spectra, scratch.products, fresh=fresh
                )
                fresh = False

    def _response_spectra(self, row: int, start: int, stop: int, scratch: "_Exit") -> Complex:
        if row in self._kept:
            return self._kept[row][start:stop]
        assert self._responses is not None, row
        self._transform_response(self._responses[row], start, scratch.response[: stop - start], scratch.fft)
        return scratch.response[: stop - start]


class _Term(NamedTuple):
    """Products to add: rows of the output's spectra += history slots × one partition of a response."""

    partition: int
    rows: slice
    slots: slice


def _terms(plan: Plan, first: int, count: int, arrived: int, partitions: range) -> Iterator[_Term]:
    """List the products that blocks ``first .. first + count`` need, where input blocks ``0 .. arrived`` exist.

    Block ``b`` of the output is the sum over ``p`` of input block ``b - p`` times partition ``p``; the slots of
    neighbouring blocks are neighbours but for the end of the ring.
    """
    for p in partitions:
        row, stop = max(0, p - first), min(count, arrived + p - first)
        while row < stop:
            slot = (first + row - p) % plan.slots
            run = min(stop - row, plan.slots - slot)
            yield _Term(p - partitions.start, slice(row, row + run), slice(slot, slot + run))
            row += run


def _accumulate(
    terms: list[_Term], history: Complex, response: Complex, out: Complex, products: Complex, *, fresh: bool
) -> None:
    """Add all `terms` to `out` (rows, bins); if it is `fresh`, the first one overwrites it."""
    for index, term in enumerate(terms):
        target = out[term.rows]
        factors = history[term.slots], response[term.partition]
        if fresh and index == 0:
            np.multiply(*factors, out=target)
        else:
            product = products[: len(target)]
            np.multiply(*factors, out=product)
            np.add(target, product, out=target)


def _lanes(plan: Plan, rows: int) -> int:
    """Return how many rows to transform where `rows` are wanted: one, or all lanes."""
    return 1 if rows == 1 else -(-rows // plan.lanes) * plan.lanes


def _padded(piece: Real, plan: Plan, rows: Real) -> Real:
    """Lay a channel's frames into the heads of `rows`, a block in each, and return the rows in use."""
    block = plan.block
    full, rest = divmod(len(piece), block)
    rows[:full, :block] = piece[: full * block].reshape(full, block)
    if rest:
        rows[full, :rest] = piece[full * block :]
        rows[full, rest:block] = 0
        full += 1
    return rows[: _lanes(plan, full)]


def _overlap_add(rows: Real, block: int, carry: Real, out: Real) -> None:
    """Write the head of each row and what the rows before reach into it; `carry` passes on what reaches further."""
    overlap = len(carry)
    whole = min(len(rows), len(out) // block)
    if overlap > block or whole < 2:
        whole = 0
    else:  # many rows at once: each is reached into by the one before only
        heads, places = rows[:whole, :block], out[: whole * block].reshape(whole, block)
        np.add(heads[0, :overlap], carry, out=places[0, :overlap])
        np.add(heads[1:, :overlap], rows[: whole - 1, block : block + overlap], out=places[1:, :overlap])
        places[:, overlap:] = heads[:, overlap:]
        carry[:] = rows[whole - 1, block : block + overlap]
    both = min(block, overlap)
    for index, row in enumerate(rows[whole:], whole):
        place = out[index * block : (index + 1) * block]
        np.add(row[: min(both, len(place))], carry[: len(place)][:both], out=place[:both])
        place[both:] = row[both : len(place)]
        if overlap > block:
            carry[:-block] = carry[block:]
            carry[-block:] = 0
            carry += row[block : block + overlap]
        else:
            carry[:] = row[block : block + overlap]


class _Entrance:
    """What one thread needs to transform input. Beyond the block, the rows of `padded` stay zero."""

    def __init__(self, plan: Plan, dtype: np.dtype[Any]) -> None:
        self.fft = fft.transforms(plan.fft, plan.fft_size, dtype)
        self.padded: Real = aligned_zeros((plan.batch, plan.fft_size), dtype)


class _Exit:
    """What one thread needs to make output."""

    def __init__(self, plan: Plan, dtype: np.dtype[Any]) -> None:
        self.fft = fft.transforms(plan.fft, plan.fft_size, dtype)
        rows = plan.batch if plan.keep_spectra else plan.group
        spectral = _complex(dtype)
        self.spectra: Complex = aligned_zeros((rows, plan.bins), spectral)
        self.products: Complex = aligned_zeros((rows, plan.bins), spectral)
        # Once they are summed, the products make room for what becomes of the sum: it is still in the cache.
        self.blocks: Real = self.products.view(dtype)[: plan.batch, : plan.fft_size]
        self.response: Complex = aligned_zeros((0 if plan.keep_spectra else LANES, plan.bins), spectral)


def _complex(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.complex64 if dtype == np.float32 else np.complex128)
