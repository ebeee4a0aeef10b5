"""The journal of an output folder, which lists the finished outputs for `resume`, and the report of one run.

The journal is a file in the output folder with a line of JSON for each output. Several batches may append to it at the
same time, and a killed batch leaves the lines that it has written. Truncated or damaged lines are skipped. At its end a
batch sorts the journal: one line for each output, by name.
"""

import csv
import io
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.checks import file_path
from reverb.errors import AudioFileError, ParameterError, ReverbError
from reverb.render.batch.storage import OutputFolder
from reverb.render.batch.tasks import Outcome, Record

JOURNAL = "reverb-batch.jsonl"
"""The journal's file name in the output folder."""

REPORT_ENDINGS = (".csv", ".jsonl")

COLUMNS = (
    "status", "output", "input", "treatment", "seed", "variant", "mix", "predelay", "gain",
    "duration", "sample_rate", "channels", "subtype", "peak_db", "loudness", "true_peak_db", "clipped", "seconds",
    "warnings", "error", "response_hash", "settings_hash", "fft_plans", "input_hash", "output_hash",
    "effect", "settings", "version",
)  # fmt: skip
"""Columns of a report in CSV."""


class Journal:
    """The journal of an output folder.

    A line that cannot be written, because the disk is full or the folder is gone, is written with the next one.

    Attributes
    ----------
    problem : str or None
        Why the last line could not be written; None if it was.
    """

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._pending: list[bytes] = []
        self._written = time.monotonic()
        self.problem: str | None = None

    def records(self) -> dict[str, Record]:
        """Return the newest record of each output.

        Warns
        -----
        UserWarning
            If lines are damaged; their outputs are made again.
        """
        records, damaged = parse(self._folder.read(JOURNAL))
        if damaged:
            where = self._folder.where(JOURNAL)
            warnings.warn(
                f"{where}: {len(damaged)} lines are damaged; their outputs are made again",
                stacklevel=2,
            )
        return records

    def add(self, record: Record) -> None:
        """Append a record, immediately or together with later ones, by the folder's `flush_seconds`."""
        self._pending.append(line(record))
        if time.monotonic() - self._written >= self._folder.flush_seconds:
            self._write()

    def close(self) -> None:
        """Write the remaining records and sort the journal."""
        self._write()
        if self.problem is None:
            self._try(self._sort)

    def _sort(self) -> None:
        content = self._folder.read(JOURNAL)
        if content != sorted_lines(content):
            self._folder.rewrite(JOURNAL, sorted_lines)

    def _write(self) -> None:
        if not self._pending:
            return
        self._try(lambda: self._folder.append(JOURNAL, b"".join(self._pending)))
        self._written = time.monotonic()
        if self.problem is None:
            self._pending.clear()

    def _try(self, write: Callable[[], None]) -> None:
        """Write, and note the problem if that fails."""
        try:
            write()
            self.problem = None
        except (OSError, ReverbError) as error:
            reason = getattr(error, "strerror", None) or error
            self.problem = f"{self._folder.where(JOURNAL)}: cannot be written ({reason})"


def line(record: Record) -> bytes:
    """Return a record as a line of JSON in ASCII, which also represents file names that are not valid UTF-8."""
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def parse(content: bytes) -> tuple[dict[str, Record], list[bytes]]:
    """Return the last record of each output, and the damaged lines."""
    records: dict[str, Record] = {}
    damaged = []
    for text in content.split(b"\n"):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict) and isinstance(record.get("output"), str):
            records[record["output"]] = record
        else:
            damaged.append(text)
    return records, damaged


def sorted_lines(content: bytes) -> bytes:
    """Return the journal's content with one line for each output, sorted by name."""
    records, _ = parse(content)
    return b"".join(line(records[output]) for output in sorted(records))


def check_report(path: PathLike) -> None:
    """Raise the error that `write_report` would raise, before the batch begins."""
    file_path("report", path)
    if Path(path).suffix.lower() not in REPORT_ENDINGS:
        raise ParameterError(
            f"report is {os.fspath(path)!r}; expected a name that ends in {' or '.join(REPORT_ENDINGS)}"
        )
    if not Path(path).parent.is_dir():
        raise AudioFileError(f"{os.fspath(path)}: its folder does not exist; create it first")


def write_report(path: PathLike, outcomes: Iterable[Outcome]) -> None:
    """Write the report with a line or row for each outcome; an earlier one is replaced, whole or not at all."""
    rows = [{**outcome.record, "status": outcome.status} for outcome in outcomes]
    table = Path(path).suffix.lower() == ".csv"
    content = _table(rows) if table else b"".join(line(row) for row in rows)
    with whole_or_nothing(path, overwrite=True) as temporary:
        temporary.write_bytes(content)


def _table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(column)) for column in COLUMNS] for row in rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _cell(value: Any) -> Any:
    """Return a value as a cell of the table: a list as lines, settings as JSON."""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else value
