"""Run cases in child processes, and observe their memory, time and result."""

import faulthandler
import multiprocessing
import os
import random
import resource
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from fuzzing.mutations import mutated
from fuzzing.seeds import Seed
from fuzzing.targets import KINDS, Target, prepare, tested

_VIRTUAL = 3 << 30  # bytes beyond the start of a child: enough for threads, too little for a bomb
_TICK = 0.25
_STANDSTILL = 900.0  # seconds without an answer, long enough for a suspended machine
_KEEP_STDERR = 20_000


class Case(NamedTuple):
    """A damaged file, and its target."""

    seed: Seed
    data: bytes
    target: Target


@dataclass(frozen=True)
class Outcome:
    """The result of a case: ``right``, ``refused``, or the fault; its peak memory and CPU time."""

    number: int
    verdict: str
    megabytes: float = 0.0
    seconds: float = 0.0


class Fuzz:
    """Cases by number: the same seed, number and corpus give the same case.

    Parameters
    ----------
    corpus : sequence of Seed
    seed : int
    kinds : sequence of str
        Kinds of files; all by default.
    """

    def __init__(self, corpus: Sequence[Seed], seed: int, kinds: Sequence[str] = ()) -> None:
        self._seed = seed
        self._by_kind = {
            kind: [found for found in corpus if found.kind == kind]
            for kind in KINDS
            if not kinds or kind in kinds
        }

    def rng(self, number: int) -> random.Random:
        """Return the random generator of a case."""
        return random.Random(f"{self._seed}/{number}")

    def case(self, number: int) -> tuple[Case, random.Random]:
        """Return a case, and the random generator for its target."""
        rng = self.rng(number)
        kind = rng.choices(list(self._by_kind), [KINDS[kind][2] for kind in self._by_kind])[0]
        mutations, targets, _ = KINDS[kind]
        seeds = self._by_kind[kind]
        seed = rng.choice(seeds)
        data = mutated(rng, seed.data, [other.data for other in seeds], mutations)
        return Case(seed, data, rng.choice(targets)), rng


def run(fuzz: Fuzz, numbers: Sequence[int], megabytes: float, seconds: float) -> Iterator[Outcome]:
    """Yield the outcome of each case, from one child after the other; a failed child is replaced.

    A child with too much memory may have it from earlier cases: then a new child runs the case again, and is judged.

    Parameters
    ----------
    fuzz : Fuzz
    numbers : sequence of int
        Numbers of the cases.
    megabytes : float
        Memory limit of a process.
    seconds : float
        Limit of CPU time per case.
    """
    left = list(numbers)
    while left:
        child = _Child(fuzz, left)
        try:
            for before, outcome in enumerate(child.outcomes(megabytes, seconds)):
                if outcome.megabytes > megabytes and outcome.verdict in ("right", "refused"):
                    if before:
                        break
                    outcome = replace(outcome, verdict="memory")
                left.remove(outcome.number)
                yield outcome
        finally:
            child.end()


class _Child:
    """A forked process that runs cases until one of them kills it."""

    def __init__(self, fuzz: Fuzz, numbers: Sequence[int]) -> None:
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe(duplex=False)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `end`
        self._process = context.Process(
            target=_work, args=(fuzz, list(numbers), theirs, self._stderr.fileno()), daemon=True
        )
        self._process.start()
        theirs.close()

    def outcomes(self, megabytes: float, seconds: float) -> Iterator[Outcome]:
        """Yield outcomes until the cases are done, the child has ended, or it has grown too large."""
        current, began, asked = -1, 0.0, time.monotonic()
        while True:
            if self._ours.poll(_TICK):
                try:
                    message = self._ours.recv()
                except EOFError:
                    self._process.join()
                    if current >= 0:
                        yield Outcome(current, f"crash: {_end_of(self._process.exitcode)}{self._said()}")
                    return
                if isinstance(message, Outcome):
                    current = -1
                    yield message
                    if message.megabytes > megabytes:  # its memory would count for the next case, too
                        return
                else:
                    current, began, asked = message, self._cpu(), time.monotonic()
            elif current >= 0:
                used, waited = self._cpu() - began, time.monotonic() - asked
                if used > seconds or waited > _STANDSTILL:
                    os.kill(self._process.pid or 0, signal.SIGABRT)  # faulthandler prints where it was
                    self._process.join(10)
                    yield Outcome(
                        current,
                        f"hang: {used:.0f} s of CPU time, {waited:.0f} s in all{self._said()}",
                        0.0,
                        used,
                    )
                    return

    def end(self) -> None:
        """End the process, if it has not ended."""
        self._process.kill()
        self._process.join()
        self._ours.close()
        self._stderr.close()

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _said(self) -> str:
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(size - _KEEP_STDERR, 0))
        return "\n" + self._stderr.read().decode(errors="replace")


def _end_of(code: int | None) -> str:
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"


def _work(fuzz: Fuzz, numbers: Sequence[int], results: Connection, stderr: int) -> None:
    """Run cases in a child process."""
    os.dup2(stderr, 2)
    faulthandler.enable(stderr)
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UserWarning)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _VIRTUAL, size + _VIRTUAL))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        prepare(folder)
        for number in numbers:
            results.send(number)
            results.send(outcome(fuzz, number, folder))


def outcome(fuzz: Fuzz, number: int, folder: Path) -> Outcome:
    """Run one case, and measure it."""
    case, rng = fuzz.case(number)
    path = folder / f"case_48000{case.seed.ending}"
    path.write_bytes(case.data)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak of memory (proc(5))
    began = time.process_time()
    try:
        verdict = tested(case.target, rng, path)
    except Exception:
        verdict = f"traceback\n{traceback.format_exc()}"
    return Outcome(number, verdict, peak_megabytes(), time.process_time() - began)


def peak_megabytes() -> float:
    """Return the peak resident memory of this process since the last reset, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
