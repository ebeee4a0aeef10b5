"""The executor on other machines: an existing Dask cluster.

Each task becomes a job of the cluster, which gives it to a free worker, and to another one if that is lost. So a
task may run twice. All machines follow the plans of one that was not tuned, so equal machines make the same output both
times, and it is published once.
"""

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reverb.errors import ClusterError, missing_extra
from reverb.once import once
from reverb.render.batch.run_task import FoldedResponses, WorkerContext, run_task
from reverb.render.batch.tasks import Outcome, Task, failed

_CONNECT_SECONDS = 10.0
_CONFIG = {"distributed.admin.large-graph-warning-threshold": "1GB"}  # the responses go to the scheduler once


def run(tasks: Sequence[Task], context: WorkerContext, scheduler: str) -> Generator[Outcome]:
    """Run tasks on a cluster and yield their outcomes as they come.

    Closing the iterator cancels the jobs that have not started. The others still run to their end; a later run with
    `resume` finds their outputs.

    Raises
    ------
    ClusterError
        If there is no scheduler at that address.
    """
    dask, distributed = _dask()
    with dask.config.set(_CONFIG), _client(distributed, scheduler) as client:
        # A job rather than scattered data: the cluster can repeat a job when its worker is lost.
        shared = client.submit(_identity, context, pure=False)
        jobs = dict(zip(client.map(_job, tasks, context=shared, pure=False), tasks, strict=True))
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
        return distributed.Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"scheduler {scheduler!r}: cannot be reached ({error}); expected an address such as tcp://host:8786"
        ) from error


def _reason(task: Task, result: Any) -> str:
    """Return the cluster's reason for a job without an outcome."""
    error = result[1] if isinstance(result, tuple) else result
    return f"{task.source}: the cluster could not run it ({type(error).__name__}: {error})"


@dataclass(frozen=True)
class _WorkerState:
    """The state of a worker process of the cluster between tasks.

    The lock admits one task at a time, even if the worker has several threads: warnings are caught for a whole process.
    """

    responses: FoldedResponses = field(default_factory=FoldedResponses)
    lock: threading.Lock = field(default_factory=threading.Lock)


@once
def _worker_state() -> _WorkerState:
    return _WorkerState()


def _identity(context: WorkerContext) -> WorkerContext:
    return context


def _job(task: Task, context: WorkerContext) -> Outcome:
    state = _worker_state()
    with state.lock:
        return run_task(task, context, state.responses)
