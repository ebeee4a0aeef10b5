"""Standard input and output as files: ``-`` is spooled through a temporary file, for most formats need to seek."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reverb.audiofiles.files import PathLike
from reverb.errors import AudioFileError, ReverbError

STANDARD = "-"


@contextlib.contextmanager
def source_file(source: PathLike) -> Iterator[PathLike]:
    """Give the path to read: `source` itself, or a temporary copy of standard input for ``-``."""
    if source != STANDARD:
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="reverb-") as folder:
        copy = Path(folder) / "stdin"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        if copy.stat().st_size == 0:
            raise AudioFileError("standard input: is empty; expected an audio file")
        try:
            yield copy
        except ReverbError as error:  # nobody knows the copy's name
            raise type(error)(str(error).replace(str(copy), "standard input")) from error


@contextlib.contextmanager
def destination_file(destination: PathLike, container: str | None) -> Iterator[PathLike]:
    """Give the path to write: `destination` itself, or one that is copied to standard output for ``-``."""
    if destination != STANDARD:
        yield destination
        return
    with tempfile.TemporaryDirectory(prefix="reverb-") as folder:
        path = Path(folder) / f"stdout.{(container or 'wav').lower()}"
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()
