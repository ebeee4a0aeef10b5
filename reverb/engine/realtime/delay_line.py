"""The frequency-domain delay line of a real-time stage, and its multiply-adds.

Outputs with the same number of paths form a group, and the spectra of all their paths are contiguous, so that one call
serves all channels. Everything here prepares steps: calls without arguments, bound to views of fixed arrays.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from reverb.arrays import Array, aligned_zeros
from reverb.engine.fft import Step
from reverb.engine.realtime.schedule import MAX_PRODUCTS, Group, Stage
from reverb.engine.routing import Routing


def copy(source: Array, target: Array) -> Step:
    """Prepare a copy; the method call is twice as quick as ``np.copyto``."""
    return partial(target.__setitem__, ..., source)


class Scratch:
    """The one buffer for all products of a convolver, so that it stays in the cache."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self._buffer = aligned_zeros((size,), dtype)
        self.dtype = self._buffer.dtype
        self._ones = np.ones(size, self._buffer.real.dtype)

    def array(self, *shape: int) -> Array:
        """Return a view of the beginning of the buffer."""
        return self._buffer[: int(np.prod(shape))].reshape(shape)

    def multiply_add(self, x: Array, h: Array, total: Array) -> Iterator[Step]:
        """Prepare the sum over the rows of ``x · h`` ``(rows, width)``, to go into `total` ``(width,)``.

        A product of ones and a real matrix sums rows twice as fast as ``add.reduce``, as long as BLAS uses one
        thread: up to `MAX_PRODUCTS` complex numbers.
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
        elif products.size <= MAX_PRODUCTS:
            yield partial(self._ones[:rows].dot, products.view(real), total.view(real))
        else:
            yield partial(np.add.reduce, products.view(real), 0, None, total.view(real))


class OutputGroup:
    """The multiply-adds of a group of outputs that are each the sum of the same number of paths.

    Stored spectra, of past inputs or of the response, are ``(rows, paths, outputs, columns)``, so that the factors of
    one multiply-add are contiguous.

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
        """Return contiguous zeros, without padding of rows: other views take all outputs as one long row."""
        return aligned_zeros((int(np.prod(shape)),), self._scratch.dtype).reshape(shape)

    def rows(self, count: int) -> Array:
        """Return room for `count` spectra of every path."""
        return self._zeros(count, self.group.paths, self.group.outputs, self._columns)

    def responses(self, spectra: Array) -> Array:
        """Return the stored form of response `spectra` ``(responses, rows, bins)``, by path."""
        stored = self.rows(spectra.shape[1])
        for path in np.ndindex(*self._rows.shape):
            stored[:, *path, : spectra.shape[2]] = spectra[self._rows[path]]
        return stored

    def _sources(self, spectra: Array) -> Iterator[tuple[slice, slice, Array]]:
        """Yield input `spectra` ``(inputs, columns)`` by path, as slices of paths and outputs and a view for each.

        The view is of all paths where their inputs form a regular pattern, as in all usual layouts; else of one path.
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

    def one_path_each(self, inputs: int) -> bool:
        """Return whether every input has one path, in order, so that a stored row is the inputs' spectra themselves."""
        return np.array_equal(self._inputs, [range(inputs)])

    def store(self, spectra: Array, row: Array) -> Iterator[Step]:
        """Prepare the copy of input `spectra` to every path of a stored row."""
        for paths, outputs, source in self._sources(spectra):
            yield copy(source, row[paths, outputs])

    def multiply_add(self, x: Array, h: Array, batch: slice, sums: Array) -> Iterator[Step]:
        """Prepare the sum of ``x · h`` over rows and paths into `sums`, for a `batch` of the outputs' columns."""
        rows = len(x) * self.group.paths
        x, h = (array.reshape(rows, -1)[:, batch] for array in (x, h))
        yield from self._scratch.multiply_add(x, h, sums.reshape(-1)[batch])

    def finish(self, spectra: Array, first: Array, sums: Array | None) -> Iterator[Step]:
        """Prepare the product of the input `spectra` with the `first` partition, plus `sums`, to go into `total`."""
        products = self.total[None] if self.group.paths == 1 else self._scratch.array(*first.shape)
        for paths, outputs, source in self._sources(spectra):
            yield partial(np.multiply, source, first[paths, outputs], products[paths, outputs])
        terms = [products[i] for i in range(1, self.group.paths)] + ([] if sums is None else [sums])
        running = products[0]
        for term in terms:
            yield partial(np.add, running, term, self.total)
            running = self.total


class FrequencyDelayLine:
    """The spectra of past input windows, in a ring of rows, and the partitions of the response for them.

    The response is stored twice in succession, so that a part of it matches the ring in every position, and only the
    newest row is ever written.

    Attributes
    ----------
    rows : int
        Number of spectra, and of partitions of the response, beginning with the `skip`-th.
    spectra : list of ndarray, (inputs, columns)
        The targets of the transforms; of the ``n``-th window, the entry ``−n`` modulo its length. They are the rows
        themselves where the layout is the same, else one array, from which `store` copies to every path.
    """

    def __init__(self, groups: list[OutputGroup], partitions: Array, skip: int, spectra: Array) -> None:
        self._groups, self._skip, self.rows = groups, skip, partitions.shape[1] - skip
        self._history = [group.rows(self.rows) for group in groups]
        doubled = np.concatenate((partitions[:, skip:],) * 2, axis=1)
        self._response = [group.responses(doubled) for group in groups]
        direct = self.rows and len(groups) == 1 and groups[0].one_path_each(len(spectra))
        self.spectra = list(self._history[0][:, 0]) if direct else [spectra]
        self._copied = not direct

    def store(self, n: int) -> Iterator[Step]:
        """Prepare to keep the ``n``-th window's spectra, in place of the oldest."""
        if self._copied and self.rows:
            for group, history in zip(self._groups, self._history, strict=True):
                yield from group.store(self.spectra[0], history[-n % self.rows])

    def multiply_add(self, group: int, batch: slice, n: int, sums: Array) -> Iterator[Step]:
        """Prepare the sum for output ``n``: window ``n − p`` times partition ``p`` of the response."""
        start = (n - self._skip) % self.rows
        response = self._response[group][start : start + self.rows]
        yield from self._groups[group].multiply_add(self._history[group], response, batch, sums)

    def clear(self) -> None:
        """Forget all sound."""
        for history in self._history:
            history[...] = 0
