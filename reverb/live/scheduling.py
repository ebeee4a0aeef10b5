"""Settings of the interpreter and of the process for callbacks with a deadline; restored after the session.

The callback needs the interpreter's lock. By default a busy Python thread keeps the lock for 5 ms at a time, which is
two blocks of 128 frames. A full garbage collection stops all threads, for longer the more objects there are. And if all
cores are busy, the thread that has the lock may itself wait for a core.
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
"""The niceness that Linux desktops allow to programs that play sound."""

_TASKS = Path("/proc/self/task")
_OLDER_INTERVAL = 40  # calls of `collect_young`
_PRIORITY = 65  # below the sound server's own threads, above ordinary ones

_lock = threading.Lock()
_sessions = 0
_before: tuple[float, bool, int] = (0.005, True, 0)


@contextlib.contextmanager
def low_latency() -> Iterator[None]:
    """Shorten the switch interval to 50 µs, pause automatic garbage collection, and raise the process's priority.

    Existing objects are frozen: later collections skip them. On Linux all threads of the process get a higher priority
    if that is allowed, as any of them may have the interpreter's lock. May be nested, and used from several threads:
    the last exit restores everything.
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
            _set_niceness(min(NICE, _before[2]))
    try:
        yield
    finally:
        with _lock:
            _sessions -= 1
            if _sessions == 0:
                sys.setswitchinterval(_before[0])
                _set_niceness(_before[2])
                gc.unfreeze()
                if _before[1]:
                    gc.enable()


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0) if _TASKS.is_dir() else 0


def _set_niceness(niceness: int) -> None:
    """Set the niceness of every thread if that is allowed; new threads inherit it."""
    if _TASKS.is_dir():
        for thread in _TASKS.iterdir():
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)


def collect_young(calls: int) -> None:
    """Collect the objects made since the last call, and at every fortieth call those of the middle generation, too.

    This takes well under 1 ms, whereas an automatic collection could start at any moment and take tens of milliseconds.
    """
    gc.collect(1 if calls % _OLDER_INTERVAL == 0 else 0)


def freeze_objects() -> None:
    """Exempt all existing objects (modules, engines, screens) from later collections.

    After the start of a session this saves 30 ms at the first collection; before the process ends, 0.1 s at the last.
    """
    gc.freeze()


def raise_priority() -> bool:
    """Raise the calling thread to a real-time priority if the system allows it; return whether it has one.

    On macOS and Windows, and with JACK servers in real-time mode, audio threads have one already.
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
