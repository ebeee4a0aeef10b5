"""A whole batch: `plan_batch`, `run_batch`, and the public `process_files`."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, Unpack

from reverb.audiofiles.outputs import PathLike
from reverb.checks import flag, instance, worker_count
from reverb.effects.effect import HasResponse
from reverb.engine.machine import Machine, here
from reverb.errors import ParameterError, shown
from reverb.render.batch import cluster, processes
from reverb.render.batch.journal import Journal, check_report, write_report
from reverb.render.batch.plan import check_no_input_overwritten, find_inputs, plan
from reverb.render.batch.processes import Event
from reverb.render.batch.remote import IN_MEMORY, absolute
from reverb.render.batch.run_task import WorkerContext, run_in_this_process
from reverb.render.batch.storage import LocalFolder, OutputFolder, output_folder
from reverb.render.batch.tasks import Augment, Outcome, Status, Task, Treatment, failed
from reverb.render.job import check_progress
from reverb.render.settings import RenderKeywords, RenderSettings

Listener: TypeAlias = Callable[[Event], None]
"""Called with each outcome, and between outcomes with the progress of a file."""

_EXISTS = (
    "exists already; use --force (overwrite) to replace it, or --resume to continue an interrupted batch"
)


@dataclass(frozen=True)
class Batch:
    """A planned batch.

    Attributes
    ----------
    tasks : tuple of Task
        In the order of the inputs.
    treatments : dict of Treatment by name
    folder : OutputFolder
    """

    tasks: tuple[Task, ...]
    treatments: dict[str, Treatment]
    folder: OutputFolder

    def applied(self, task: Task) -> Treatment:
        """Return a task's treatment with its drawn values."""
        treatment = self.treatments[task.treatment]
        return task.draw.apply(treatment) if task.draw else treatment


