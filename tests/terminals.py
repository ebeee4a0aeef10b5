"""Run the command on a terminal, and read its screen."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

from tests.conftest import ROOT


def on_a_terminal(*args: str, cwd: Path) -> tuple["subprocess.CompletedProcess[bytes]", str]:
    """Run `reverb` with stderr on a terminal of 100 columns; return the process and the screen."""
    ours, theirs = pty.openpty()
    drawn = bytearray()

    def read() -> None:  # read at once: an unread terminal blocks after a while
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
