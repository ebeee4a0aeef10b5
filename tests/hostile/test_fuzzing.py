"""A short fuzzing run, and a check that failures are noticed."""

import gc
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT

fuzzing = pytest.importorskip(
    "fuzzing.runner", reason="the seeds of the fuzzing need sofar", exc_type=ImportError
)
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peaks of memory need Linux's /proc"
)


def _crash(_rng: random.Random, _path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang(_rng: random.Random, _path: Path) -> None:
    while True:
        pass


def _swell(_rng: random.Random, _path: Path) -> None:
    np.ones(60_000_000)  # more than the untouched memory inherited from the parent


def _stumble(_rng: random.Random, _path: Path) -> None:
    raise KeyError("nobody foresaw it")


def _pass(_rng: random.Random, _path: Path) -> None:
    pass


class _Fuzz(fuzzing.Fuzz):  # type: ignore[name-defined, misc]
    """Cases for the given targets, in turn."""

    def __init__(self, targets: list[Callable[[random.Random, Path], None]]) -> None:
        self.targets = targets

    def case(self, number: int) -> tuple[object, random.Random]:
        seed = fuzzing.Seed("wav", ".wav", b"")
        return fuzzing.Case(seed, b"", self.targets[number]), random.Random(number)


def test_the_watch_sees_a_crash_a_hang_memory_and_a_traceback_and_goes_on() -> None:
    fuzz = _Fuzz([_pass, _crash, _hang, _swell, _stumble, _pass])
    Path("/proc/self/clear_refs").write_text("5")  # memory of earlier tests does not count
    found = [
        outcome.verdict
        # New memory alone may take a second of CPU time on a virtual machine.
        for outcome in fuzzing.run(fuzz, range(6), megabytes=fuzzing.peak_megabytes() + 100, seconds=3.0)
    ]
    assert [verdict.split("\n")[0].split(":")[0] for verdict in found] == [
        "right", "crash", "hang", "memory", "traceback", "right",
    ]  # fmt: skip
    assert "SIGSEGV" in found[1]
    assert "_hang" in found[2]  # the place of the hang
    assert "nobody foresaw it" in found[4]


def test_memory_that_earlier_cases_left_is_not_counted_against_a_case() -> None:
    kept: list[np.ndarray] = []

    def keep(_rng: random.Random, _path: Path) -> None:
        kept.append(np.ones(5_000_000))

    gc.collect()  # free the memory of earlier tests, which would hide an increase
    Path("/proc/self/clear_refs").write_text("5")
    begins = fuzzing.peak_megabytes()
    found = list(fuzzing.run(_Fuzz([keep] * 6), range(6), megabytes=begins + 100, seconds=9.0))
    assert [(outcome.number, outcome.verdict) for outcome in found] == [(n, "right") for n in range(6)]
    assert 20 < max(outcome.megabytes for outcome in found) - begins < 100  # several cases ran in one child


def test_a_case_is_known_by_seed_and_number() -> None:
    from fuzzing.seeds import corpus

    seeds = corpus(None)
    first, again, other = (fuzzing.Fuzz(seeds, seed) for seed in (1, 1, 2))
    cases = [[fuzz.case(number)[0] for number in range(20)] for fuzz in (first, again, other)]
    assert cases[0] == cases[1] != cases[2]


def test_a_slice_of_the_fuzzing_finds_nothing(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "scripts" / "fuzz.py"),
        "--seconds",
        "8",
        "--seed",
        "3",
        "--keep",
        str(tmp_path),
    ]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "right" in found.stdout
    assert "refused" in found.stdout
