"""Layer 4: the command line. A command parses, calls one public function, and shows the result."""

import atexit
import contextlib
import gc
import io
import os
import signal
import sys
import threading
from types import FrameType

from reverb import __distribution__  # noqa: F401  # fails in another's package

_GC_THRESHOLD = 100_000  # objects; the default of 700 costs a short command a tenth of its time


def main() -> None:
    """Run the command line; a termination signal cleans up as Ctrl-C does."""
    gc.set_threshold(_GC_THRESHOLD)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe on Windows, or LANG=C, cannot encode "−"
    from reverb.cli.app import cli

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
    try:
        cli()
    except SystemExit as end:
        _leave(end.code)
        raise


def _leave(status: object) -> None:
    """End the process without the interpreter's teardown, which costs a short command 55 to 75 ms of CPU time.

    Functions registered with atexit are called, and output is flushed. If that fails, or a thread is still running, the
    interpreter ends as usual.
    """
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    if not isinstance(status, int) or any(not thread.daemon for thread in others):
        return
    # Flushing a pipe without a reader fails; atexit's function is private and may go away.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)
