"""Run one task in any process: hash the input, render it in a scratch folder, and publish the output."""

import os
import time
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reverb import __version__
from reverb.effects.effect import HasResponse
from reverb.effects.fold import trim
from reverb.engine.machine import Machine
from reverb.errors import AudioFileError, ReverbError
from reverb.render.batch.remote import is_url
from reverb.render.batch.storage import OutputFolder, hash_of_file, local_copy
from reverb.render.batch.tasks import Outcome, Prepared, Task, Treatment, described, failed, finite
from reverb.render.files import RenderReport, render_file
from reverb.render.job import Progress
from reverb.responses.response import ImpulseResponse

_MAX_RESPONSES = 16


@dataclass(frozen=True)
class WorkerContext:
    """The data that all tasks of a batch share. Every worker receives it once.

    Attributes
    ----------
    folder : OutputFolder
    treatments : dict of Treatment by name
    threads : int
        Convolution threads of one worker.
    machine : Machine
        With the FFT plans that all workers follow.
    """

    folder: OutputFolder
    treatments: dict[str, Treatment]
    threads: int = 1
    machine: Machine = field(default_factory=Machine)


class FoldedResponses:
    """A worker's cache of folded responses: the latest few, by effect and sample rate."""

    def __init__(self) -> None:
        self._cached: OrderedDict[tuple[str, float | None, int], ImpulseResponse] = OrderedDict()

    def of(self, prepared: Prepared) -> HasResponse:
        """Return a stand-in for the effect whose responses come from the cache."""
        return _Folded(self, prepared)

    def fold(self, prepared: Prepared, sample_rate: int) -> ImpulseResponse:
        """Return the response at a sample rate, trimmed if the settings ask for it."""
        floor_db = prepared.settings.floor_db
        key = (prepared.response_hash, floor_db, sample_rate)
        response = self._cached.pop(key, None)
        if response is None:
            response = prepared.effect.response(sample_rate)
            response = response if floor_db is None else trim(response, floor_db)
        self._cached[key] = response
        while len(self._cached) > _MAX_RESPONSES:
            self._cached.popitem(last=False)
        return response


@dataclass(frozen=True)
class _Folded:
    cache: FoldedResponses
    prepared: Prepared

    def response(self, sample_rate: int) -> ImpulseResponse:
        return self.cache.fold(self.prepared, sample_rate)


def run_task(
    task: Task, context: WorkerContext, responses: FoldedResponses, progress: Progress | None = None
) -> Outcome:
    """Run a task and return its outcome. Every error becomes a failed outcome; only interrupts are raised.

    Parameters
    ----------
    task : Task
    context : WorkerContext
    responses : FoldedResponses
        The worker's cache.
    progress : callable, optional
        Called from time to time with the number of frames done and the total.
    """
    description: dict[str, Any] | None = None
    try:
        prepared = Prepared(task, context.treatments[task.treatment], context.machine)
        description = described(task, prepared)
        return _Attempt(task, prepared, context, description).run(responses, progress)
    except (ReverbError, OSError) as error:
        message = " ".join(str(error).split())
    except Exception as error:  # nor may a bug stop the other files
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = (
            f"unexpected {type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
        )
    earlier = {"output_hash": task.done["output_hash"]} if task.done else {}
    return failed(task, message, description, **earlier)


def run_in_this_process(tasks: Iterable[Task], context: WorkerContext) -> Generator[Outcome]:
    """Run tasks one after the other and yield their outcomes, for files that exist in this process only."""
    responses = FoldedResponses()
    for task in tasks:
        yield run_task(task, context, responses)


