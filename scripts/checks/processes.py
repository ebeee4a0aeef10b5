"""Run whole programs, and measure their time and memory."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from checks.check import NotMeasuredError

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
}

# The kernel's own figure for that process; getrusage would include the process that started it.
_PEAK = """
import re, sys
from reverb.cli.app import cli
try:
    cli(sys.argv[1:])
finally:
    print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
"""


def python(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run Python, and wait for its end."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def reverb_process(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    """Start `reverb` without waiting."""
    command = [sys.executable, "-m", "reverb", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def reverb_and_peak(*arguments: str, cwd: Path) -> tuple["subprocess.CompletedProcess[str]", float]:
    """Run `reverb`; return its result and its peak memory in MB."""
    if not Path("/proc/self/status").exists():
        raise NotMeasuredError("the peak of memory is read from Linux's /proc")
    result = python("-c", _PEAK, *arguments, cwd=cwd)
    return result, int(result.stdout.split()[-1]) * 1024 / 1e6


def seconds(
    turns: int, *commands: Sequence[str], cwd: Path | None = None, made: str | None = None
) -> list[float]:
    """Return the minimum time of each of several commands, run in turn: the runs with the least disturbance.

    The file `made` by them is removed in between, because replacing a file takes longer than creating one.
    """
    least = [math.inf] * len(commands)
    for _ in range(turns):
        for number, command in enumerate(commands):
            if cwd and made:
                (cwd / made).unlink(missing_ok=True)
            started = time.perf_counter()
            python(*command, cwd=cwd).check_returncode()
            least[number] = min(least[number], time.perf_counter() - started)
    return least
