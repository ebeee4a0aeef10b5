"""One task from beginning to end, in whatever process: the input hashed, rendered beside its place, and published."""

import os
import time
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reverb import __version__
from reverb.effects.effect import HasResponse
from reverb.effects.folding import trim
from reverb.errors import AudioFileError, ReverbError
from reverb.render.batch.remote import is_url
from reverb.render.batch.storage import OutputFolder, hash_of_file, local_copy
from reverb.render.batch.tasks import Outcome, Prepared, Task, Treatment, described, failed, finite
from reverb.render.files import RenderReport, process_file
from reverb.render.job import Progress
from reverb.responses.response import ImpulseResponse

_KEPT_RESPONSES = 16


@dataclass(frozen=True)
class Workshop:
    """What all tasks of a batch share; every worker receives it once.

    Attributes
    ----------
    folder : OutputFolder
    treatments : dict of Treatment by name
    threads : int
        That one worker convolves with.
    """

    folder: OutputFolder
    treatments: dict[str, Treatment]
    threads: int = 1


class FoldedResponses:
    """The responses that effects fold into, kept for the files that follow: the last few by effect and sample rate."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, float | None, int], ImpulseResponse] = OrderedDict()

    def of(self, prepared: Prepared) -> HasResponse:
        """Return an effect that folds once for each sample rate."""
        return _Folded(self, prepared)

    def fold(self, prepared: Prepared, sample_rate: int) -> ImpulseResponse:
        """Return the response at a sample rate, its ends left out where the settings say so."""
        floor_db = prepared.settings.floor_db
        key = (prepared.response_hash, floor_db, sample_rate)
        response = self._kept.pop(key, None)
        if response is None:
            response = prepared.effect.response(sample_rate)
            response = response if floor_db is None else trim(response, floor_db)
        self._kept[key] = response
        while len(self._kept) > _KEPT_RESPONSES:
            self._kept.popitem(last=False)
        return response


@dataclass(frozen=True)
class _Folded:
    kept: FoldedResponses
    prepared: Prepared

    def response(self, sample_rate: int) -> ImpulseResponse:
        return self.kept.fold(self.prepared, sample_rate)


def carry_out(
    task: Task, workshop: Workshop, responses: FoldedResponses, progress: Progress | None = None
) -> Outcome:
    """Carry out a task. Whatever is wrong with it becomes its outcome; only interrupts are raised.

    Parameters
    ----------
    task : Task
    workshop : Workshop
    responses : FoldedResponses
        Of this worker.
    progress : callable, optional
        Called now and then with frames done and frames in all.
    """
    begin: dict[str, Any] | None = None
    try:
        prepared = Prepared(task, workshop.treatments[task.treatment])
        begin = described(task, prepared)
        return _Attempt(task, prepared, workshop, begin).run(responses, progress)
    except (ReverbError, OSError) as error:
        message = " ".join(str(error).split())
    except Exception as error:  # a fault of this program must not stop the other files either
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = (
            f"unexpected {type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
        )
    earlier = {"output_hash": task.done["output_hash"]} if task.done else {}
    return failed(task, message, begin, **earlier)


class _Attempt:
    """The steps of one task."""

    def __init__(self, task: Task, prepared: Prepared, workshop: Workshop, begin: dict[str, Any]) -> None:
        self._task, self._prepared, self._workshop, self._begin = task, prepared, workshop, begin
        self._folder = workshop.folder
        self._started = time.perf_counter()

    def run(self, responses: FoldedResponses, progress: Progress | None) -> Outcome:
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
            said = [str(warning.message).replace(source, task.source) for warning in caught]
        seconds = round(time.perf_counter() - self._started, 3)
        record = {
            **self._begin, "status": "done", **facts, "warnings": said, "seconds": seconds, "version": __version__
        }  # fmt: skip
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
        settings = {**asdict(self._prepared.settings), "floor_db": None}  # already left out
        effect = responses.of(self._prepared)
        try:
            return process_file(
                source, made, effect, **settings, measure=True, workers=self._workshop.threads, progress=progress
            )  # fmt: skip
        except ReverbError as error:
            names = {str(made): self._folder.where(self._task.output), source: self._task.source}
            raise _renamed(error, names) from error

    def _publish(self, made: Path) -> str:
        """Give the output its name, and return its hash."""
        task, made_hash = self._task, hash_of_file(made)
        if not task.overwrite and (there := self._folder.content_hash(task.output)) is not None:
            # An attempt whose worker died, or a batch that does the same, may have come this far.
            if there == made_hash:
                return made_hash
            raise AudioFileError(
                f"{self._folder.where(task.output)}: exists, and holds something else; use --force to replace it"
            )
        self._folder.publish(made, task.output, task.overwrite)
        return made_hash


def _renamed(error: ReverbError, names: dict[str, str]) -> ReverbError:
    """Return an error that speaks of what the user knows, not of temporary names."""
    text = str(error)
    for temporary, known in names.items():
        text = text.replace(temporary, known)
    return type(error)(text)


def _check_source(source: str) -> None:
    """Refuse what would be waited for without end."""
    if not is_url(source) and os.path.exists(source) and not os.path.isfile(source):
        raise AudioFileError(f"{source}: is a folder, device or pipe; expected an audio file")


def _hash_of_input(called: str, path: str) -> str:
    try:
        return hash_of_file(path)
    except OSError as error:
        raise AudioFileError(f"{called}: cannot be read ({error.strerror})") from error


def _identity(path: str) -> Sequence[int]:
    """Return what changes when a file is written to."""
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
