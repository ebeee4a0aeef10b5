"""The mailbox between threads: whatever the order of steps, the newest message arrives, and once."""

import itertools
import threading

import pytest

from reverb.mailbox import Latest
from tests.interleaving import interrupted


def test_the_newest_message_is_taken_once() -> None:
    mailbox = Latest[int]()
    assert mailbox.take() is None
    mailbox.put(1)
    mailbox.put(2)
    assert mailbox.waiting
    assert mailbox.take() == 2
    assert not mailbox.waiting
    assert mailbox.take() is None


def test_a_message_that_is_false_is_a_message() -> None:
    mailbox = Latest[int]()
    mailbox.put(0)
    assert mailbox.take() == 0


STEPS = range(1, 30)  # more than either method has bytecodes


@pytest.mark.parametrize("filled", [False, True])
def test_a_message_put_at_any_step_of_a_take_arrives(filled: bool) -> None:
    for step in STEPS:
        mailbox = Latest[str]()
        if filled:
            mailbox.put("old")
        happened: list[bool] = []

        def put(mailbox: Latest[str] = mailbox, happened: list[bool] = happened) -> None:
            mailbox.put("new")
            happened.append(True)

        taken = [interrupted(mailbox.take, step, put), mailbox.take(), mailbox.take()]
        found = [message for message in taken if message is not None]
        assert found in ((["new"], ["old", "new"]) if happened else (["old"], [])), (step, taken)
        assert taken[-1] is None, (step, taken)


@pytest.mark.parametrize("method", ["put", "take"])
def test_a_take_at_any_step_finds_each_message_once_at_most(method: str) -> None:
    for step in STEPS:
        mailbox = Latest[str]()
        mailbox.put("old")
        taken: list[str | None] = []

        def take(mailbox: Latest[str] = mailbox, taken: list[str | None] = taken) -> None:
            taken.append(mailbox.take())

        work = (lambda mailbox=mailbox: mailbox.put("new")) if method == "put" else mailbox.take
        taken.append(interrupted(work, step, take))
        taken += [mailbox.take(), mailbox.take()]
        found = [message for message in taken if message is not None]
        assert found in (["old"], ["new"], ["old", "new"]), (step, taken)
        assert "new" in found or method == "take", (step, taken)


def test_the_steps_are_all_of_them() -> None:
    mailbox = Latest[str]()
    mailbox.put("a message")
    reached: list[str] = []
    interrupted(mailbox.take, 1, lambda: reached.append("first"))
    mailbox.put("a message")
    interrupted(mailbox.take, STEPS.stop, lambda: reached.append("beyond"))
    assert reached == ["first"]


def test_threads_never_lose_the_last_message() -> None:
    mailbox = Latest[int]()
    taken: list[int] = []
    ended = threading.Event()

    def consume() -> None:
        while not (ended.is_set() and not mailbox.waiting):
            message = mailbox.take()
            if message is not None:
                taken.append(message)

    thread = threading.Thread(target=consume)
    thread.start()
    for number in range(20_000):
        mailbox.put(number)
    ended.set()
    thread.join()
    assert taken[-1] == 19_999
    assert all(earlier < later for earlier, later in itertools.pairwise(taken))
