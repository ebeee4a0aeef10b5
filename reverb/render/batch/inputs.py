"""Find the input files of a batch: files, folders, globs and URLs, in an order that does not depend on the disk."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reverb.audiofiles.files import FORMATS, PathLike
from reverb.errors import AudioFileError
from reverb.render.batch import remote

_MAGIC = "*?["


@dataclass(frozen=True)
class Input:
    """A file to be rendered.

    Attributes
    ----------
    path : str
        The path or URL to open.
    relative : PurePosixPath
        The path relative to the folder or glob that was named; the file's name if it was named itself.
    root : str
        The name of the folder that was named; empty for a file.
    problem : str or None
        Why the file cannot be read, if that is known already.
    """

    path: str
    relative: PurePosixPath
    root: str = ""
    problem: str | None = None


def find_inputs(named: Iterable[PathLike], leave_out: PathLike | None = None) -> tuple[Input, ...]:
    """Return the input files in the order in which they were named, those of a folder or glob alphabetically.

    Parameters
    ----------
    named : iterable of path-like
        A file, with any ending; a folder, which stands for the audio files in it, recursively and without hidden ones;
        a glob (``takes/**/*.wav``), for the audio files and folders that match; or a URL of these that fsspec knows.
        Links are followed, and each folder is entered once.
    leave_out : path-like, optional
        A folder not to enter: that of the outputs.

    Raises
    ------
    AudioFileError
        If a name does not exist, or has no audio file in it.
    """
    found: dict[tuple[str, PurePosixPath], Input] = {}
    for text in (os.fspath(one) for one in named):
        inputs = list(_remote(text) if remote.is_url(text) else _local(remote.local_path(text), leave_out))
        if not inputs:
            raise AudioFileError(f"{text}: no audio file in it; expected {', '.join(FORMATS)}")
        for one in inputs:
            found.setdefault((one.path, one.relative), one)
    return tuple(found.values())


def _remote(url: str) -> Iterator[Input]:
    for path, relative in remote.files(url):
        yield Input(path, PurePosixPath(relative), "" if path == url else remote.folder_name(url))


def _local(text: str, leave_out: PathLike | None) -> Iterator[Input]:
    path = Path(text)
    if os.path.lexists(path) or not any(mark in text for mark in _MAGIC):
        yield from _entry(path, path, leave_out)
        return
    matched = sorted(glob.glob(text, recursive=True))
    if not matched:
        raise AudioFileError(f"{text}: matches no file")
    fixed = _fixed_part(path)
    folders = [place for place in matched if os.path.isdir(place)]
    for place in matched:
        inside = any(place.startswith(f"{folder.rstrip(os.sep)}{os.sep}") for folder in folders)
        if not inside and (os.path.isdir(place) or Path(place).suffix.lower() in FORMATS):
            yield from _entry(Path(place), fixed, leave_out)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder of a glob before its first wildcard."""
    parts = pattern.parts
    first = next(number for number, part in enumerate(parts) if any(mark in part for mark in _MAGIC))
    return Path(*parts[:first])


def _entry(path: Path, root: Path, leave_out: PathLike | None) -> Iterator[Input]:
    """Yield a file, or the files of a folder, with paths relative to `root`."""
    if path.is_dir():
        yield from _folder(path, root, leave_out)
    elif os.path.lexists(path):
        relative = path.name if path == root else path.relative_to(root).as_posix()
        yield Input(str(path), PurePosixPath(relative), "" if path == root else _name_of(root))
    else:
        raise AudioFileError(f"{path}: no such file or folder")


def _folder(folder: Path, root: Path, leave_out: PathLike | None) -> Iterator[Input]:
    entered: set[tuple[int, int]] = set()
    if leave_out is not None:
        _new(leave_out, entered)
    _new(folder, entered)
    errors: list[OSError] = []
    for place, inner, files in os.walk(folder, followlinks=True, onerror=errors.append):
        # Links may lead back, so each folder is entered once: by its own name rather than by a link beside it.
        inner.sort(key=lambda name: (os.path.islink(os.path.join(place, name)), name))
        inner[:] = [
            name for name in inner if not name.startswith(".") and _new(os.path.join(place, name), entered)
        ]
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in FORMATS:
                path = Path(place, name)
                yield Input(str(path), PurePosixPath(path.relative_to(root).as_posix()), _name_of(root))
    for error in errors:
        path = Path(str(error.filename))
        problem = f"{path}: the folder cannot be read ({error.strerror})"
        yield Input(str(path), PurePosixPath(path.relative_to(root).as_posix()), _name_of(root), problem)


def _new(path: PathLike, entered: set[tuple[int, int]]) -> bool:
    """Add a folder to those entered, and return whether it is new."""
    try:
        status = os.stat(path)
    except OSError:  # gone or without permission, which the attempt to enter it reports
        return True
    identity = (status.st_dev, status.st_ino)
    before = len(entered)
    entered.add(identity)
    return len(entered) > before


def _name_of(root: Path) -> str:
    return root.resolve().name
