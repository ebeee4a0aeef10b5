"""A function that runs once, however many threads ask first."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reverb.once import once


def test_threads_that_ask_together_get_the_one_result() -> None:
    calls: list[str] = []
    together = threading.Barrier(8)

    @once
    def load(name: str) -> list[str]:
        calls.append(name)
        time.sleep(0.01)  # long enough for all the others to ask
        return [name]

    def ask(_: int) -> list[str]:
        together.wait()
        return load("library")

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(ask, range(8)))
    assert calls == ["library"]
    assert all(result is results[0] for result in results)


def test_results_are_kept_by_argument_until_they_are_cleared() -> None:
    @once
    def load(name: str) -> object:
        """Load."""
        return [name]

    first = load("a")
    assert load("a") is first
    assert load("b") is not first
    load.cache_clear()
    assert load("a") is not first
    assert (vars(load)["__name__"], load.__doc__) == ("load", "Load.")


def test_a_failure_is_not_kept_and_the_function_may_ask_again() -> None:
    answers = iter([OSError("not yet"), 3])

    @once
    def load(depth: int = 0) -> object:
        if depth == 0:
            return load(1)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(OSError, match="not yet"):
        load()
    assert load() == 3
