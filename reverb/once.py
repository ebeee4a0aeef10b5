"""A cache whose function runs once, even if several threads call it at the same time."""

import functools
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class once(Generic[Made]):  # noqa: N801  # used as a decorator, like functools.cache
    """Cache a function's results as `functools.cache` does, under a lock.

    `functools.cache` calls the function in every thread that arrives before the first result. That is wrong if the call
    has a side effect, such as loading a compiled module or creating the only planner of a library. A thread may take
    the lock again. The audio thread never takes it: everything it needs exists before it starts.

    Parameters
    ----------
    function : callable
        Takes hashable arguments by position.

    Examples
    --------
    >>> @once
    ... def load(name: str) -> list[str]:
    ...     return [name]
    >>> load("a") is load("a")
    True
    """

    def __init__(self, function: Callable[..., Made]) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._cached = functools.cache(function)
        self._lock = threading.RLock()

    def __call__(self, *arguments: Hashable) -> Made:
        """Return the result for these arguments, computed by the first caller."""
        with self._lock:
            return self._cached(*arguments)

    def cache_clear(self) -> None:
        """Forget all results."""
        with self._lock:
            self._cached.cache_clear()
