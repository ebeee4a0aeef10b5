"""Reading, convolving and writing at the same time, in three threads with bounded queues between them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Queue
from typing import TypeVar

from reverb.arrays import Audio

_Item = TypeVar("_Item")
_DEPTH = 1  # items waiting between two stages: enough to even out a slow disk, little memory

_HEARTBEAT = 0.1  # seconds

LIVE = _DEPTH + 2
"""Items of one stage that may be in use at once: one being made, those that wait, one being used.

A stage that hands out this many buffers in turn never overwrites one that is still needed.
"""


def run(
    source: Iterable[_Item],
    transform: Callable[[Iterator[_Item]], Iterable[Audio]],
    sink: Callable[[Audio], None],
) -> None:
    """Draw items from `source`, pass them through `transform`, and give each result to `sink`.

    Each runs in a thread of its own; order is kept. An exception in any of them, or an interrupt here, stops all
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
    read: Queue[_Item | None] = Queue(_DEPTH)
    write: Queue[Audio | None] = Queue(_DEPTH)
    failures: list[BaseException] = []
    drained = False

    def reading() -> None:
        for item in source:
            if failures:
                break
            read.put(item)

    def items() -> Iterator[_Item]:
        nonlocal drained
        while (item := read.get()) is not None:
            if not failures:
                yield item
        drained = True

    def transforming() -> None:
        try:
            for result in transform(items()):
                if failures:
                    break
                write.put(result)
        finally:  # the reader may wait for room in its queue
            while not drained and read.get() is not None:
                pass

    def writing() -> None:
        while (result := write.get()) is not None:
            if not failures:
                try:
                    sink(result)
                except BaseException as error:
                    failures.append(error)

    # The calling thread, where interrupts arrive, waits for a lock only: an interrupt inside a queue would break it.
    # And for another one afterwards, since an interrupt may come when it has just got the first.
    finished, stopped = threading.Lock(), threading.Lock()
    for lock in (finished, stopped):
        lock.acquire()

    def release() -> None:
        finished.release()
        stopped.release()

    stages = (
        _Stage("writer", writing, release, failures),
        _Stage("transformer", transforming, lambda: write.put(None), failures),
        _Stage("reader", reading, lambda: read.put(None), failures),
    )
    try:
        for stage in stages:
            stage.start()
        while not finished.acquire(timeout=_HEARTBEAT):
            pass  # an interrupt just before the wait does not end it; the next turn sees it
    except BaseException as interrupt:
        failures.append(interrupt)
        if stages[-1].ident is not None:
            stopped.acquire()
        raise
    for stage in stages:
        stage.join()
    if failures:
        raise failures[0]


class _Stage(threading.Thread):
    """A thread that does `work` and then, whatever came of it, tells the next stage by `last`."""

    def __init__(
        self, name: str, work: Callable[[], None], last: Callable[[], None], failures: list[BaseException]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._work, self._last, self._failures = work, last, failures

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._failures.append(error)
        finally:
            self._last()
