"""Outputs that appear whole or not at all: what every file that is written here goes through, sound or not."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from reverb.errors import AudioFileError

PathLike: TypeAlias = str | os.PathLike[str]


@contextlib.contextmanager
def whole_or_nothing(path: PathLike, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`, and rename it to `path` when all went well.

    On any exception, Ctrl-C included, the temporary file is removed and whatever stood at `path` stays. It is given up
    only when the disk has the new file; where nothing can be lost, nothing waits for the disk.

    Raises
    ------
    AudioFileError
        If the output exists and must not be overwritten, or its folder cannot be written.
    """
    path = Path(path)
    check_output(path, overwrite)
    # A name of its own length, so that a final name of any allowed length works.
    temporary = path.parent / f".reverb-{os.urandom(8).hex()}.part"
    try:
        yield temporary
        if overwrite and os.path.lexists(path):
            to_disk(temporary)
        publish(temporary, path, overwrite)
    except FileNotFoundError as error:
        raise AudioFileError(f"{path}: its folder vanished while it was written") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_output(path: PathLike, overwrite: bool) -> None:
    """Raise AudioFileError where an output could not be written, before any work is done."""
    path = Path(path)
    if os.path.isdir(path):
        raise AudioFileError(f"{path}: is a folder; give a file name in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise AudioFileError(f"{path}: is a device or pipe; give a file name, or - for standard output")
    if _stands(path) and not overwrite:
        raise AudioFileError(f"{path}: exists already; use --force (overwrite=True) to replace it")
    if not path.parent.is_dir():
        raise AudioFileError(f"{path}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise AudioFileError(f"{path}: no permission to write in {path.parent}")


def _stands(path: Path) -> bool:
    """Return whether something has that name, a link to nowhere included."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:  # a name that is too long, a file where a folder should be, ...
        raise AudioFileError(f"{path}: cannot be written ({os.strerror(error.errno or 0)})") from error
    return True


def publish(temporary: Path, path: Path, overwrite: bool) -> None:
    """Rename a finished file to its final name on the same disk; AudioFileError where that must not be replaced."""
    if overwrite:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)  # fails where a file has appeared meanwhile; rename would replace it
    except FileExistsError:
        raise AudioFileError(f"{path}: appeared while it was being made, and was kept; use --force") from None
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        if os.path.lexists(path):
            raise AudioFileError(f"{path}: appeared while it was being made, and was kept") from None
        os.rename(temporary, path)  # a file system without hard links


def to_disk(path: Path) -> None:
    """Wait until the disk has all of a file: from then on not even a power cut leaves half of it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
