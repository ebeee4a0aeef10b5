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

_RARELY = 100_000  # objects; the usual 700 cost a short command a tenth of its time, while its modules load


def main() -> None:
    """Run the command line; a termination signal cleans up as Ctrl-C does."""
    gc.set_threshold(_RARELY)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe on Windows, or LANG=C, has no minus sign
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
    """End the process at once, for the interpreter would take apart piece by piece what the system takes as a whole.

    What waits for the end is called, and all that was printed goes out. Where that fails, or a thread must be waited
    for, the interpreter ends as it always does.
    """
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    if not isinstance(status, int) or any(not thread.daemon for thread in others):
        return
    # A pipe that nobody reads, or that was closed for it; atexit's function is private, and may go away.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)
