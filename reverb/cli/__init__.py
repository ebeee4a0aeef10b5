"""Layer 4: the command line. A command parses, calls one public function, and shows the result."""

import gc
import io
import signal
import sys
from types import FrameType

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
    finally:
        gc.freeze()  # nothing is to be collected on the way out
