"""Two halves of a repeated work in two threads, the first a few steps ahead of the second."""

import threading
from collections.abc import Callable


def relay(first: Callable[[int], None], second: Callable[[int], None], steps: int, ahead: int) -> None:
    """Call ``first(n)`` and then ``second(n)`` for each step, in order, `first` in a thread of its own.

    Parameters
    ----------
    first, second : callable
    steps : int
    ahead : int
        Steps that `first` may have begun beyond the one that `second` works on; 0 for one thread and no other.

    Raises
    ------
    BaseException
        What either raised, once neither works any more.
    """
    if ahead == 0 or steps == 1:
        for step in range(steps):
            first(step)
            second(step)
        return
    room, ready = threading.Semaphore(1 + ahead), threading.Semaphore(0)
    failures: list[BaseException] = []

    def lead() -> None:
        try:
            for step in range(steps):
                room.acquire()
                if failures:
                    return
                first(step)
                ready.release()
        except BaseException as error:
            failures.append(error)
        finally:
            ready.release()

    leader = threading.Thread(target=lead, daemon=True)
    leader.start()
    try:
        for step in range(steps):
            ready.acquire()
            if failures:
                break
            second(step)
            room.release()
    except BaseException as error:
        failures.append(error)
        room.release()
    leader.join()
    if failures:
        raise failures[0]
