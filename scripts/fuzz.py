#!/usr/bin/env python3
"""Damage files of every kind that reverb reads, and check that each is read correctly or refused with a clear error.

Real and generated files are mutated according to their structure (fields, chunks, checksums, tokens), written to a
folder, and given to the Python functions and commands that read them, in child processes. A crash, a hang, an exception
other than ReverbError, a NumPy warning, a wrong result, and more than 300 MB of memory are failures.

    scripts/fuzz.py                          # 100,000 cases
    scripts/fuzz.py --seconds 20             # as many as fit in this time
    scripts/fuzz.py --kind toml --kind sofa --seed 7
    scripts/fuzz.py --case 1234              # one case again, in this process, with its traceback

Native decoders are not instrumented, so the structure of the formats guides the cases, not coverage.
"""

import argparse
import collections
import sys
import tempfile
import time
import warnings
from pathlib import Path

from fuzzing.runner import Fuzz, Outcome, outcome, run
from fuzzing.seeds import ROOT, corpus
from fuzzing.targets import KINDS, prepare

_BATCH = 300  # cases per child process


def main() -> int:
    """Run the requested cases; return 1 if any failed."""
    options = _options()
    fuzz = Fuzz(corpus(options.corpus if options.corpus.is_dir() else None), options.seed, options.kind)
    if options.case is not None:
        return _once_more(fuzz, options.case)
    began, done, slowest = time.monotonic(), 0, Outcome(-1, "")
    largest, verdicts = slowest, collections.Counter[str]()
    for start in range(options.start, options.start + options.cases, _BATCH):
        numbers = range(start, min(start + _BATCH, options.start + options.cases))
        for found in run(fuzz, numbers, options.megabytes, options.timeout):
            done += 1
            verdicts[found.verdict.partition("\n")[0].partition(":")[0]] += 1
            slowest = max(slowest, found, key=lambda one: one.seconds)
            largest = max(largest, found, key=lambda one: one.megabytes)
            if found.verdict not in ("right", "refused"):
                _tell(fuzz, found, options.keep)
            if options.seconds and time.monotonic() - began > options.seconds:
                break
        else:
            continue
        break
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    print(
        f"seed {options.seed}: {done} cases in {time.monotonic() - began:.0f} s: {told}; "
        f"most memory {largest.megabytes:.0f} MB (case {largest.number}), "
        f"longest {slowest.seconds:.2f} s (case {slowest.number})"
    )
    return 0 if verdicts.keys() <= {"right", "refused"} else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--seconds", type=float, help="stop after this time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kind", action="append", default=[], choices=list(KINDS), help="only files of this kind"
    )
    parser.add_argument("--case", type=int, help="run one case again")
    parser.add_argument("--keep", type=Path, help="folder for the files of failing cases")
    parser.add_argument(
        "--corpus", type=Path, default=ROOT.parent / "shared" / "audio", help="folder of real files"
    )
    parser.add_argument("--megabytes", type=float, default=300.0, help="memory limit of a process")
    parser.add_argument("--timeout", type=float, default=20.0, help="limit of CPU time per case, in seconds")
    return parser.parse_args()


def _tell(fuzz: Fuzz, found: Outcome, keep: Path | None) -> None:
    """Print a failure, and keep its file."""
    case, _ = fuzz.case(found.number)
    print(
        f"case {found.number}: {case.seed.kind} through {case.target.__name__}, {found.megabytes:.0f} MB, "
        f"{found.seconds:.1f} s: {found.verdict}",
        flush=True,
    )
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"case_{found.number}{case.seed.ending}").write_bytes(case.data)


def _once_more(fuzz: Fuzz, number: int) -> int:
    """Run one case in this process."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UserWarning)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        prepare(Path(name))
        found = outcome(fuzz, number, Path(name))
        _tell(fuzz, found, None)
    return 0 if found.verdict in ("right", "refused") else 1


if __name__ == "__main__":
    sys.exit(main())
