"""The report of one run as a file: a line of JSON, or a row of a table, for each outcome in the order of the plan."""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.errors import AudioFileError, ParameterError
from reverb.render.batch.journal import line
from reverb.render.batch.tasks import Outcome

ENDINGS = (".csv", ".jsonl")

COLUMNS = (
    "status", "output", "input", "treatment", "seed", "variant", "mix", "predelay", "gain",
    "duration", "sample_rate", "channels", "subtype", "peak_db", "loudness", "true_peak_db", "clipped", "seconds",
    "warnings", "error", "response_hash", "settings_hash", "input_hash", "output_hash", "effect", "settings", "version",
)  # fmt: skip
"""Those of the table."""


def check_report(path: PathLike) -> None:
    """Raise what writing the report would raise, before there is anything to report."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise ParameterError(
            f"report {os.fspath(path)!r}; expected a name that ends in {' or '.join(ENDINGS)}"
        )
    if not Path(path).parent.is_dir():
        raise AudioFileError(f"{os.fspath(path)}: its folder does not exist; create it first")


def write_report(path: PathLike, outcomes: Iterable[Outcome]) -> None:
    """Write the report, whole or not at all; an earlier one is replaced."""
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
    """Return a value as it stands in a table: lists by lines, settings as JSON."""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else value
