"""Reading, convolving and writing at the same time: whoever is free does what is due, and little waits in between.

No more threads than cores take part, for three on two cores wait for each other at Python's lock and for their turn.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from reverb.arrays import Audio

_Item = TypeVar("_Item")
_DEPTH = 1  # items waiting between two stages: enough to even out a slow disk, little memory
_STAGES = 3
_HEARTBEAT = 0.1  # seconds; nobody wakes those who wait for a worker that an interrupt has stopped

LIVE = _DEPTH + 1
"""Items of one stage that may be in use at once: the one being used, and those that wait or are being made.

A stage that hands out this many buffers in turn never overwrites one that is still needed.
"""


def run(
    source: Iterable[_Item],
    transform: Callable[[Iterator[_Item]], Iterable[Audio]],
    sink: Callable[[Audio], None],
) -> None:
    """Draw items from `source`, pass them through `transform`, and give each result to `sink`.

    Each is at work in one thread at a time; order is kept. An exception in any of them, or an interrupt here, stops all
    three, and is raised here once they have ended: nobody works on what the caller then takes away.

    Parameters
    ----------
    source : iterable
        Drawn from a few items ahead. An item is done with when the next one is drawn.
    transform : callable
        Takes the iterator of items, gives the iterable of results.
    sink : callable
        Called with each result; done with it when it returns.
    """
    line = _Line(source, transform, sink)
    # Two at the least, since a transform may wait for the next item.
    workers = [_Worker(line.work) for _ in range(min(_STAGES, max(2, os.cpu_count() or 1)))]
    # The calling thread, where interrupts arrive, waits for a lock only: an interrupt inside a condition would break
    # it. And for another one afterwards, since an interrupt may come when it has just got the first.
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            while not worker.finished.acquire(timeout=_HEARTBEAT):
                pass  # an interrupt just before the wait does not end it; the next turn sees it
    except BaseException as interrupt:
        line.failures.append(interrupt)
        for worker in workers:
            if worker.ident is not None:
                worker.stopped.acquire()
        raise
    for worker in workers:
        worker.join()
    if line.failures:
        raise line.failures[0]


class _Line(Generic[_Item]):
    """The three stages, what waits between them, and who is at work.

    Attributes
    ----------
    failures : list of BaseException
        The first is what went wrong; with one in it, nothing more is begun.
    """

    def __init__(
        self,
        source: Iterable[_Item],
        transform: Callable[[Iterator[_Item]], Iterable[Audio]],
        sink: Callable[[Audio], None],
    ) -> None:
        self.failures: list[BaseException] = []
        self._change = threading.Condition()
        self._source, self._results, self._sink = iter(source), iter(transform(self._items())), sink
        self._read: deque[_Item] = deque()
        self._made: deque[Audio] = deque()
        self._reading = self._making = True
        self._busy: set[Callable[[], None]] = set()

    def work(self) -> None:
        """Do what is due, again and again, until all is done or something failed."""
        while (stage := self._next()) is not None:
            try:
                stage()
            except BaseException as error:
                self.failures.append(error)
            with self._change:
                self._busy.remove(stage)
                self._change.notify_all()

    def _next(self) -> Callable[[], None] | None:
        """Return a stage that is due and free, as soon as there is one; None when all is done or something failed."""
        with self._change:
            while not self.failures:
                for stage in self._due():
                    if stage not in self._busy:
                        self._busy.add(stage)
                        return stage
                if not (self._reading or self._making or self._made or self._busy):
                    break
                self._change.wait(_HEARTBEAT)
        return None

    def _due(self) -> Iterator[Callable[[], None]]:
        """Give the stages that have something to work on and room for what comes of it, the last of them first."""
        if self._made:
            yield self._write
        if self._making and (self._read or not self._reading) and len(self._made) < _DEPTH:
            yield self._make
        if self._reading and len(self._read) < _DEPTH:
            yield self._draw

    def _draw(self) -> None:
        for item in self._source:
            with self._change:
                self._read.append(item)
            return
        self._reading = False

    def _items(self) -> Iterator[_Item]:
        while True:
            with self._change:
                while not self._read and self._reading and not self.failures:
                    self._change.wait(_HEARTBEAT)
                if not self._read or self.failures:
                    return
                item = self._read.popleft()
                self._change.notify_all()
            yield item

    def _make(self) -> None:
        for result in self._results:
            with self._change:
                self._made.append(result)
            return
        self._making = False

    def _write(self) -> None:
        with self._change:
            result = self._made.popleft()
        self._sink(result)


class _Worker(threading.Thread):
    """A thread that does `work`, and then lets two locks go."""

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
