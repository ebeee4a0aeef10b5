"""A batch from beginning to end: `plan_batch`, `run_batch`, and the public `process_files`."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, Unpack

from reverb.audiofiles.files import PathLike
from reverb.effects.effect import HasResponse
from reverb.effects.fold import check_workers
from reverb.engine.machine import Machine, here
from reverb.render.batch import cluster, processes
from reverb.render.batch.augment import Augment
from reverb.render.batch.inputs import find_inputs
from reverb.render.batch.journal import Journal, check_report, write_report
from reverb.render.batch.plan import check_inputs_stay, plan
from reverb.render.batch.processes import Event
from reverb.render.batch.remote import IN_MEMORY, absolute
from reverb.render.batch.run_task import WorkerContext, run_in_this_process
from reverb.render.batch.storage import LocalFolder, OutputFolder, output_folder
from reverb.render.batch.tasks import GivenSettings, Outcome, Settings, Status, Task, Treatment, failed

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
        """Return a task's treatment with the values drawn for it."""
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
    trouble : str or None
        Why the journal in the output folder could not be written.
    """

    outcomes: tuple[Outcome, ...]
    planned: int
    seconds: float
    trouble: str | None = None

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
        """Whether every planned output exists."""
        return self.trouble is None and self.count("failed") == 0 and len(self.outcomes) == self.planned


def plan_batch(
    inputs: PathLike | Iterable[PathLike],
    output_dir: PathLike,
    treatments: Sequence[Treatment],
    *,
    name_template: str | None = None,
    augment: Augment | None = None,
) -> Batch:
    """Plan a batch without doing anything; parameters as for `process_files`."""
    named = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    folder = output_folder(output_dir)
    leave_out = folder.root if isinstance(folder, LocalFolder) else None
    tasks = plan(find_inputs(named, leave_out), treatments, template=name_template, augment=augment)
    if isinstance(folder, LocalFolder):
        check_inputs_stay(tasks, [folder.where(task.output) for task in tasks])
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
    check_workers(workers)
    if report is not None:
        check_report(report)
    started = time.perf_counter()
    folder = batch.folder
    folder.create()
    journal = Journal(folder)
    outcomes: dict[str, Outcome] = {}
    tasks = _prepared(batch, journal, resume, overwrite)
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
    return BatchReport(ordered, len(tasks), time.perf_counter() - started, journal.trouble)


def _prepared(batch: Batch, journal: Journal, resume: bool, overwrite: bool) -> list[Task]:
    """Return the tasks with the records of an earlier run; a task whose output exists gets a problem."""
    records = journal.records() if resume else {}
    existing: set[str] = set()
    if not resume and not overwrite:
        existing = batch.folder.existing(task.output for task in batch.tasks)

    def prepared(task: Task) -> Task:
        record = records.get(task.output, {})
        if "output_hash" in record:  # made by a batch, so a batch may replace it
            return replace(task, done=record, overwrite=True)
        if task.output in existing and task.problem is None:
            return replace(task, problem=f"{batch.folder.where(task.output)}: {_EXISTS}")
        return replace(task, overwrite=overwrite)

    return [prepared(task) for task in batch.tasks]


def _events(
    tasks: Sequence[Task], batch: Batch, workers: int | None, scheduler: str | None
) -> Generator[Event]:
    """Yield the events of the tasks, run by the executor that suits them."""
    possible = []
    for task in tasks:
        if task.problem is None:
            # Workers on other machines have another working folder.
            possible.append(replace(task, source=absolute(task.source)) if scheduler else task)
        else:
            yield failed(task, task.problem)
    cores = workers or processes.usable_cores()
    at_once = max(1, min(cores, len(possible)))
    # With fewer files than cores, each file gets several threads.
    context = WorkerContext(
        batch.folder,
        batch.treatments,
        threads=1 if scheduler else max(1, cores // at_once),
        # Machines of a cluster may differ: all of them can follow the plans of one that was not tuned.
        machine=Machine() if scheduler else here(),
    )
    if scheduler is not None:
        yield from cluster.run(possible, context, scheduler)
    elif any(
        place.startswith(IN_MEMORY) for place in (batch.folder.where(""), *(t.source for t in possible))
    ):
        yield from run_in_this_process(possible, context)
    else:
        yield from processes.run(possible, context, at_once)


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
    **settings: Unpack[GivenSettings],
) -> BatchReport:
    """Apply effects to many audio files, in parallel; a file that fails does not stop the others.

    Every output appears whole or not at all, and its bytes do not depend on the number of workers. A line of JSON for
    each output is appended to ``reverb-batch.jsonl`` in the output folder as soon as the output exists.

    Parameters
    ----------
    inputs : path-like, or iterable of them
        Files, folders (searched recursively), globs, and URLs that fsspec knows. Files of a folder keep their path
        relative to it.
    output_dir : path-like
        A folder, created if it does not exist, or such a URL.
    effects : effect, or dict of them by name
        Each file is rendered with each effect; output names contain the effect's name.
    name_template : str, optional
        Output name without its ending, with fields of `reverb.render.batch.plan.FIELDS` in braces. By default
        ``{folder}/{stem}``, with ``-{ir}`` for several effects, or ``-{variant}`` for variants.
    augment : Augment, optional
        Instead, draw variants of each file: one of the effects, its mix and pre-delay, and a gain.
    resume : bool
        Keep intact outputs that an earlier run made from the same input (by content) with the same effect and
        settings, and make the others (again).
    overwrite : bool
        Replace existing outputs.
    report : path-like, optional
        A ``.csv`` or ``.jsonl`` file for the outcomes, in the order of the plan.
    workers : int, optional
        Files rendered at once; by default one per core.
    scheduler : str, optional
        Address of a Dask scheduler whose workers render instead; paths must name the same files on all of them.
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
        If a setting is out of range, two outputs would have the same name, or an output would overwrite an input.
    AudioFileError
        If an input does not exist, or the output folder cannot be created.
    """
    by_name = effects if isinstance(effects, Mapping) else {"effect": effects}
    common = Settings(**settings)
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
