"""The arithmetic of offline convolution, a segment of blocks at a time: analysis to spectra, synthesis of the output.

`Analysis` transforms a segment of input to `Spectra`, a value. `Synthesis` takes such values in order, multiplies them
by the spectra of the responses, transforms back, and overlap-adds. Neither touches the other's state, so two threads
may work on different segments.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from reverb.arrays import Complex, Real, aligned_empty, aligned_zeros
from reverb.engine import fft
from reverb.engine.fft import LANES, Transforms
from reverb.engine.offline.plan import Plan
from reverb.engine.parallel import ParallelMap
from reverb.engine.routing import Path, Routing


class Spectra(NamedTuple):
    """The spectra of a segment of input.

    Attributes
    ----------
    frames, blocks : int
        Length of the segment; only the last segment of a stream has fewer than ``plan.segment_blocks`` blocks.
    values : ndarray of complex, shape (inputs in use, blocks, bins)
        May have more blocks than that; those are padding.
    """

    frames: int
    blocks: int
    values: Complex


class Analysis:
    """Transform segments of input.

    Parameters
    ----------
    plan : Plan
    routing : Routing
        Only the inputs that it uses are transformed.
    dtype : numpy.dtype
    workers : int
        Threads.
    free : deque of ndarray
        Arrays of earlier `Spectra` that are no longer in use, to be filled again: fresh memory takes longer.
    """

    def __init__(
        self, plan: Plan, routing: Routing, dtype: np.dtype[Any], workers: int, free: "deque[Complex]"
    ) -> None:
        self._plan, self._dtype, self._free = plan, dtype, free
        self._sources = used_inputs(routing)
        self._map = ParallelMap(workers, lambda: _AnalysisBuffers(plan, dtype))

    def transform(self, source: Real) -> Spectra:
        """Transform a segment of input (frames, inputs): ``plan.segment`` frames, or fewer at the end."""
        plan = self._plan
        blocks = -(-len(source) // plan.block)
        try:
            values = self._free.popleft()
        except IndexError:
            values = aligned_empty(
                (len(self._sources), plan.segment_blocks, plan.bins), complex_type(self._dtype)
            )

        def transform(task: tuple[int, int], scratch: _AnalysisBuffers) -> None:
            index, start = task
            piece = source[start * plan.block : (start + plan.batch) * plan.block, self._sources[index]]
            rows = _padded(piece, plan, scratch.padded)
            scratch.fft.forward(rows, values[index, start : start + len(rows)])

        batches = [(i, g) for g in range(0, blocks, plan.batch) for i in range(len(self._sources))]
        self._map(transform, batches)
        return Spectra(len(source), blocks, values)


class Synthesis:
    """Make the output from the spectra of the input.

    Attributes
    ----------
    arrived, done : int
        Blocks of input whose spectra came, and blocks of output made.

    Notes
    -----
    Invariants between calls: the spectra of input block ``b`` are in
    ``_history[b // plan.segment_blocks - _dropped]`` while a later block of output needs them; ``_carry[0, o]`` is the
    overlap of the blocks done into the next frames of output ``o``.
    """

    def __init__(
        self,
        plan: Plan,
        responses: Real,
        routing: Routing,
        dtype: np.dtype[Any],
        workers: int,
        free: "deque[Complex]",
    ) -> None:
        self._plan, self._dtype, self._free = plan, dtype, free
        place = {channel: index for index, channel in enumerate(used_inputs(routing))}
        self._paths: dict[int, list[Path]] = {}
        for path in routing.paths:
            self._paths.setdefault(path.output, []).append(path._replace(input=place[path.input]))
        self._parts = max(1, min(-(-workers // max(1, len(self._paths))), plan.segment_blocks // plan.batch))
        self._map = ParallelMap(workers, lambda: _SynthesisBuffers(plan, dtype))
        self._kept = self._transform_all(responses) if plan.keep_spectra else {}
        self._responses = None if plan.keep_spectra else responses  # otherwise it may be freed
        self._carry: Real = np.empty((self._parts, routing.outputs, plan.overlap), dtype)
        self._history: deque[Complex] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self.arrived = self.done = self._dropped = 0
        self._free.extend(self._history)
        self._history.clear()
        self._carry[:] = 0

    def take(self, spectra: Spectra) -> None:
        """Take the spectra of the next segment of input."""
        if spectra.blocks:
            self._history.append(spectra.values)
            self.arrived += spectra.blocks

    def make(self, blocks: int, out: Real) -> None:
        """Make the next `blocks` blocks of output, shape (frames, outputs); the last of them may be cut."""
        plan = self._plan
        share = -(-blocks // (self._parts * plan.batch)) * plan.batch
        starts = range(0, blocks, share)
        tasks = [(o, part, start) for part, start in enumerate(starts) for o in self._paths]
        if len(self._paths) < out.shape[1]:
            out[:] = 0

        def make(task: tuple[int, int, int], scratch: _SynthesisBuffers) -> None:
            output, part, start = task
            stop = min(start + share, blocks)
            place = out[start * plan.block : stop * plan.block, output]
            self._make_rows(output, part, (start, stop), place, scratch)

        self._map(make, tasks)
        for part, start in enumerate(starts):
            if part > 0:  # the parts were made in parallel; add the overlap of each to the next
                head = out[start * plan.block :][: plan.overlap]
                head += self._carry[part - 1, :, : len(head)].T
        if len(starts) > 1:
            self._carry[0] = self._carry[len(starts) - 1]
        self.done += blocks
        while self._history and (self._dropped + 1) * plan.segment_blocks <= self.done - plan.partitions + 1:
            self._free.append(self._history.popleft())
            self._dropped += 1

    def carried(self, frames: slice) -> Real:
        """Return the overlap of the blocks done into the frames after them, shape (frames, outputs)."""
        return self._carry[0, :, frames].T

    def _transform_all(self, responses: Real) -> dict[int, Complex]:
        """Return the spectra of each response in use, (partitions, bins)."""
        plan = self._plan
        used = sorted({path.response for paths in self._paths.values() for path in paths})
        kept = {row: aligned_empty((plan.partitions, plan.bins), complex_type(self._dtype)) for row in used}

        def transform(task: tuple[int, int], scratch: _SynthesisBuffers) -> None:
            row, first = task
            self._transform_response(responses[row], first, kept[row][first : first + LANES], scratch.fft)

        batches = [(row, p) for row in used for p in range(0, plan.partitions, LANES)]
        self._map(transform, batches)
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

    def _make_rows(
        self, output: int, part: int, rows: tuple[int, int], out: Real, scratch: "_SynthesisBuffers"
    ) -> None:
        """Make the blocks from ``rows[0]`` up to ``rows[1]`` of a segment, one channel of the output."""
        plan = self._plan
        carry = self._carry[part, output]
        if part > 0:
            carry[:] = 0
        step = len(scratch.spectra)
        for first in range(rows[0], rows[1], step):
            count = min(step, rows[1] - first)
            self._multiply_add(output, self.done + first, scratch.spectra[:count], scratch)
            for start in range(0, count, plan.batch):
                some = min(plan.batch, count - start)
                lanes = _lanes(plan, some)
                scratch.fft.inverse(scratch.spectra[start : start + lanes], scratch.blocks[:lanes])
                place = (first - rows[0] + start) * plan.block
                _overlap_add(scratch.blocks[:some], plan.block, carry, out[place:])

    def _multiply_add(self, output: int, first: int, spectra: Complex, scratch: "_SynthesisBuffers") -> None:
        """Sum the products of input and response spectra of `output` for its blocks from `first` on."""
        plan = self._plan
        fresh = True
        for path in self._paths[output]:
            stride = plan.partitions if plan.keep_spectra else LANES
            for start in range(0, plan.partitions, stride):
                stop = min(start + stride, plan.partitions)
                terms = list(self._terms(first, len(spectra), range(start, stop)))
                if not terms:
                    continue
                if fresh and terms[0].rows != slice(0, len(spectra)):
                    spectra[:] = 0
                    fresh = False
                response = self._response_spectra(path.response, start, stop, scratch)
                for term in terms:
                    target = spectra[term.rows]
                    factors = self._history[term.segment][path.input, term.blocks], response[term.partition]
                    if fresh:
                        np.multiply(*factors, out=target)
                        fresh = False
                    else:
                        product = scratch.products[: len(target)]
                        np.multiply(*factors, out=product)
                        np.add(target, product, out=target)

    def _terms(self, first: int, count: int, partitions: range) -> Iterator["_Term"]:
        """List the products that the output blocks ``first .. first + count`` need.

        Block ``b`` is the sum over ``p`` of input block ``b - p`` times partition ``p``.
        """
        segment_blocks = self._plan.segment_blocks
        for p in partitions:
            row, stop = max(0, p - first), min(count, self.arrived + p - first)
            while row < stop:
                number, block = divmod(first + row - p, segment_blocks)
                run = min(stop - row, segment_blocks - block)
                yield _Term(
                    p - partitions.start,
                    slice(row, row + run),
                    number - self._dropped,
                    slice(block, block + run),
                )
                row += run

    def _response_spectra(self, row: int, start: int, stop: int, scratch: "_SynthesisBuffers") -> Complex:
        if row in self._kept:
            return self._kept[row][start:stop]
        assert self._responses is not None, row
        self._transform_response(self._responses[row], start, scratch.response[: stop - start], scratch.fft)
        return scratch.response[: stop - start]


class _Term(NamedTuple):
    """Products to add to rows of the output's spectra: blocks of a segment of the history × a partition."""

    partition: int
    rows: slice
    segment: int
    blocks: slice


class _AnalysisBuffers:
    """The buffers of one thread of the analysis. Beyond the block, the rows of `padded` stay zero."""

    def __init__(self, plan: Plan, dtype: np.dtype[Any]) -> None:
        self.fft = fft.transforms(plan.fft, plan.fft_size, dtype)
        self.padded: Real = aligned_zeros((plan.batch, plan.fft_size), dtype)


class _SynthesisBuffers:
    """The buffers of one thread of the synthesis."""

    def __init__(self, plan: Plan, dtype: np.dtype[Any]) -> None:
        self.fft = fft.transforms(plan.fft, plan.fft_size, dtype)
        rows = plan.batch if plan.keep_spectra else plan.segment_blocks
        spectral = complex_type(dtype)
        self.spectra: Complex = aligned_zeros((rows, plan.bins), spectral)
        self.products: Complex = aligned_zeros((rows, plan.bins), spectral)
        # The memory of the products, free once they are summed and still in the cache, receives the inverse FFT.
        self.blocks: Real = self.products.view(dtype)[: plan.batch, : plan.fft_size]
        self.response: Complex = aligned_zeros((0 if plan.keep_spectra else LANES, plan.bins), spectral)


def used_inputs(routing: Routing) -> list[int]:
    """Return the input channels that a routing uses, in order."""
    return sorted({path.input for path in routing.paths})


def complex_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the complex type of a real type's precision."""
    return np.dtype(np.complex64 if dtype == np.float32 else np.complex128)


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
    """Overlap-add: write the head of each row plus the overlap of earlier rows; `carry` passes the rest on."""
    overlap = len(carry)
    whole = min(len(rows), len(out) // block)
    if overlap > block or whole < 2:
        whole = 0
    else:  # many rows in one call: only the row before overlaps each
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
