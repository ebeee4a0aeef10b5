"""One thread interrupted by another at a chosen step: races of two threads as ordinary tests."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


def interrupted(
    work: Callable[[], Result], step: int, interruption: Callable[[], object], modules: tuple[str, ...] = ()
) -> Result:
    """Run `work`, and `interruption` before its bytecode number `step`; without the latter if it has fewer.

    Only bytecodes of `modules`, called by their files' names without an ending, are counted, if any are given.
    """
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        if modules and Path(frame.f_code.co_filename).stem not in modules:
            return None
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


def every_step(attempt: Callable[[int], bool]) -> Iterator[int]:
    """Call `attempt` with each step from 1 until it says that its work has no such step; yield the steps."""
    for step in itertools.count(1):
        if not attempt(step):
            return
        yield step
