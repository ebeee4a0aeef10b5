"""Move sound through several stages at once, with little waiting in between.

A source gives items, stages turn each into another, a sink takes them. Threads are not bound to a stage: a free one
takes the stage nearest to the sink that has something to do. So there are never more threads than cores: three on two
cores wait for each other at Python's lock and for their turn.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from reverb.arrays import Audio

Step = Callable[[Any], Any]

_DEPTH = 1  # items waiting between two stages: enough to even out a slow disk, little memory
_HEARTBEAT = 0.1  # seconds; nobody wakes those who wait for a worker that an interrupt has stopped


def run(
    source: Iterable[Any],
    stages: Sequence[Step],
    sink: Callable[[Any], None],
    *,
    rest: Callable[[], Iterable[Any]] = tuple,
    depth: int = _DEPTH,
) -> None:
    """Draw items from `source`, pass each through the `stages` in order, and give each result to `sink`.

    Each of them is at work in one thread at a time, and order is kept. An exception in any of them, or an interrupt
    here, stops all, and is raised here once they have ended: nobody works on what the caller then takes away.

    Parameters
    ----------
    source : iterable
        Drawn from a few items ahead.
    stages : sequence of callable
        Each takes an item and returns what becomes of it, or None where nothing does yet.
    sink : callable
        Called with each result; done with it when it returns.
    rest : callable
        Gives what the last stage has left when all items have passed.
    depth : int
        Items that may wait before each stage and before the sink.
    """
    line = _Line(source, stages, sink, rest, depth)
    workers = [_Worker(line.work) for _ in range(min(len(stages) + 2, os.cpu_count() or 1))]
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


class Buffers:
    """Arrays of one kind that are used again, however many are in use at once: fresh memory takes longer to write to.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype_like
    order : {'C', 'F'}
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, order: Any = "C") -> None:
        self._kind = (shape, dtype, order)
        self._free: deque[Audio] = deque()

    def take(self) -> Audio:
        """Return an array that nobody uses."""
        try:
            return self._free.popleft()
        except IndexError:
            shape, dtype, order = self._kind
            return np.empty(shape, dtype, order)

    def give_back(self, array: Audio) -> None:
        """Let an array, or the one of which it is a part, be used again."""
        self._free.append(array if array.base is None else array.base)


class _Line:
    """The stages, the items that wait before each of them, and the stages at work.

    Attributes
    ----------
    failures : list of BaseException
        The first is what went wrong; with one in it, nothing more is begun.
    """

    def __init__(
        self,
        source: Iterable[Any],
        stages: Sequence[Step],
        sink: Step,
        rest: Callable[[], Iterable[Any]],
        depth: int,
    ) -> None:
        self.failures: list[BaseException] = []
        self._change = threading.Condition()
        self._source, self._steps, self._rest, self._depth = iter(source), [*stages, sink], rest, depth
        self._left: Iterator[Any] | None = None
        self._waiting: list[deque[Any]] = [deque() for _ in self._steps]
        self._open = [True] * len(self._steps)  # whether more may come to wait before a step
        self._busy: set[int] = set()

    def work(self) -> None:
        """Do what is due, again and again, until all is done or something failed."""
        while (number := self._next()) is not None:
            try:
                self._do(number)
            except BaseException as error:
                self.failures.append(error)
            with self._change:
                self._busy.remove(number)
                self._change.notify_all()

    def _next(self) -> int | None:
        """Return the last step that is due and free, as soon as there is one; None when all is done or failed."""
        with self._change:
            while not self.failures:
                for number in range(len(self._steps) - 1, -2, -1):
                    if number not in self._busy and self._due(number):
                        self._busy.add(number)
                        return number
                if not (self._busy or any(self._open) or any(self._waiting)):
                    break
                self._change.wait(_HEARTBEAT)
        return None

    def _due(self, number: int) -> bool:
        """Return whether a step has something to work on and room for its result; −1 is the source."""
        last = len(self._steps) - 1
        if number < last and not (self._open[number + 1] and len(self._waiting[number + 1]) < self._depth):
            return False
        return number == -1 or bool(self._waiting[number]) or (number < last and not self._open[number])

    def _do(self, number: int) -> None:
        """Do one step with one item; a step that has seen the last one tells the next that no more will come."""
        last = len(self._steps) - 1
        if number >= 0 and self._waiting[number]:
            results = iter((self._steps[number](self._waiting[number].popleft()),))
        elif number == -1:
            results = self._source
        elif number == last - 1:
            self._left = results = iter(self._rest()) if self._left is None else self._left
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