class _Attempt:
    """The steps of one task."""

    def __init__(
        self, task: Task, prepared: Prepared, context: WorkerContext, description: dict[str, Any]
    ) -> None:
        self._task, self._prepared, self._context, self._description = task, prepared, context, description
        self._folder = context.folder
        self._started = time.perf_counter()

    def run(self, responses: FoldedResponses, progress: Progress | None) -> Outcome:
        """Return the outcome, or raise the error of a step."""
        task, folder = self._task, self._folder
        _check_source(task.source)
        with folder.scratch(task.output) as scratch, local_copy(task.source, scratch) as source:
            before = _identity(source)
            input_hash = _hash_of_input(task.source, source)
            if self._is_done(input_hash):
                assert task.done is not None
                return Outcome(task=task, status="kept", record=task.done)
            made = scratch / f"output{Path(task.output).suffix}"
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                report = self._render(source, made, responses, progress)
            if _identity(source) != before:
                raise AudioFileError(f"{task.source}: changed while it was read; run it again")
            output_hash = self._publish(made)
            facts = {"input_hash": input_hash, "output_hash": output_hash, **_measured(report)}
            messages = [str(warning.message).replace(source, task.source) for warning in caught]
        seconds = round(time.perf_counter() - self._started, 3)
        ending = {"warnings": messages, "seconds": seconds, "version": __version__}
        record = {**self._description, "status": "done", **facts, **ending}
        return Outcome(task=task, status="done", record=record)

    def _is_done(self, input_hash: str) -> bool:
        done = self._task.done
        return (
            done is not None
            and done.get("status") == "done"
            and done.get("input_hash") == input_hash
            and done.get("settings_hash") == self._prepared.settings_hash
            and done.get("output_hash") == self._folder.content_hash(self._task.output)
        )

    def _render(
        self, source: str, made: Path, responses: FoldedResponses, progress: Progress | None
    ) -> RenderReport:
        settings = replace(self._prepared.settings, floor_db=None)  # the cache trims
        effect = responses.of(self._prepared)
        try:
            return render_file(
                source,
                made,
                effect,
                settings,
                measure=True,
                workers=self._context.threads,
                progress=progress,
                machine=self._context.machine,
            )
        except ReverbError as error:
            names = {str(made): self._folder.where(self._task.output), source: self._task.source}
            raise _renamed(error, names) from error

    def _publish(self, made: Path) -> str:
        """Publish the output under its name and return its hash."""
        task, made_hash = self._task, hash_of_file(made)
        if not task.overwrite and (existing_hash := self._folder.content_hash(task.output)) is not None:
            # By an attempt whose worker died, or by another batch of the same files.
            if existing_hash == made_hash:
                return made_hash
            raise AudioFileError(
                f"{self._folder.where(task.output)}: exists with other content, of another run or of a worker with "
                "other FFT libraries or another processor; use --force to replace it"
            )
        self._folder.publish(made, task.output, task.overwrite)
        return made_hash


def _renamed(error: ReverbError, names: dict[str, str]) -> ReverbError:
    """Return an error with the user's file names in place of temporary ones."""
    text = str(error)
    for temporary, name in names.items():
        text = text.replace(temporary, name)
    return type(error)(text)


def _check_source(source: str) -> None:
    """Raise AudioFileError for folders, devices and pipes: reading a pipe could wait forever."""
    if not is_url(source) and os.path.exists(source) and not os.path.isfile(source):
        raise AudioFileError(f"{source}: is a folder, device or pipe; expected an audio file")


def _hash_of_input(name: str, path: str) -> str:
    try:
        return hash_of_file(path)
    except OSError as error:
        raise AudioFileError(f"{name}: cannot be read ({error.strerror})") from error


def _identity(path: str) -> Sequence[int]:
    """Return numbers that change when the file is written to or replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _measured(report: RenderReport) -> dict[str, Any]:
    return {
        "duration": round(report.duration, 6),
        "frames": report.frames,
        "channels": report.channels,
        "sample_rate": report.sample_rate,
        "container": report.container,
        "subtype": report.subtype,
        "peak_db": finite(report.peak_db),
        "loudness": finite(report.loudness),
        "true_peak_db": finite(report.true_peak),
        "clipped": report.clipped,
    }