@dataclass(frozen=True)
class BatchReport:
    """The outcomes of a batch.

    Attributes
    ----------
    outcomes : tuple of Outcome
        In the order of the plan, each with its `record`; after an interruption, those of the tasks that ended.
    planned : int
        Number of tasks in the plan.
    seconds : float
        Wall time.
    journal_error : str or None
        Why the journal in the output folder could not be written; None if it was.
    """

    outcomes: tuple[Outcome, ...]
    planned: int
    seconds: float
    journal_error: str | None = None

    def count(self, status: Status) -> int:
        """Return the number of outcomes that are ``done``, ``kept`` or ``failed``."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def by_treatment(self) -> dict[str, BatchReport]:
        """Return a report for each treatment, in the order of the plan."""
        parts: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            parts.setdefault(outcome.task.treatment, []).append(outcome)
        return {name: replace(self, outcomes=tuple(part), planned=len(part)) for name, part in parts.items()}

    @property
    def duration(self) -> float:
        """Seconds of sound rendered."""
        return float(sum(outcome.record["duration"] for outcome in self.outcomes if outcome.status == "done"))

    @property
    def succeeded(self) -> bool:
        """Whether every planned output exists, and the journal too."""
        return self.journal_error is None and self.count("failed") == 0 and len(self.outcomes) == self.planned

    @property
    def trouble(self) -> str | None:
        """The old name of `journal_error`."""
        warnings.warn(
            "BatchReport.trouble is now BatchReport.journal_error", DeprecationWarning, stacklevel=2
        )
        return self.journal_error


def plan_batch(
    inputs: PathLike | Iterable[PathLike],
    output_dir: PathLike,
    treatments: Sequence[Treatment],
    *,
    name_template: str | None = None,
    augment: Augment | None = None,
) -> Batch:
    """Plan a batch without doing anything; parameters and errors as for `process_files`."""
    if not isinstance(inputs, Iterable | os.PathLike):
        raise ParameterError(f"inputs is {shown(repr(inputs))}; expected a path or paths")
    if augment is not None:
        instance("augment", augment, Augment, "an Augment")
    named = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    folder = output_folder(output_dir)
    leave_out = folder.root if isinstance(folder, LocalFolder) else None
    tasks = plan(find_inputs(named, leave_out), treatments, template=name_template, augment=augment)
    if isinstance(folder, LocalFolder):
        check_no_input_overwritten(tasks, [folder.where(task.output) for task in tasks])
    return Batch(tasks, {treatment.name: treatment for treatment in treatments}, folder)


def run_batch(
    batch: Batch,
    *,
    resume: bool = False,
    overwrite: bool = False,
    report: PathLike | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Listener | None = None,
) -> BatchReport:
    """Run a planned batch; parameters and errors as for `process_files`."""
    for name, value in (("resume", resume), ("overwrite", overwrite)):
        flag(name, value)
    if report is not None:
        check_report(report)
    workers = worker_count(workers)
    if scheduler is not None:
        instance("scheduler", scheduler, str, "an address such as tcp://host:8786")
    check_progress(progress)
    started = time.perf_counter()
    folder = batch.folder
    folder.create()
    journal = Journal(folder)
    outcomes: dict[str, Outcome] = {}
    tasks = _with_records(batch, journal, resume, overwrite)
    if resume:
        folder.remove_leftovers(task.output for task in tasks)

    def finished(outcome: Outcome) -> None:
        outcomes[outcome.task.output] = outcome
        if outcome.status != "kept":
            journal.add(outcome.record)

    try:
        with contextlib.closing(_events(tasks, batch, workers, scheduler)) as events:
            for event in events:
                if isinstance(event, Outcome):
                    finished(event)
                if progress is not None:
                    progress(event)
    finally:
        folder.remove_leftovers(task.output for task in tasks)
        journal.close()
        ordered = tuple(outcomes[task.output] for task in tasks if task.output in outcomes)
        if report is not None:
            write_report(report, ordered)
    return BatchReport(ordered, len(tasks), time.perf_counter() - started, journal.problem)


def _with_records(batch: Batch, journal: Journal, resume: bool, overwrite: bool) -> list[Task]:
    """Return the tasks with the records of an earlier run, and with a problem if the output exists already."""
    records = journal.records() if resume else {}
    existing: set[str] = set()
    if not resume and not overwrite:
        existing = batch.folder.existing(task.output for task in batch.tasks)

    def with_record(task: Task) -> Task:
        record = records.get(task.output, {})
        if "output_hash" in record:  # a batch made it, so a batch may replace it
            return replace(task, done=record, overwrite=True)
        if task.output in existing and task.problem is None:
            return replace(task, problem=f"{batch.folder.where(task.output)}: {_EXISTS}")
        return replace(task, overwrite=overwrite)

    return [with_record(task) for task in batch.tasks]


def _events(
    tasks: Sequence[Task], batch: Batch, workers: int | None, scheduler: str | None
) -> Generator[Event]:
    """Run the tasks on a cluster, in this process, or in worker processes, and yield their events."""
    runnable = []
    for task in tasks:
        if task.problem is None:
            # Workers on other machines have another working directory.
            runnable.append(replace(task, source=absolute(task.source)) if scheduler else task)
        else:
            yield failed(task, task.problem)
    cores = workers or processes.usable_cores()
    at_once = max(1, min(cores, len(runnable)))
    # With fewer files than cores, each file gets several threads.
    context = WorkerContext(
        batch.folder,
        batch.treatments,
        threads=1 if scheduler else max(1, cores // at_once),
        # Machines of a cluster may differ: all of them can follow the plans of one that was not tuned.
        machine=Machine() if scheduler else here(),
    )
    if scheduler is not None:
        yield from cluster.run(runnable, context, scheduler)
    elif any(path.startswith(IN_MEMORY) for path in (batch.folder.where(""), *(t.source for t in runnable))):
        yield from run_in_this_process(runnable, context)
    else:
        yield from processes.run(runnable, context, at_once)


def process_files(
    inputs: PathLike | Iterable[PathLike],
    output_dir: PathLike,
    effects: HasResponse | Mapping[str, HasResponse],
    *,
    name_template: str | None = None,
    augment: Augment | None = None,
    resume: bool = False,
    overwrite: bool = False,
    report: PathLike | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Listener | None = None,
    **settings: Unpack[RenderKeywords],
) -> BatchReport:
    """Apply effects to many audio files, in parallel; a file that fails does not stop the others.

    Each output appears whole or not at all, and its bytes do not depend on the number of workers. As soon as an output
    exists, a line of JSON about it is appended to ``reverb-batch.jsonl`` in the output folder.

    Parameters
    ----------
    inputs : path-like, or iterable of them
        Files, folders (searched recursively), globs, and URLs that fsspec knows. Outputs keep the path of their input
        relative to the folder that was named.
    output_dir : path-like
        A folder, created if it does not exist, or such a URL.
    effects : effect, or dict of them by name
        Each file is rendered with each effect; output names contain the effect's name.
    name_template : str, optional
        Output name without its ending, with fields of `reverb.render.batch.plan.FIELDS` in braces. By default
        ``{folder}/{stem}``, with ``-{ir}`` for several effects, or ``-{variant}`` for variants.
    augment : Augment, optional
        Draw variants of each file, each with one of the effects and its own mix, pre-delay and gain, instead of
        rendering it with each effect.
    resume : bool
        Keep the outputs of an earlier run that are intact and have the same input content, effect and settings; make
        all others.
    overwrite : bool
        Replace existing outputs.
    report : path-like, optional
        A ``.csv`` or ``.jsonl`` file for the outcomes, in the order of the plan.
    workers : int, optional
        Files rendered at once; by default one per core.
    scheduler : str, optional
        Address of a Dask scheduler, to render on its workers; paths must name the same files on all machines.
    progress : callable, optional
        Called with each `Outcome`, and between outcomes with the `TaskProgress` of a file.
    **settings
        ``tail``, ``gain``, ``normalize``, ``match_loudness``, ``loudness``, ``ceiling``, ``floor_db``, ``container``,
        ``subtype`` and ``dither``, as `reverb.process_file` takes them.

    Returns
    -------
    BatchReport

    Raises
    ------
    ParameterError
        If a setting is out of range, an effect is none or cannot be sent to another process, two outputs would have
        the same name, or an output would overwrite an input.
    AudioFileError
        If an input does not exist, or the output folder cannot be created.
    ClusterError
        If the scheduler cannot be reached.
    """
    by_name = effects if isinstance(effects, Mapping) else {"effect": effects}
    common = RenderSettings(**settings)
    treatments = [Treatment(name, effect, common) for name, effect in by_name.items()]
    batch = plan_batch(
        inputs,
        output_dir,
        treatments,
        name_template=name_template,
        augment=augment,
    )
    return run_batch(
        batch,
        resume=resume,
        overwrite=overwrite,
        report=report,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
    )
