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
from reverb.engine.realtime.schedule import ALONE, Stage
from reverb.engine.realtime.shape import Group
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
        thread: up to `ALONE` complex numbers.
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
        elif products.size <= ALONE:
            yield partial(self._ones[:rows].dot, products.view(real), total.view(real))
        else:
            yield partial(np.add.reduce, products.view(real), 0, None, total.view(real))


class Lanes:
    """The spectra of a group of outputs with equally many paths each, past and present, and their products.

    Stored rows, of past inputs or of the response, are ``(rows, paths, outputs, columns)``: all that meets in a
    product lies side by side.

    Attributes
    ----------
    total : ndarray of complex, (outputs, columns)
        The spectrum to transform back.
    """

    def __init__(self, group: Group, stage: Stage, routing: Routing, scratch: Scratch) -> None:
        self.group, self._columns, self._scratch = group, stage.columns, scratch
        outputs = range(group.first, group.first + group.outputs)
        into = [[path for path in routing.paths if path.output == o] for o in outputs]
        self._inputs = np.array([[path.input for path in paths] for paths in into]).T
        self._rows = np.array([[path.response for path in paths] for paths in into]).T
        self.total = self._zeros(group.outputs, self._columns)

    def _zeros(self, *shape: int) -> Array:
        """Zeros without gaps, whatever the length of a row: they are taken as long rows of all outputs, too."""
        return aligned_zeros((int(np.prod(shape)),), self._scratch.dtype).reshape(shape)

    def rows(self, count: int) -> Array:
        """Room for `count` spectra of every path."""
        return self._zeros(count, self.group.paths, self.group.outputs, self._columns)

    def responses(self, spectra: Array) -> Array:
        """Store response `spectra` ``(responses, rows, bins)`` of every path."""
        stored = self.rows(spectra.shape[1])
        for path in np.ndindex(*self._rows.shape):
            stored[:, *path, : spectra.shape[2]] = spectra[self._rows[path]]
        return stored

    def _sources(self, spectra: Array) -> Iterator[tuple[slice, slice, Array]]:
        """Input `spectra` ``(inputs, columns)`` of every path, ``(paths, outputs, columns)``, in few pieces.

        One where the inputs form a regular pattern, as all usual layouts do; else one for each path.
        """
        table = self._inputs
        down = int(table[1, 0] - table[0, 0]) if len(table) > 1 else 0
        across = int(table[0, 1] - table[0, 0]) if table.shape[1] > 1 else 0
        rows, columns = np.indices(table.shape)
        if np.array_equal(table, table[0, 0] + down * rows + across * columns):
            channel, number = spectra.strides
            source = spectra[table[0, 0] :]
            shape, strides = (*table.shape, self._columns), (down * channel, across * channel, number)
            yield slice(None), slice(None), as_strided(source, shape, strides, writeable=False)
            return
        for i, o in np.ndindex(*table.shape):
            yield slice(i, i + 1), slice(o, o + 1), spectra[None, table[i, o], None]

    def straight(self, inputs: int) -> bool:
        """Whether the spectra of all inputs can be transformed right into a stored row: a path each, in order."""
        return np.array_equal(self._inputs, [range(inputs)])

    def store(self, spectra: Array, row: Array) -> Iterator[Step]:
        """Copy input `spectra` to every path of a stored row."""
        for paths, outputs, source in self._sources(spectra):
            yield copy(source, row[paths, outputs])

    def multiply_add(self, x: Array, h: Array, batch: slice, sums: Array) -> Iterator[Step]:
        """Sum ``x · h`` over rows and paths for some columns of the outputs, laid end to end, into `sums`."""
        rows = len(x) * self.group.paths
        x, h = (array.reshape(rows, -1)[:, batch] for array in (x, h))
        yield from self._scratch.multiply_add(x, h, sums.reshape(-1)[batch])

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
    spectra : list of ndarray, (inputs, columns)
        Where the ``n``-th window's spectra go, for ``−n`` modulo its length: right into the row where that is
        laid out as they are, else to one place beside, from which `store` copies them to every path.
    """

    def __init__(self, lanes: list[Lanes], partitions: Array, skip: int, spectra: Array) -> None:
        self._lanes, self._skip, self.rows = lanes, skip, partitions.shape[1] - skip
        self._history = [lane.rows(self.rows) for lane in lanes]
        doubled = np.concatenate((partitions[:, skip:],) * 2, axis=1)
        self._response = [lane.responses(doubled) for lane in lanes]
        straight = self.rows and len(lanes) == 1 and lanes[0].straight(len(spectra))
        self.spectra = list(self._history[0][:, 0]) if straight else [spectra]
        self._apart = not straight

    def store(self, n: int) -> Iterator[Step]:
        """Keep the ``n``-th window's spectra, in place of the oldest."""
        if self._apart and self.rows:
            for lane, history in zip(self._lanes, self._history, strict=True):
                yield from lane.store(self.spectra[0], history[-n % self.rows])

    def multiply_add(self, lane: int, batch: slice, n: int, sums: Array) -> Iterator[Step]:
        """Sum the products for output ``n``: window ``n − p`` meets partition ``p`` of the response."""
        start = (n - self._skip) % self.rows
        response = self._response[lane][start : start + self.rows]
        yield from self._lanes[lane].multiply_add(self._history[lane], response, batch, sums)

    def clear(self) -> None:
        """Forget all sound."""
        for history in self._history:
            history[...] = 0
