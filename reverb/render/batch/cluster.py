"""The executor beyond this machine: a Dask cluster that is already there.

Each task becomes a job of the cluster, which hands it to a worker that is free, and to another when that is lost. So a
task may be carried out twice; its output is the same both times, and gets its name once.
"""

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reverb.errors import ClusterError, missing_extra
from reverb.once import once
from reverb.render.batch.memory import keep_freed_memory
from reverb.render.batch.run_task import FoldedResponses, Workshop, carry_out
from reverb.render.batch.tasks import Outcome, Task, failed

_PATIENCE = 10.0  # seconds to find the scheduler
_LARGE = {"distributed.admin.large-graph-warning-threshold": "1GB"}  # the responses go to the scheduler once


def run(tasks: Sequence[Task], workshop: Workshop, scheduler: str) -> Generator[Outcome]:
    """Carry out tasks on a cluster, and give their outcomes as they come.

    Closing the iterator takes back what has not begun. What has, comes to its end unseen; a later run with `resume`
    finds it equal to what it makes itself.

    Raises
    ------
    ClusterError
        If there is no scheduler at that address.
    """
    dask, distributed = _dask()
    with dask.config.set(_LARGE), _client(distributed, scheduler) as client:
        # A job of its own and not scattered data, for the cluster can repeat a job when its worker is lost.
        shared = client.submit(_itself, workshop, pure=False)
        jobs = dict(zip(client.map(_job, tasks, workshop=shared, pure=False), tasks, strict=True))
        try:
            ended = distributed.as_completed(
                list(jobs), loop=client.loop, with_results=True, raise_errors=False
            )
            for job, result in ended:
                task = jobs.pop(job)
                yield result if isinstance(result, Outcome) else failed(task, _reason(task, result))
        finally:
            client.cancel([*jobs, shared])


def _dask() -> tuple[Any, Any]:
    try:
        import dask
        import distributed
    except ImportError as error:
        raise missing_extra("cluster", "a cluster needs Dask's distributed") from error
    return dask, distributed


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"scheduler {scheduler!r}: cannot be reached ({error}); expected an address such as tcp://host:8786"
        ) from error


def _reason(task: Task, result: Any) -> str:
    """Return what the cluster says about a job that has no outcome."""
    error = result[1] if isinstance(result, tuple) else result
    return f"{task.source}: the cluster could not carry it out ({type(error).__name__}: {error})"


@dataclass(frozen=True)
class _Bench:
    """What a worker process of the cluster keeps between its tasks.

    It has one task at a time, even where it was given several threads: the files of a batch are read with warnings
    noted down, which is done for a whole process.
    """

    responses: FoldedResponses = field(default_factory=FoldedResponses)
    free: threading.Lock = field(default_factory=threading.Lock)


@once
def _bench() -> _Bench:
    keep_freed_memory()
    return _Bench()


def _itself(workshop: Workshop) -> Workshop:
    return workshop


def _job(task: Task, workshop: Workshop) -> Outcome:
    bench = _bench()
    with bench.free:
        return carry_out(task, workshop, bench.responses)
