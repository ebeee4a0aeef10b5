"""A cache whose function runs once, however many threads ask first."""

import functools
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class once(Generic[Made]):  # noqa: N801  # used as a decorator, like functools.cache
    """Cache a function's results as `functools.cache` does, under a lock.

    `functools.cache` calls the function in every thread that asks before the first result is there. That is wrong
    where the call has an effect of its own: loading a compiled module, creating the one planner of a library.
    The lock can be taken again by its own thread, and is never held by the audio thread: what it needs is made before.

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
