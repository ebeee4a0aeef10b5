"""Spectra side by side, past and present, and their products: the multiply-adds of a real-time stage.

Outputs with equally many paths form a group, and the spectra of all their paths lie together, so that one call
serves all channels. Everything here prepares calls without arguments, bound to views of fixed arrays.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from reverb.engine.aligned import aligned_zeros
from reverb.engine.fft_plans import Array, Step
from reverb.engine.realtime_shape import CHUNK, Group
from reverb.engine.realtime_work import Stage
from reverb.engine.routing import Routing


def copy(source: Array, target: Array) -> Step:
    """Prepare a copy; the method call is twice as quick as ``np.copyto``."""
    return partial(target.__setitem__, ..., source)


class Scratch:
    """One buffer that all products of a convolver pass through, so that it stays in the cache."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self._buffer = aligned_zeros((size,), dtype)
        self.dtype = self._buffer.dtype
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

    Frequencies are cut into pieces (`reverb.engine.realtime_shape.cut`); within a piece, the window of past spectra
    and the response are contiguous. The stored rows, `_history` of inputs or `_response`, are
    ``(pieces, rows, paths, width)``.

    Attributes
    ----------
    total : ndarray of complex, (outputs, columns)
        The spectrum to transform back.
    """

    def __init__(self, group: Group, stage: Stage, routing: Routing, scratch: Scratch) -> None:
        self.group, self._scratch = group, scratch
        outputs = range(group.first, group.first + group.outputs)
        into = [[path for path in routing.paths if path.output == o] for o in outputs]
        self._inputs = np.array([[path.input for path in paths] for paths in into]).T
        self._rows = np.array([[path.response for path in paths] for paths in into]).T
        self.pieces, self._width, self.columns = stage.cut(group)
        self.total = self._zeros(group.outputs, self.columns)

    def _zeros(self, *shape: int) -> Array:
        return aligned_zeros((int(np.prod(shape)),), self._scratch.dtype).reshape(shape)

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
            pieces = padded[self._rows[i, o]].reshape(-1, cells.shape[1], cells.shape[4])
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

    def store(self, spectra: Array, rows: Array, row: int) -> Iterator[Step]:
        """Copy input `spectra` of every path to a stored row."""
        targets = self._cells(rows)[:, :, row]
        for paths, outputs, source in self._sources(spectra):
            pieces = source.reshape(*source.shape[:2], targets.shape[1], -1)
            yield copy(pieces.transpose(1, 2, 0, 3), targets[outputs, :, paths])

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


class Ring:
    """The spectra of past windows, each in the row that its number falls on, and the response to meet them.

    The response lies doubled, so that a window of it matches the ring in every position, and nothing but the
    newest row is ever written.

    Attributes
    ----------
    rows : int
        How many spectra are kept; as many partitions of the response, beginning with the `skip`-th.
    history : list of ndarray
        For each of the lanes.
    """

    def __init__(self, lanes: list[Lanes], spectra: Array, skip: int) -> None:
        self._lanes, self._skip, self.rows = lanes, skip, spectra.shape[1] - skip
        self.history = [lane.rows(self.rows) for lane in lanes]
        self._response = [lane.rows(2 * self.rows) for lane in lanes]
        doubled = np.concatenate((spectra[:, skip:], spectra[:, skip:]), axis=1)
        for lane, response in zip(lanes, self._response, strict=True):
            lane.fill(response, doubled)

    def store(self, spectra: Array, n: int) -> Iterator[Step]:
        """Keep the ``n``-th window's `spectra`, in place of the oldest."""
        for lane, history in zip(self._lanes, self.history, strict=True):
            if self.rows:
                yield from lane.store(spectra, history, -n % self.rows)

    def multiply_add(self, lane: int, piece: int, n: int, sums: Array) -> Iterator[Step]:
        """Sum the products for output ``n``: window ``n − p`` meets partition ``p`` of the response."""
        start = (n - self._skip) % self.rows
        response = self._response[lane][:, start : start + self.rows]
        yield from self._lanes[lane].multiply_add(self.history[lane], response, piece, sums)

    def clear(self) -> None:
        """Forget all sound."""
        for history in self.history:
            history[...] = 0
