"""Fixtures for batches."""

from collections.abc import Generator, Iterable

import pytest

from reverb.render.batch import processes
from reverb.render.batch.run_task import WorkerContext, run_in_this_process
from reverb.render.batch.tasks import Outcome, Task


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run tasks in this process, which is faster than starting workers, for tests that are not about workers."""

    def run(tasks: Iterable[Task], context: WorkerContext, workers: int) -> Generator[Outcome]:  # noqa: ARG001
        return run_in_this_process(tasks, context)

    monkeypatch.setattr(processes, "run", run)
