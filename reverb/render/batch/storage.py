"""The output folder of a batch: on this machine, or behind a URL (`remote`).

A file is made in a scratch folder and gets its final name when it is complete. The process that uses a scratch folder
locks it, so that the folders of killed processes are recognized and removed.
"""

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reverb.audiofiles.outputs import PathLike, check_output, publish, to_disk
from reverb.checks import file_path
from reverb.errors import AudioFileError
from reverb.render.batch.remote import RemoteFolder, content_digest, download, is_url, local_path

try:
    import fcntl
except ImportError:  # Windows has no such locks: scratch folders of killed processes stay
    fcntl = None  # type: ignore[assignment]

_PREFIX, _SUFFIX = ".reverb-", ".part"


class OutputFolder(Protocol):
    """The output folder, as a value for the workers. Output names are relative, with ``/`` between the parts."""

    def create(self) -> None:
        """Create the folder itself."""

    def where(self, output: str) -> str:
        """Return the full path or URL of an output."""

    def existing(self, outputs: Iterable[str]) -> set[str]:
        """Return those of the outputs that exist."""

    def content_hash(self, output: str) -> str | None:
        """Return the hash of an output's bytes; None if it does not exist."""

    def scratch(self, output: str) -> AbstractContextManager[Path]:
        """Yield a private folder in which to make an output, and remove it afterwards."""

    def publish(self, made: Path, output: str, overwrite: bool) -> None:
        """Give a file made in the scratch folder its final name, whole or not at all."""

    def remove_leftovers(self, outputs: Iterable[str]) -> None:
        """Remove the scratch folders of killed processes next to the outputs."""

    @property
    def flush_seconds(self) -> float:
        """Minimum number of seconds between two calls of `append`."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes; none if it does not exist."""

    def append(self, name: str, lines: bytes) -> None:
        """Append lines to a text file, after a line break if its last line was truncated."""

    def rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Replace a file's content by the result of `change`; a local file is locked meanwhile."""


def output_folder(path: PathLike) -> OutputFolder:
    """Return the output folder for a path or URL."""
    text = file_path("the output folder", path)
    return RemoteFolder(text.rstrip("/")) if is_url(text) else LocalFolder(os.path.abspath(local_path(text)))


@contextlib.contextmanager
def local_copy(source: str, scratch: Path) -> Iterator[str]:
    """Yield a local path to read: the source itself, or a downloaded copy of a URL."""
    if not is_url(source):
        yield source
        return
    copy = scratch / f"source{Path(source).suffix}"
    download(source, copy)
    yield str(copy)


def hash_of_file(path: PathLike) -> str:
    """Return the digest of a file's bytes."""
    with open(path, "rb") as file:
        return content_digest(file)


@dataclass(frozen=True)
class LocalFolder:
    """A folder on a local disk or a network share."""

    root: str
    flush_seconds: float = 0.0

    def create(self) -> None:
        """Create the folder itself."""
        try:
            os.makedirs(self.root, exist_ok=True)
        except OSError as error:
            raise AudioFileError(f"{self.root}: cannot be created ({error.strerror})") from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise AudioFileError(f"{self.root}: no permission to write in it")

    def where(self, output: str) -> str:
        """Return the full path of an output."""
        return os.path.join(self.root, *output.split("/"))

    def existing(self, outputs: Iterable[str]) -> set[str]:
        """Return those of the outputs that exist."""
        return {output for output in outputs if os.path.lexists(self.where(output))}

    def content_hash(self, output: str) -> str | None:
        """Return the hash of an output's bytes; None if it does not exist."""
        try:
            return hash_of_file(self.where(output))
        except OSError:
            return None

    @contextlib.contextmanager
    def scratch(self, output: str) -> Iterator[Path]:
        """Yield a locked folder next to the output, on the same disk."""
        self._check_root()
        path = Path(self.where(output))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioFileError(f"{path.parent}: cannot be created ({error.strerror})") from error
        check_output(path, overwrite=True)
        with _locked_folder(path.parent) as folder:
            yield folder

    def publish(self, made: Path, output: str, overwrite: bool) -> None:
        """Flush the file to disk, then rename it: not even a power cut leaves half of it."""
        try:
            to_disk(made)
            publish(made, Path(self.where(output)), overwrite)
        except FileNotFoundError:
            self._check_root()
            raise AudioFileError(f"{self.where(output)}: its folder vanished while it was written") from None

    def _check_root(self) -> None:
        """Raise AudioFileError if the folder is gone.

        It is not created again: on an unmounted disk's mount point that would fill another disk.
        """
        if not os.path.isdir(self.root):
            raise AudioFileError(f"{self.root}: the output folder vanished")

    def remove_leftovers(self, outputs: Iterable[str]) -> None:
        """Remove scratch folders that no process has locked."""
        for folder in sorted({os.path.dirname(self.where(output)) for output in outputs}):
            for leftover in Path(folder).glob(f"{_PREFIX}*{_SUFFIX}"):
                _remove_unlocked(leftover)

    def read(self, name: str) -> bytes:
        """Return a file's bytes; none if it does not exist."""
        with contextlib.suppress(FileNotFoundError):
            return Path(self.where(name)).read_bytes()
        return b""

    def append(self, name: str, lines: bytes) -> None:
        """Append lines to a text file under its lock, so that lines of several batches do not mix."""
        with _locked_file(self.where(name)) as file:
            _write_all(file, (b"" if _last_byte(file) in b"\n" else b"\n") + lines)

    def rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Replace a file, whole or not at all, under its lock."""
        path = self.where(name)
        temporary = f"{path}.{os.urandom(4).hex()}{_SUFFIX}"
        with _locked_file(path) as file:
            try:
                file.seek(0)
                Path(temporary).write_bytes(change(file.read()))
                os.replace(temporary, path)
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)


@contextlib.contextmanager
def _locked_folder(parent: Path) -> Iterator[Path]:
    """Create a folder and lock it until the process ends: the system releases the lock even after a kill."""
    folder, lock = _new_folder(parent)
    try:
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder(parent: Path) -> tuple[Path, int | None]:
    """Return a new folder and the file descriptor of its lock; None without locks."""
    while True:
        folder = Path(tempfile.mkdtemp(_SUFFIX, _PREFIX, parent))
        if fcntl is None:
            return folder, None
        lock = os.open(folder, os.O_RDONLY)
        with contextlib.suppress(OSError):  # a network share without locks, where leftovers stay
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if folder.exists():  # otherwise another batch removed it before it was locked
            return folder, lock
        os.close(lock)


def _remove_unlocked(folder: Path) -> None:
    """Remove a scratch folder unless its process still has its lock."""
    if fcntl is None or not folder.is_dir():
        return
    with contextlib.suppress(OSError):
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


@contextlib.contextmanager
def _locked_file(path: str) -> Iterator[io.FileIO]:
    """Open a file for reading and appending, locked against other callers of this function in any process."""
    while True:
        with open(path, "ab+", buffering=0) as file:
            if fcntl is not None:
                with contextlib.suppress(OSError):  # a network share without locks
                    fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_same(path, file):  # replaced between opening and locking
                continue
            yield file
            return


def _is_same(path: str, file: io.FileIO) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _last_byte(file: io.FileIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    return file.read(1)


def _write_all(file: io.FileIO, data: bytes) -> None:
    """Write all bytes. The file has no buffer, which on a full disk would be written again at closing."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]
