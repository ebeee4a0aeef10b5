"""The line that is redrawn in a terminal."""

import io
from collections import deque

from reverb.monitor.plain import run_plain
from tests.monitor.fakes import FakeSession


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_is_drawn_over_and_over_on_a_terminal() -> None:
    session, screen = FakeSession(turns=3), Terminal()
    session.messages = deque(["hello"])
    run_plain(session, screen)
    assert screen.getvalue().count("\r") >= 3
    assert "hello\n" in screen.getvalue()


def test_elsewhere_only_messages_are_written() -> None:
    session, file = FakeSession(turns=3), io.StringIO()
    session.messages = deque(["hello"])
    run_plain(session, file)
    assert file.getvalue() == "hello\n"
    quiet = Terminal()
    run_plain(FakeSession(turns=2), quiet, quiet=True)
    assert quiet.getvalue() == ""


def test_a_duration_ends_it() -> None:
    run_plain(FakeSession(turns=10**9), io.StringIO(), duration=0.05)
