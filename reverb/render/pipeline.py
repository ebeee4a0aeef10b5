"""Reading, convolving and writing at the same time, in three threads with bounded queues between them."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, Queue
from typing import TypeVar

from reverb.arrays import Audio

_Item = TypeVar("_Item")
_DEPTH = 1  # items waiting between two stages: enough to even out a slow disk, little memory

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

    `source` runs in one thread, `sink` in another, `transform` here. Order is kept. An exception in any of them
    stops all three and is raised here once both threads have ended.

    Parameters
    ----------
    source : iterable
        Drawn from in a thread of its own, a few items ahead. An item is done with when the next one is drawn.
    transform : callable
        Takes the iterator of items, gives the iterable of results.
    sink : callable
        Called with each result, in a thread of its own; done with it when it returns.
    """
    read: Queue[_Item | None] = Queue(_DEPTH)
    write: Queue[Audio | None] = Queue(_DEPTH)
    stop = threading.Event()
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        stop.set()

    def reader() -> None:
        try:
            for item in source:
                read.put(item)
                if stop.is_set():
                    break
        except BaseException as error:
            fail(error)
        finally:
            read.put(None)

    def writer() -> None:
        # It goes on emptying its queue after a failure, so that nobody waits for room in it.
        while (result := write.get()) is not None:
            if not failures:
                try:
                    sink(result)
                except BaseException as error:
                    fail(error)

    def items() -> Iterator[_Item]:
        while (item := read.get()) is not None:
            if stop.is_set():
                return
            yield item

    threads = [threading.Thread(target=stage, name=stage.__name__, daemon=True) for stage in (reader, writer)]
    for thread in threads:
        thread.start()
    try:
        for result in transform(items()):
            if stop.is_set():
                break
            write.put(result)
    finally:
        stop.set()
        while threads[0].is_alive():  # it may wait for room in its queue
            with contextlib.suppress(Empty):
                read.get_nowait()
            threads[0].join(0.005)
        write.put(None)
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
