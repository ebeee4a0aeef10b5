"""The command on a terminal: what it draws there."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

from tests.conftest import ROOT


def on_a_terminal(*args: str, cwd: Path) -> tuple["subprocess.CompletedProcess[bytes]", str]:
    """Run `reverb` with its errors on a terminal of 100 columns; the process, and what was drawn."""
    ours, theirs = pty.openpty()
    drawn = bytearray()

    def read() -> None:  # at once, for a terminal that nobody reads takes no more after a while
        try:
            while piece := os.read(ours, 65_536):
                drawn.extend(piece)
        except OSError:  # the end of a terminal
            pass

    reader = threading.Thread(target=read)
    reader.start()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "reverb", *args],
        cwd=cwd,
        env=environment,
        stderr=theirs,
        stdout=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    reader.join()
    os.close(ours)
    return done, drawn.decode()
