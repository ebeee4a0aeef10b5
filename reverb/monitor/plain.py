"""A session as a line that is redrawn in a terminal; outside a terminal, only its messages."""

import math
import time
from collections import deque
from typing import Protocol, TextIO

from reverb.monitor.text import MonitoredSession, status

_INTERVAL_SECONDS = 0.2


class PlainSession(MonitoredSession, Protocol):
    """The part of a session that the line uses."""

    messages: deque[str]

    def wait(self, seconds: float | None = None) -> bool:
        """Wait; return whether the session has ended."""
        ...


def run_plain(
    session: PlainSession, stream: TextIO, duration: float | None = None, *, quiet: bool = False
) -> None:
    """Show a session until it has ended, or for a duration in seconds."""
    terminal = stream.isatty() and not quiet
    deadline = None if duration is None else time.monotonic() + duration
    width = 0
    try:
        ended = False
        while not ended and (deadline is None or time.monotonic() < deadline):
            left = math.inf if deadline is None else max(0.0, deadline - time.monotonic())
            ended = session.wait(min(_INTERVAL_SECONDS, left))
            while session.messages:
                clear = f"\r{' ' * width}\r" if width else ""
                stream.write(f"{clear}{session.messages.popleft()}\n")
            if terminal:
                line = status(session)
                stream.write(f"\r{line.ljust(width)}")
                width = len(line)
            stream.flush()
    finally:
        if terminal:
            stream.write("\n")
