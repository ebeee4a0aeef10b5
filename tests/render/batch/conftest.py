"""Fixtures for batches."""

from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from reverb.render.batch import processes
from reverb.render.batch.run_task import WorkerContext, run_in_this_process
from reverb.render.batch.tasks import Outcome, Task
from tests.render.batch.folders import NAMES, fill


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run tasks in this process, which is faster than starting workers, for tests that are not about workers."""

    def run(tasks: Iterable[Task], context: WorkerContext, workers: int) -> Generator[Outcome]:  # noqa: ARG001
        return run_in_this_process(tasks, context)

    monkeypatch.setattr(processes, "run", run)


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder `takes` of the working directory, with files in two formats and a subfolder."""
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path / "takes", "a.wav", "b.flac", "z/c.wav")


@pytest.fixture
def numbered_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder `takes` of the working directory, with the files `NAMES`."""
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path / "takes", *NAMES)
