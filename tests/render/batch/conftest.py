"""Fixtures for batches."""

from collections.abc import Generator, Iterable

import pytest

from reverb.render.batch import here, processes
from reverb.render.batch.run_task import Workshop
from reverb.render.batch.tasks import Outcome, Task


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out tasks here, which is quicker than to start workers and as good where these are not the point."""

    def run(tasks: Iterable[Task], workshop: Workshop, workers: int) -> Generator[Outcome]:  # noqa: ARG001
        return here.run(tasks, workshop)

    monkeypatch.setattr(processes, "run", run)
