"""The journal: a line of JSON for every output in a folder, from which `resume` knows what is done.

It lies beside the outputs. Several batches may write to it at once, and one that is killed leaves all it has written; a
line that was cut short, or damaged, is passed over. When a batch ends it is put in order: one line for each output, by
name.
"""

import json
import time
import warnings
from collections.abc import Callable

from reverb.errors import ReverbError
from reverb.render.batch.storage import OutputFolder
from reverb.render.batch.tasks import Record

JOURNAL = "reverb-batch.jsonl"
"""Its name in the output folder."""


class Journal:
    """The journal of an output folder.

    A line that cannot be written, because the disk is full or the folder gone, is kept and written with the next.

    Attributes
    ----------
    trouble : str or None
        Why the last line could not be written.
    """

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._waiting: list[bytes] = []
        self._written = time.monotonic()
        self.trouble: str | None = None

    def records(self) -> dict[str, Record]:
        """Return the newest record of each output.

        Warns
        -----
        UserWarning
            If lines cannot be read; their outputs are taken as not made.
        """
        records, damaged = parse(self._folder.read(JOURNAL))
        if damaged:
            where = self._folder.where(JOURNAL)
            warnings.warn(
                f"{where}: {len(damaged)} of its lines cannot be read; their outputs are made again",
                stacklevel=2,
            )
        return records

    def add(self, record: Record) -> None:
        """Write a record at the end."""
        self._waiting.append(line(record))
        if time.monotonic() - self._written >= self._folder.pace:
            self._write()

    def close(self) -> None:
        """Write what waits, and put the journal in order."""
        self._write()
        if self.trouble is None:
            self._trying(self._put_in_order)

    def _put_in_order(self) -> None:
        content = self._folder.read(JOURNAL)
        if content != in_order(content):
            self._folder.rewrite(JOURNAL, in_order)

    def _write(self) -> None:
        if not self._waiting:
            return
        self._trying(lambda: self._folder.append(JOURNAL, b"".join(self._waiting)))
        self._written = time.monotonic()
        if self.trouble is None:
            self._waiting.clear()

    def _trying(self, write: Callable[[], None]) -> None:
        try:
            write()
            self.trouble = None
        except (OSError, ReverbError) as error:
            reason = getattr(error, "strerror", None) or error
            self.trouble = f"{self._folder.where(JOURNAL)}: cannot be written ({reason})"


def line(record: Record) -> bytes:
    """Return a record as a line of JSON, in ASCII: names that are no text stay what they are."""
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def parse(content: bytes) -> tuple[dict[str, Record], list[bytes]]:
    """Return the last record of each output, and the lines that are none."""
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


def in_order(content: bytes) -> bytes:
    """Return a journal with one line for each output, by name."""
    records, _ = parse(content)
    return b"".join(line(records[output]) for output in sorted(records))
