"""Compare batches in worker processes, in threads, and on a Dask cluster, with one worker and with two.

All variants render the same files, in turn (A B C, A B C, ...); rates are medians over the turns, without the start of
the workers. At the end, the cost of handing out a task is measured, which limits the number of workers (docs/batch.md).

    python scripts/bench_batch.py
    python scripts/bench_batch.py --seconds 3 --files 24 --turns 3
"""

import argparse
import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from benchmarks.results import Row, add_options, keep, this_machine

from reverb import Reverb
from reverb.render.batch import cluster, processes
from reverb.render.batch.batch import Batch, plan_batch
from reverb.render.batch.run_task import FoldedResponses, WorkerContext, run_task
from reverb.render.batch.tasks import Outcome, Task, Treatment

SAMPLE_RATE = 48_000
Way = Callable[[Batch, int], Iterator[object]]


def material(folder: Path, files: int, seconds: float) -> Path:
    """Write mono files of noise."""
    rng = np.random.default_rng(1)
    takes = folder / f"takes-{seconds:g}"
    takes.mkdir()
    for number in range(files):
        x = 0.1 * rng.standard_normal(round(SAMPLE_RATE * seconds))
        soundfile.write(takes / f"{number:04d}.wav", x, SAMPLE_RATE, "PCM_16")
    return takes


def by_processes(batch: Batch, workers: int) -> Iterator[object]:
    """Run the batch in processes, as `reverb batch` does."""
    return processes.run(batch.tasks, WorkerContext(batch.folder, batch.treatments), workers)


def by_threads(batch: Batch, workers: int) -> Iterator[object]:
    """Run the same tasks in threads of this process."""
    context, responses = WorkerContext(batch.folder, batch.treatments), FoldedResponses()
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda task: run_task(task, context, responses), batch.tasks)


def by_dask(batch: Batch, workers: int) -> Iterator[object]:
    """Run the batch on a Dask cluster on this machine."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as local:  # type: ignore[no-untyped-call]
        yield from cluster.run(
            batch.tasks, WorkerContext(batch.folder, batch.treatments), local.scheduler_address
        )


def rate(way: Way, batch: Batch, workers: int) -> float:
    """Return outputs per second, counted after the first result of each worker, when all have started."""
    shutil.rmtree(batch.folder.where(""), ignore_errors=True)
    batch.folder.create()
    times = []
    with contextlib.closing(way(batch, workers)) as events:  # type: ignore[type-var]
        for event in events:
            if isinstance(event, Outcome):
                assert event.error is None, event.error
                times.append(time.perf_counter())
    return (len(times) - workers) / (times[-1] - times[workers - 1])


def cost_of_a_task(way: Way, batch: Batch, count: int = 2000) -> float:
    """Return the milliseconds for handing out an empty task and receiving its result."""
    name = next(iter(batch.treatments))
    empty = tuple(
        Task(source="/nothing/there.wav", output=f"{number}.wav", treatment=name) for number in range(count)
    )
    times = [
        time.perf_counter()
        for event in way(Batch(empty, batch.treatments, batch.folder), 1)
        if isinstance(event, Outcome)
    ]
    return 1000 * (times[-1] - times[0]) / (len(times) - 1)


WAYS: dict[str, Way] = {"processes": by_processes, "threads": by_threads, "dask": by_dask}


def compare(batch: Batch, seconds: float, turns: int) -> list[Row]:
    """Run all variants in turn, print the table for one file length, and return it."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(turns):
        for way, run in WAYS.items():
            for workers in (1, 2):
                rates.setdefault((way, workers), []).append(rate(run, batch, workers))

    def ratio(first: tuple[str, int], second: tuple[str, int]) -> float:
        return statistics.median(a / b for a, b in zip(rates[first], rates[second], strict=True))

    print(
        "| workers are | 1: files/s | 2: files/s | 2 ÷ 1 | of processes, 1 | 2 |\n|---|---|---|---|---|---|"
    )
    rows: list[Row] = []
    for way in WAYS:
        medians = {workers: statistics.median(rates[way, workers]) for workers in (1, 2)}
        shares = {workers: ratio((way, workers), ("processes", workers)) for workers in (1, 2)}
        gain = ratio((way, 2), (way, 1))
        print(
            f"| {way:<11} | {medians[1]:.1f} | {medians[2]:.1f} | {gain:.2f} | {shares[1]:.2f} | {shares[2]:.2f} |"
        )
        rows += [
            {
                "seconds": seconds,
                "workers_are": way,
                "workers": workers,
                "files_per_s": medians[workers],
                "of_processes": shares[workers],
            }
            for workers in (1, 2)
        ]
    return rows


def main() -> None:
    """Parse and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0, 60.0], help="lengths of files")
    parser.add_argument(
        "--files", type=int, nargs="+", default=[120, 24], help="number of files of each length"
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--ir", default="church")
    add_options(parser)
    options = parser.parse_args()
    print(f"{this_machine()}; mono files through {options.ir}, {options.turns} turns")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="reverb-bench-") as name:
        folder = Path(name)
        for seconds, files in zip(options.seconds, options.files, strict=True):
            takes = material(folder, files, seconds)
            batch = plan_batch(takes, folder / "out", [Treatment(options.ir, Reverb(options.ir))])
            print(f"\n{files} files of {seconds:g} s")
            rows += compare(batch, seconds, options.turns)
        tasks: list[Row] = [
            {"workers_are": way, "ms": cost_of_a_task(WAYS[way], batch)} for way in ("processes", "dask")
        ]
    print()
    for task in tasks:
        print(f"handing out a task, {task['workers_are']}: {task['ms']:.2f} ms")
    keep(options, {"files": rows, "tasks": tasks})


if __name__ == "__main__":
    main()
