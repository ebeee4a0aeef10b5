"""Requests for responses: the newest is always served, whenever it arrives."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from reverb.errors import ParameterError
from reverb.live.loader import ResponseLoader
from tests.interleaving import interrupted
from tests.live.fakes import eventually


class Loading:
    """Loads of a loader that wait until they are let go."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.messages: list[str] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.loader = ResponseLoader(self.load, self.messages.append)

    def load(self, name: str) -> None:
        self.begun.set()
        self.go.wait(20)
        self.names.append(name)


def test_of_requests_that_wait_only_the_last_is_served() -> None:
    work = Loading()
    work.loader.request("a")
    assert work.begun.wait(20)
    for name in ("b", "c", "d"):
        work.loader.request(name)
    assert work.loader.pending == "d"
    work.go.set()
    assert eventually(lambda: work.loader.pending is None)
    assert work.names == ["a", "d"]
    work.loader.close()


def test_the_name_being_loaded_is_loaded_again_if_it_is_requested_again() -> None:
    work = Loading()
    work.loader.request("a")
    assert work.begun.wait(20)
    work.loader.request("a")
    work.go.set()
    assert eventually(lambda: work.names == ["a", "a"])
    assert eventually(lambda: work.loader.pending is None)
    work.loader.close()


@pytest.mark.parametrize("error", [ParameterError("no such room"), ZeroDivisionError("broken")])
def test_after_an_error_of_any_kind_later_requests_are_served(error: Exception) -> None:
    served: list[str] = []
    messages: list[str] = []

    def load(name: str) -> None:
        if name == "bad":
            raise error
        served.append(name)

    loader = ResponseLoader(load, messages.append)
    loader.request("bad")
    assert eventually(lambda: loader.pending is None)
    loader.request("good")
    assert eventually(lambda: served == ["good"])
    assert str(error) in messages[0]
    loader.close()


class Waking:
    """An event of a loader's loop, whose `wait` ends the loop instead of waiting."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self) -> bool:
        return self._set


def served_with_a_request_at(step: int, monkeypatch: pytest.MonkeyPatch) -> list[str] | None:
    """Run a loader's loop in this thread, and request another response before its bytecode number `step`.

    Return the names that were served, None if the loop has fewer bytecodes.
    """
    loops: list[Callable[[], None]] = []
    served: list[str] = []
    came = False

    def request_another() -> None:
        nonlocal came
        came = True
        loader.request("new")

    with monkeypatch.context() as patch:
        patch.setattr("reverb.live.loader.threading.Event", Waking)
        patch.setattr(
            "reverb.live.loader.threading.Thread",
            lambda target, **_: SimpleNamespace(start=lambda: loops.append(target)),
        )
        loader = ResponseLoader(served.append, lambda _message: None)
    loader.request("old")
    interrupted(loops[0], step, request_another)
    loops[0]()  # woken by the request, if it still has to be
    assert loader.pending is None, f"at step {step}"
    return served if came else None


def test_a_request_at_any_step_of_the_loop_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    step = 1
    while (served := served_with_a_request_at(step, monkeypatch)) is not None:
        assert served[-1] == "new", f"lost at step {step}: {served}"
        step += 1
    assert step > 20
