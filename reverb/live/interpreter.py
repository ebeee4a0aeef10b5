"""Making Python fit for a callback with a deadline: the switch interval, the collector, the thread's priority.

The callback needs the interpreter's lock. By default another busy Python thread keeps it for 5 ms at a time, two blocks
of 128 frames; and a full collection stops everything for as long as there are objects. While a session runs both are
tamed, and put back afterwards.
"""

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator

SWITCH_INTERVAL = 0.00005
_PRIORITY = 65  # below the sound server's own threads, above everything ordinary

_lock = threading.Lock()
_sessions = 0
_before: tuple[float, bool] = (0.005, True)


@contextlib.contextmanager
def low_latency() -> Iterator[None]:
    """Let other threads hold the interpreter for 50 µs at most, and stop the automatic collector.

    Objects that exist are frozen: later collections need not look at them. May be nested, and used from
    several threads.
    """
    global _sessions, _before
    with _lock:
        _sessions += 1
        if _sessions == 1:
            _before = (sys.getswitchinterval(), gc.isenabled())
            gc.collect()
            gc.freeze()
            gc.disable()
            sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        yield
    finally:
        with _lock:
            _sessions -= 1
            if _sessions == 0:
                sys.setswitchinterval(_before[0])
                gc.unfreeze()
                if _before[1]:
                    gc.enable()


def collect_young() -> None:
    """Collect what has been made since the last time, in a fraction of a millisecond; for a quiet moment."""
    gc.collect(0)


def leave_quickly() -> None:
    """Spare the interpreter its last look at every object, a tenth of a second; to be called just before the end."""
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
