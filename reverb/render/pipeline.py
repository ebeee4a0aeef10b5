"""Run several stages concurrently, with at most a few items waiting between them.

A source yields items, each stage turns an item into another, and a sink consumes them. Threads are not bound to a
stage: an idle one takes the most downstream stage that is ready. So there are never more threads than cores: three
threads on two cores would wait for each other at Python's lock.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from reverb.arrays import Audio

Stage = Callable[[Any], Any]

_DEPTH = 1  # items waiting between two stages: enough to even out a slow disk, little memory
_POLL_SECONDS = 0.1  # an interrupt may stop a worker before it notifies the others


def run(
    source: Iterable[Any],
    stages: Sequence[Stage],
    sink: Callable[[Any], None],
    *,
    flush: Callable[[], Iterable[Any]] = tuple,
    depth: int = _DEPTH,
) -> None:
    """Pass each item of `source` through the `stages` in order, and each result to `sink`.

    Source, stages and sink each run in one thread at a time, and order is kept. An exception in any of them, or an
    interrupt here, stops all threads, and is raised here after they have ended: none of them still uses the caller's
    buffers or files.

    Parameters
    ----------
    source : iterable
        Read a few items ahead.
    stages : sequence of callable
        Each takes an item and returns the next one, or None if there is none yet.
    sink : callable
        Called with each result; must not keep it.
    flush : callable
        Returns the items that the last stage still has when all others have passed.
    depth : int
        Maximum number of items that wait before each stage and before the sink.
    """
    schedule = _Schedule(source, stages, sink, flush, depth)
    workers = [_Worker(schedule.work) for _ in range(min(len(stages) + 2, os.cpu_count() or 1))]
    # The calling thread receives interrupts, so it waits for plain locks: an interrupt inside a condition variable
    # would leave that in a wrong state. The second lock is for an interrupt just after the first one was acquired.
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            while not worker.finished.acquire(timeout=_POLL_SECONDS):
                pass  # an interrupt just before the wait does not end it, but is raised after the timeout
    except BaseException as interrupt:
        schedule.failures.append(interrupt)
        for worker in workers:
            if worker.ident is not None:
                worker.stopped.acquire()
        raise
    for worker in workers:
        worker.join()
    if schedule.failures:
        raise schedule.failures[0]


class BufferPool:
    """Arrays of one shape and type for reuse, as many as are in use: writing to fresh memory takes longer.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype_like
    order : {'C', 'F'}
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, order: Any = "C") -> None:
        self._kind = (shape, dtype, order)
        self._free: deque[Audio] = deque()

    def acquire(self) -> Audio:
        """Return an array that is not in use."""
        try:
            return self._free.popleft()
        except IndexError:
            shape, dtype, order = self._kind
            return np.empty(shape, dtype, order)

    def release(self, array: Audio) -> None:
        """Return an array, or the array that this is a view of, to the pool."""
        self._free.append(array if array.base is None else array.base)


class _Schedule:
    """The stages, the items waiting before each of them, and the stages at work.

    Stages are numbered from 0, the sink is the last one, and −1 is the source.

    Attributes
    ----------
    failures : list of BaseException
        The first is the one to raise; with one in the list, no thread begins another stage.
    """

    def __init__(
        self,
        source: Iterable[Any],
        stages: Sequence[Stage],
        sink: Stage,
        flush: Callable[[], Iterable[Any]],
        depth: int,
    ) -> None:
        self.failures: list[BaseException] = []
        self._change = threading.Condition()
        self._source, self._stages, self._flush, self._depth = iter(source), [*stages, sink], flush, depth
        self._flushed: Iterator[Any] | None = None
        self._waiting: list[deque[Any]] = [deque() for _ in self._stages]
        self._open = [True] * len(self._stages)  # whether more items may arrive before a stage
        self._busy: set[int] = set()

    def work(self) -> None:
        """Run stages as they become ready, until all items have passed or one stage has failed."""
        while (number := self._next()) is not None:
            try:
                self._run(number)
            except BaseException as error:
                self.failures.append(error)
            with self._change:
                self._busy.remove(number)
                self._change.notify_all()

    def _next(self) -> int | None:
        """Wait for a ready stage and return the most downstream one; None after the end or a failure."""
        with self._change:
            while not self.failures:
                for number in range(len(self._stages) - 1, -2, -1):
                    if number not in self._busy and self._ready(number):
                        self._busy.add(number)
                        return number
                if not (self._busy or any(self._open) or any(self._waiting)):
                    break
                self._change.wait(_POLL_SECONDS)
        return None

    def _ready(self, number: int) -> bool:
        """Return whether a stage has an item to work on, and room for its result."""
        last = len(self._stages) - 1
        if number < last and not (self._open[number + 1] and len(self._waiting[number + 1]) < self._depth):
            return False
        return number == -1 or bool(self._waiting[number]) or (number < last and not self._open[number])

    def _run(self, number: int) -> None:
        """Run a stage for one item, or close the next stage if there is none."""
        last = len(self._stages) - 1
        if number >= 0 and self._waiting[number]:
            results = iter((self._stages[number](self._waiting[number].popleft()),))
        elif number == -1:
            results = self._source
        elif number == last - 1:
            self._flushed = results = iter(self._flush()) if self._flushed is None else self._flushed
        else:
            results = iter(())
        for result in results:
            if number < last and result is not None:
                with self._change:
                    self._waiting[number + 1].append(result)
            return
        with self._change:
            self._open[number + 1] = False


class _Worker(threading.Thread):
    """A thread that runs `work`, and then releases two locks."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(name="renderer", daemon=True)
        self._work, self.finished, self.stopped = work, threading.Lock(), threading.Lock()
        self.finished.acquire()
        self.stopped.acquire()

    def run(self) -> None:
        try:
            self._work()
        finally:
            self.finished.release()
            self.stopped.release()
