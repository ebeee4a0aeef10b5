"""Input files and output folders behind URLs, through fsspec: s3://, gs://, sftp://, memory://, ..."""

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from reverb.audiofiles.files import FORMATS
from reverb.errors import AudioFileError, MissingExtraError, ParameterError, missing_extra

IN_MEMORY = "memory://"
"""Prefix of URLs whose files exist in one process only."""

WILDCARDS = "*?["
"""Characters that make a name a glob."""

_LOCAL = "file://"


def content_digest(file: io.BufferedIOBase) -> str:
    """Return the first 32 hexadecimal digits of the SHA-256 of an open file's content."""
    return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def is_url(text: str) -> bool:
    """Return whether a text is a URL; ``file://`` counts as a local path."""
    return "://" in text and not text.startswith(_LOCAL)


def local_path(text: str) -> str:
    """Return the path of a ``file://`` URL; any other text unchanged."""
    return url2pathname(unquote(urlsplit(text).path)) if text.startswith(_LOCAL) else text


def absolute(source: str) -> str:
    """Return a URL unchanged, and a path as an absolute path."""
    return source if is_url(source) else os.path.abspath(source)


def files(url: str) -> Iterator[tuple[str, str]]:
    """Yield URL and relative path of a file, or of each audio file in a folder (recursively) or of a glob.

    Raises
    ------
    AudioFileError
        If nothing exists there, or the server cannot be reached.
    """
    disk, path = _disk(url)
    with _as_errors(url):
        if any(mark in path for mark in WILDCARDS):
            root = path[: min(path.index(mark) for mark in WILDCARDS if mark in path)].rpartition("/")[0]
            found = disk.glob(path)
        elif disk.isdir(path):
            root, found = path, disk.find(path)
        elif disk.exists(path):
            yield url, PurePosixPath(path).name
            return
        else:
            raise AudioFileError(f"{url}: no such file or folder")
        for one in sorted(found):
            relative = one.removeprefix(root).lstrip("/")
            hidden = any(part.startswith(".") for part in relative.split("/"))
            if not hidden and PurePosixPath(one).suffix.lower() in FORMATS:
                yield disk.unstrip_protocol(one), relative


def folder_name(url: str) -> str:
    """Return the name of the folder of a URL or a glob."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return next((part for part in reversed(parts) if not any(mark in part for mark in WILDCARDS)), "")


def download(url: str, path: Path) -> None:
    """Copy a remote file to a local path."""
    disk, remote = _disk(url)
    with _as_errors(url):
        disk.get_file(remote, os.fspath(path))


@dataclass(frozen=True)
class RemoteFolder:
    """A folder behind a URL: an `OutputFolder`, whose methods are documented there."""

    root: str
    flush_seconds: float = 30.0

    def create(self) -> None:
        """Create the folder itself, if the file system has folders."""
        disk, path = _disk(self.root)
        with _as_errors(self.root):
            disk.makedirs(path, exist_ok=True)

    def where(self, output: str) -> str:
        """Return the full URL of an output."""
        return f"{self.root}/{output}"

    def existing(self, outputs: Iterable[str]) -> set[str]:
        """Return those of the outputs that exist, with one listing for all."""
        disk, path = _disk(self.root)
        with _as_errors(self.root):
            found = {one.removeprefix(path).lstrip("/") for one in disk.find(path)}
        return found.intersection(outputs)

    def content_hash(self, output: str) -> str | None:
        """Return the hash of an output's bytes; None if it does not exist."""
        disk, path = _disk(self.where(output))
        try:
            with disk.open(path, "rb") as file:
                return content_digest(file)
        except OSError:
            return None

    @contextlib.contextmanager
    def scratch(self, output: str) -> Iterator[Path]:  # noqa: ARG002  # a local folder uses it
        """Yield a temporary folder on this machine."""
        with tempfile.TemporaryDirectory(prefix="reverb-") as folder:
            yield Path(folder)

    def publish(self, made: Path, output: str, overwrite: bool) -> None:
        """Upload the file under a temporary name, then rename it."""
        url = self.where(output)
        disk, path = _disk(url)
        folder = path.rpartition("/")[0]
        temporary = f"{folder}/.reverb-{os.urandom(8).hex()}.part"
        with _as_errors(url):
            try:
                disk.makedirs(folder, exist_ok=True)
                disk.put_file(os.fspath(made), temporary)
                if not overwrite and disk.exists(path):
                    raise AudioFileError(
                        f"{url}: appeared while it was being made, and was kept; use --force"
                    )
                disk.mv(temporary, path)
            finally:
                with contextlib.suppress(OSError):
                    disk.rm_file(temporary)

    def remove_leftovers(self, outputs: Iterable[str]) -> None:
        """Do nothing: without locks, a leftover may still be in use."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes; none if it does not exist."""
        url = self.where(name)
        disk, path = _disk(url)
        with _as_errors(url):
            return bytes(disk.cat_file(path)) if disk.exists(path) else b""

    def append(self, name: str, lines: bytes) -> None:
        """Append lines to a text file by writing it again."""
        self.rewrite(name, lambda before: before + (b"" if before[-1:] in b"\n" else b"\n") + lines)

    def rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Replace a file's content by the result of `change`."""
        content = change(self.read(name))
        url = self.where(name)
        disk, path = _disk(url)
        with _as_errors(url):
            disk.pipe_file(path, content)


def _disk(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path on it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra("cluster", f"{url}: files behind URLs need fsspec") from error
    try:
        disk, path = url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(f"{url}: {error}") from error
    except ValueError as error:
        raise ParameterError(f"{url}: {error}; expected a path, or a URL that fsspec knows") from error
    return disk, path


@contextlib.contextmanager
def _as_errors(url: str) -> Iterator[None]:
    """Convert errors of the network or the server to AudioFileError."""
    try:
        yield
    except AudioFileError:
        raise
    except Exception as error:  # each file system raises its own types
        raise AudioFileError(f"{url}: {type(error).__name__}: {error}") from error
