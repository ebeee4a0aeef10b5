"""Work shared out to threads for as long as there is some; none is left waiting in between."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Scratch = TypeVar("Scratch")


class ParallelMap(Generic[Scratch]):
    """Call a function for many items, in the caller's thread and in others.

    Starting a thread takes some 50 µs, little compared to a segment of blocks.

    Parameters
    ----------
    workers : int
        Threads at most, the caller's included.
    new_scratch : callable
        Makes the buffers of one thread; they are kept for the next call.
    """

    def __init__(self, workers: int, new_scratch: Callable[[], Scratch]) -> None:
        self._workers, self._new_scratch = workers, new_scratch
        self._scratches: list[Scratch] = []

    def __call__(self, work: Callable[[Item, Scratch], None], items: Sequence[Item]) -> None:
        """Call ``work(item, scratch)`` for every item; raise the first error once no thread works any more."""
        waiting, failures = deque(items), list[BaseException]()
        workers = max(1, min(self._workers, len(items)))
        while len(self._scratches) < workers:
            self._scratches.append(self._new_scratch())

        def share(scratch: Scratch) -> None:
            while True:
                try:
                    item = waiting.popleft()
                except IndexError:  # all are handed out
                    return
                try:
                    work(item, scratch)
                except BaseException as error:
                    failures.append(error)
                    waiting.clear()

        others = [
            threading.Thread(target=share, args=(scratch,), daemon=True)
            for scratch in self._scratches[1:workers]
        ]
        for thread in others:
            thread.start()
        share(self._scratches[0])
        for thread in others:
            thread.join()
        if failures:
            raise failures[0]
