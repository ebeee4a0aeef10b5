"""Workers that share items of work, in threads that live as long as there is some."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Room = TypeVar("Room")


class Crew(Generic[Room]):
    """Workers that share items: the caller, and threads for as long as there is work.

    A thread's start takes some 50 µs, little beside a round; so none waits in between, and none is left at the end.
    """

    def __init__(self, scratch: Callable[[], Room]) -> None:
        self._new_scratch = scratch
        self._scratches: list[Room] = []

    def run(self, work: Callable[[Item, Room], None], items: Sequence[Item], workers: int) -> None:
        """Do all items, each worker with buffers of its own; the first error is raised once no thread works."""
        waiting, failures = deque(items), list[BaseException]()
        workers = max(1, min(workers, len(items)))
        while len(self._scratches) < workers:
            self._scratches.append(self._new_scratch())

        def share(scratch: Room) -> None:
            while (item := _next(waiting)) is not None:
                try:
                    work(item, scratch)
                except BaseException as error:
                    failures.append(error)
                    waiting.clear()

        threads = [threading.Thread(target=share, args=(s,), daemon=True) for s in self._scratches[1:workers]]
        for thread in threads:
            thread.start()
        share(self._scratches[0])
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


def _next(waiting: deque[Item]) -> Item | None:
    try:
        return waiting.popleft()
    except IndexError:  # all done, or another worker was quicker
        return None
