"""A batch from beginning to end: what the public functions `plan_batch`, `run_batch` and `process_files` do."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, Unpack

from reverb.audiofiles.files import PathLike
from reverb.effects.effect import HasResponse, check_workers
from reverb.render.batch import cluster, here, processes
from reverb.render.batch.augment import Augment
from reverb.render.batch.inputs import find_inputs
from reverb.render.batch.journal import Journal
from reverb.render.batch.plan import check_inputs_stay, plan
from reverb.render.batch.processes import Event
from reverb.render.batch.remote import IN_MEMORY, absolute
from reverb.render.batch.reports import check_report, write_report
from reverb.render.batch.run_task import Workshop
from reverb.render.batch.storage import LocalFolder, OutputFolder, output_folder
from reverb.render.batch.tasks import GivenSettings, Outcome, Settings, Status, Task, Treatment, failed

Listener: TypeAlias = Callable[[Event], None]
"""Called with each outcome, and between them with how far a file is."""

_STANDS = "exists already; --force (overwrite) replaces it, --resume goes on where a batch stopped"


@dataclass(frozen=True)
class Batch:
    """What is to be done.

    Attributes
    ----------
    tasks : tuple of Task
        In their order.
    treatments : dict of Treatment by name
    folder : OutputFolder
    """

    tasks: tuple[Task, ...]
    treatments: dict[str, Treatment]
    folder: OutputFolder

    def applied(self, task: Task) -> Treatment:
        """Return a task's treatment, with what was drawn for it."""
        treatment = self.treatments[task.treatment]
        return task.draw.apply(treatment) if task.draw else treatment


@dataclass(frozen=True)
class BatchReport:
    """What came of a batch.

    Attributes
    ----------
    outcomes : tuple of Outcome
        In the order of the plan, each with its `record`; where the batch was interrupted, of what came to an end.
    planned : int
        How many there would be.
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
        """Return how many outcomes are ``done``, ``kept`` or ``failed``."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def by_treatment(self) -> dict[str, BatchReport]:
        """Return the part of each treatment, in the order of the plan."""
        parts: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            parts.setdefault(outcome.task.treatment, []).append(outcome)
        return {name: replace(self, outcomes=tuple(part), planned=len(part)) for name, part in parts.items()}

    @property
    def duration(self) -> float:
        """Seconds of sound that were rendered."""
        return float(sum(outcome.record["duration"] for outcome in self.outcomes if outcome.status == "done"))

    @property
    def succeeded(self) -> bool:
        """Whether everything is there."""
        return self.trouble is None and self.count("failed") == 0 and len(self.outcomes) == self.planned


def plan_batch(
    inputs: PathLike | Iterable[PathLike],
    output_dir: PathLike,
    treatments: Sequence[Treatment],
    *,
    name_template: str | None = None,
    augment: Augment | None = None,
) -> Batch:
    """Return what a batch would do, without doing anything; parameters as `process_files`."""
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
    """Carry out a batch; parameters and errors as `process_files`."""
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
        folder.sweep(task.output for task in tasks)

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
        folder.sweep(task.output for task in tasks)
        journal.close()
        ordered = tuple(outcomes[task.output] for task in tasks if task.output in outcomes)
        if report is not None:
            write_report(report, ordered)
    return BatchReport(ordered, len(tasks), time.perf_counter() - started, journal.trouble)


def _prepared(batch: Batch, journal: Journal, resume: bool, overwrite: bool) -> list[Task]:
    """Return the tasks with what stands under their names, and what an earlier run has noted about it."""
    records = journal.records() if resume else {}
    standing: set[str] = set()
    if not resume and not overwrite:
        standing = batch.folder.standing(task.output for task in batch.tasks)

    def prepared(task: Task) -> Task:
        record = records.get(task.output, {})
        if "output_hash" in record:  # a batch has made it, so a batch may replace it
            return replace(task, done=record, overwrite=True)
        if task.output in standing and task.problem is None:
            return replace(task, problem=f"{batch.folder.where(task.output)}: {_STANDS}")
        return replace(task, overwrite=overwrite)

    return [prepared(task) for task in batch.tasks]


def _events(
    tasks: Sequence[Task], batch: Batch, workers: int | None, scheduler: str | None
) -> Generator[Event]:
    """Give what happens while tasks are carried out, by the executor that suits them."""
    possible = []
    for task in tasks:
        if task.problem is None:
            # Workers elsewhere have another working folder.
            possible.append(replace(task, source=absolute(task.source)) if scheduler else task)
        else:
            yield failed(task, task.problem)
    cores = workers or processes.usable_cores()
    at_once = max(1, min(cores, len(possible)))
    # Few files on many cores: the cores are shared out among them.
    workshop = Workshop(batch.folder, batch.treatments, threads=1 if scheduler else max(1, cores // at_once))
    if scheduler is not None:
        yield from cluster.run(possible, workshop, scheduler)
    elif any(
        place.startswith(IN_MEMORY) for place in (batch.folder.where(""), *(t.source for t in possible))
    ):
        yield from here.run(possible, workshop)
    else:
        yield from processes.run(possible, workshop, at_once)


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
    """Apply effects to many audio files, in parallel; one that fails does not stop the others.

    Every output appears whole or not at all, and its bytes do not depend on the number of workers. A line of JSON about
    each goes to ``reverb-batch.jsonl`` in the output folder as soon as it is there.

    Parameters
    ----------
    inputs : path-like, or iterable of them
        Files, folders (with all below them), globs, and URLs that fsspec knows. What lies below a folder keeps its
        place.
    output_dir : path-like
        A folder, which is made where it does not exist, or such a URL.
    effects : effect, or dict of them by name
        Each file goes through each; the names are those in the outputs' names.
    name_template : str, optional
        Of outputs, without their ending; `reverb.render.batch.naming.FIELDS` may stand in braces. By default
        ``{folder}/{stem}``, with ``-{ir}`` for several effects, or ``-{variant}`` where variants are drawn.
    augment : Augment, optional
        Draw variants of each file instead: one of the effects, its mix and pre-delay, and a gain.
    resume : bool
        Keep the outputs that an earlier run has made of the same input (by its content) with the same effect and
        settings and that are intact, and make the others (again).
    overwrite : bool
        Replace existing outputs.
    report : path-like, optional
        A ``.csv`` or ``.jsonl`` file for the outcomes, in the order of the plan.
    workers : int, optional
        Files at once, by default one per core.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers are used instead; paths must then mean the same to all of them.
    progress : callable, optional
        Called with each `Outcome`, and between them with the `Share` of a file that is done.
    **settings
        ``tail``, ``gain``, ``normalize``, ``match_loudness``, ``loudness``, ``ceiling``, ``floor_db``, ``container``,
        ``subtype`` and ``dither``, as `reverb.process_file` takes them.

    Returns
    -------
    BatchReport

    Raises
    ------
    ParameterError
        If a setting is out of range, two outputs would have one name, or an output would be an input.
    AudioFileError
        If there is nothing under an input's name, or the output folder cannot be made.
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
