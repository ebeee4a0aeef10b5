"""Making Python fit for a callback with a deadline: the switch interval, the collector, the thread's priority.

The callback needs the interpreter's lock. By default another busy Python thread keeps it for 5 ms at a time, two blocks
of 128 frames; a full collection stops everything for as long as there are objects; and where all cores are taken the
thread that has the lock may itself have to wait for its turn. While a session runs all three are tamed, and put back
afterwards.
"""

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

SWITCH_INTERVAL = 0.00005
NICE = -11
"""What Linux desktops grant programs that play sound; where it is not granted it is left."""

_TASKS = Path("/proc/self/task")
_LOOKS_TO_GROW_OLD = 40
_PRIORITY = 65  # below the sound server's own threads, above everything ordinary

_lock = threading.Lock()
_sessions = 0
_before: tuple[float, bool, int] = (0.005, True, 0)


@contextlib.contextmanager
def low_latency() -> Iterator[None]:
    """Let other threads hold the interpreter for 50 µs at most, stop the automatic collector, and go before others.

    Objects that exist are frozen: later collections need not look at them. On Linux all threads of the process are made
    less nice where that is allowed, for any of them may have the lock. May be nested, and used from several threads.
    """
    global _sessions, _before
    with _lock:
        _sessions += 1
        if _sessions == 1:
            _before = (sys.getswitchinterval(), gc.isenabled(), _niceness())
            gc.collect()
            gc.freeze()
            gc.disable()
            sys.setswitchinterval(SWITCH_INTERVAL)
            _be_nice(min(NICE, _before[2]))
    try:
        yield
    finally:
        with _lock:
            _sessions -= 1
            if _sessions == 0:
                sys.setswitchinterval(_before[0])
                _be_nice(_before[2])
                gc.unfreeze()
                if _before[1]:
                    gc.enable()


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0) if _TASKS.is_dir() else 0


def _be_nice(niceness: int) -> None:
    """Set the niceness of every thread there is, as far as it is allowed; new ones take after their makers."""
    if _TASKS.is_dir():
        for thread in _TASKS.iterdir():
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)


def collect_young(looks: int) -> None:
    """Collect what has been made since the last look, and at every fortieth what outlived one; in well under 1 ms.

    The collector does the same by counting objects, whenever it likes and to the oldest: tens of milliseconds.
    """
    gc.collect(1 if looks % _LOOKS_TO_GROW_OLD == 0 else 0)


def spare_the_collector() -> None:
    """Let no later collection look at what exists now: modules, engines, screens.

    Starting a session makes so much that the first collection would stop everything for 30 ms. Just before
    the end of the process it saves the interpreter its last look, a tenth of a second.
    """
    gc.freeze()


def raise_priority() -> bool:
    """Give the calling thread a real-time priority where the system allows it; return whether it has one.

    macOS and Windows do it by themselves for audio threads, as does a JACK server that runs in real time.
    """
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
            return True
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except OSError:
        return False
    return True
