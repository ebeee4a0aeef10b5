"""One thread stopped at a chosen step by another: races of two threads as ordinary tests."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


def interrupted(work: Callable[[], Result], step: int, interruption: Callable[[], None]) -> Result:
    """Run `work`, and `interruption` before its bytecode number `step`; without the latter if it has fewer."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == step:
                sys.settrace(None)
                interruption()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return work()
    finally:
        sys.settrace(before)
