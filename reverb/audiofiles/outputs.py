"""Outputs of any kind that appear whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from reverb.checks import file_path
from reverb.errors import AudioFileError

PathLike: TypeAlias = str | os.PathLike[str]


@contextlib.contextmanager
def whole_or_nothing(path: PathLike, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, and rename it to `path` if the block succeeds.

    On any exception, Ctrl-C included, the temporary file is removed and an existing file at `path` stays. An existing
    file is replaced only after the new one has been flushed to disk; without one there is no flush, as nothing can be
    lost.

    Raises
    ------
    AudioFileError
        If the output exists and must not be overwritten, or its folder cannot be written.
    ParameterError
        If `path` is no path.
    """
    path = Path(file_path("path", path))
    check_output(path, overwrite)
    # Its length does not depend on the final name, which may be as long as the file system allows.
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
    """Raise AudioFileError if an output cannot be written, before any work is done."""
    path = Path(file_path("path", path))
    if os.path.isdir(path):
        raise AudioFileError(f"{path}: is a folder; give a file name in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise AudioFileError(f"{path}: is a device or pipe; give a file name, or - for standard output")
    if _exists(path) and not overwrite:
        raise AudioFileError(f"{path}: exists already; use --force (overwrite=True) to replace it")
    if not path.parent.is_dir():
        raise AudioFileError(f"{path}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise AudioFileError(f"{path}: no permission to write in {path.parent}")


def _exists(path: Path) -> bool:
    """Return whether a file has this name; a dangling link counts."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:  # such as a name that is too long, or a file in place of a folder
        raise AudioFileError(f"{path}: cannot be written ({os.strerror(error.errno or 0)})") from error
    return True


def publish(temporary: Path, path: Path, overwrite: bool) -> None:
    """Rename a finished file to its final name on the same disk; AudioFileError if that exists and must stay."""
    if overwrite:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)  # unlike a rename, it fails if a file has appeared in the meantime
    except FileExistsError:
        raise AudioFileError(f"{path}: appeared while it was being made, and was kept; use --force") from None
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        if os.path.lexists(path):
            raise AudioFileError(f"{path}: appeared while it was being made, and was kept") from None
        os.rename(temporary, path)  # a file system without hard links


def to_disk(path: Path) -> None:
    """Flush a file to disk: from then on not even a power cut leaves half of it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
