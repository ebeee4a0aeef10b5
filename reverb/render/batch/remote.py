"""Files behind URLs, through fsspec: s3://, gs://, sftp://, memory://, ..."""

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
"""URLs of files that live in one process alone."""

_LOCAL = "file://"
_MAGIC = "*?["


def content_digest(file: io.BufferedIOBase) -> str:
    """Return 32 hexadecimal digits of the SHA-256 of what an opened file holds, here or elsewhere."""
    return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def is_url(text: str) -> bool:
    """Return whether a text names something behind a URL; ``file://`` is a path of this machine."""
    return "://" in text and not text.startswith(_LOCAL)


def local_path(text: str) -> str:
    """Return the path that a ``file://`` URL stands for; others as they are."""
    return url2pathname(unquote(urlsplit(text).path)) if text.startswith(_LOCAL) else text


def absolute(source: str) -> str:
    """Return a URL as it is, and a path as it reads from any folder."""
    return source if is_url(source) else os.path.abspath(source)


def files(url: str) -> Iterator[tuple[str, str]]:
    """Give the URL of a file, or of each audio file below a folder or of a glob, with its place below what was named.

    Raises
    ------
    AudioFileError
        If there is nothing, or the place cannot be reached.
    """
    disk, path = _disk(url)
    with _as_errors(url):
        if any(mark in path for mark in _MAGIC):
            fixed = path[: min(path.index(mark) for mark in _MAGIC if mark in path)].rpartition("/")[0]
            found = disk.glob(path)
        elif disk.isdir(path):
            fixed, found = path, disk.find(path)
        elif disk.exists(path):
            yield url, PurePosixPath(path).name
            return
        else:
            raise AudioFileError(f"{url}: no such file or folder")
        for one in sorted(found):
            relative = one.removeprefix(fixed).lstrip("/")
            hidden = any(part.startswith(".") for part in relative.split("/"))
            if not hidden and PurePosixPath(one).suffix.lower() in FORMATS:
                yield disk.unstrip_protocol(one), relative


def folder_name(url: str) -> str:
    """Return the name of the folder that a URL or a glob names."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return next((part for part in reversed(parts) if not any(mark in part for mark in _MAGIC)), "")


def download(url: str, path: Path) -> None:
    """Copy what lies behind a URL to a local file."""
    disk, remote = _disk(url)
    with _as_errors(url):
        disk.get_file(remote, os.fspath(path))


@dataclass(frozen=True)
class RemoteFolder:
    """A folder behind a URL. Its `OutputFolder` methods are described there."""

    root: str
    pace: float = 30.0

    def create(self) -> None:
        """Make the folder itself, where the place knows folders."""
        disk, path = _disk(self.root)
        with _as_errors(self.root):
            disk.makedirs(path, exist_ok=True)

    def where(self, output: str) -> str:
        """Return the whole URL of an output."""
        return f"{self.root}/{output}"

    def standing(self, outputs: Iterable[str]) -> set[str]:
        """Return those of the outputs whose names are taken, by one listing."""
        disk, path = _disk(self.root)
        with _as_errors(self.root):
            there = {one.removeprefix(path).lstrip("/") for one in disk.find(path)}
        return there.intersection(outputs)

    def content_hash(self, output: str) -> str | None:
        """Return the hash of an output's bytes, None where there is none."""
        disk, path = _disk(self.where(output))
        try:
            with disk.open(path, "rb") as file:
                return content_digest(file)
        except OSError:
            return None

    @contextlib.contextmanager
    def scratch(self, output: str) -> Iterator[Path]:  # noqa: ARG002  # other places make it beside the output
        """Give a temporary folder of this machine."""
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

    def sweep(self, outputs: Iterable[str]) -> None:
        """Leave what may still be in use: there are no locks."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes, none where it does not exist."""
        url = self.where(name)
        disk, path = _disk(url)
        with _as_errors(url):
            return bytes(disk.cat_file(path)) if disk.exists(path) else b""

    def append(self, name: str, lines: bytes) -> None:
        """Write lines at the end of a text file, which is written anew."""
        self.rewrite(name, lambda before: before + (b"" if before[-1:] in b"\n" else b"\n") + lines)

    def rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Replace a file's content at once."""
        content = change(self.read(name))
        url = self.where(name)
        disk, path = _disk(url)
        with _as_errors(url):
            disk.pipe_file(path, content)


def _disk(url: str) -> tuple[Any, str]:
    """Return the file system behind a URL, and the path on it."""
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
    """Raise what the network or the store refuses as AudioFileError."""
    try:
        yield
    except AudioFileError:
        raise
    except Exception as error:  # each store has errors of its own
        raise AudioFileError(f"{url}: {type(error).__name__}: {error}") from error
