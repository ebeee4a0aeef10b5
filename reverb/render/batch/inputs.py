"""Finding the files of a batch: files, folders, globs and URLs, in an order that does not depend on the disk."""

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
        As it is opened: a path or a URL.
    relative : PurePosixPath
        Where it lies below what was named; its name alone, where it was named itself.
    root : str
        The name of the folder that was named, empty for a file.
    problem : str or None
        Why it cannot be read, where finding it has shown that.
    """

    path: str
    relative: PurePosixPath
    root: str = ""
    problem: str | None = None


def find_inputs(named: Iterable[PathLike], leave_out: PathLike | None = None) -> tuple[Input, ...]:
    """Return the files that were named: one after the other, those of a folder or glob in alphabetical order.

    Parameters
    ----------
    named : iterable of path-like
        A file is taken whatever it is called; a folder with all audio files in it and below, hidden ones left out; a
        glob (``takes/**/*.wav``) with the audio files and folders that it matches; a URL that fsspec knows likewise.
        Links are followed, each folder is entered once.
    leave_out : path-like, optional
        A folder that is not entered: that of the outputs.

    Raises
    ------
    AudioFileError
        If there is nothing under a name, or no audio file in it.
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
    """Return the folder of a glob above its first wildcard."""
    parts = pattern.parts
    first = next(number for number, part in enumerate(parts) if any(mark in part for mark in _MAGIC))
    return Path(*parts[:first])


def _entry(path: Path, root: Path, leave_out: PathLike | None) -> Iterator[Input]:
    """Give a file, or the files of a folder, with its place below `root`."""
    if path.is_dir():
        yield from _folder(path, root, leave_out)
    elif os.path.lexists(path):
        relative = path.name if path == root else path.relative_to(root).as_posix()
        yield Input(str(path), PurePosixPath(relative), "" if path == root else _called(root))
    else:
        raise AudioFileError(f"{path}: no such file or folder")


def _folder(folder: Path, root: Path, leave_out: PathLike | None) -> Iterator[Input]:
    entered: set[tuple[int, int]] = set()
    if leave_out is not None:
        _new(leave_out, entered)
    _new(folder, entered)
    closed: list[OSError] = []
    for place, inner, files in os.walk(folder, followlinks=True, onerror=closed.append):
        # Links may lead back: each folder is entered once, by its own name rather than by a link beside it.
        inner.sort(key=lambda name: (os.path.islink(os.path.join(place, name)), name))
        inner[:] = [
            name for name in inner if not name.startswith(".") and _new(os.path.join(place, name), entered)
        ]
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in FORMATS:
                path = Path(place, name)
                yield Input(str(path), PurePosixPath(path.relative_to(root).as_posix()), _called(root))
    for error in closed:
        path = Path(str(error.filename))
        problem = f"{path}: the folder cannot be read ({error.strerror})"
        yield Input(str(path), PurePosixPath(path.relative_to(root).as_posix()), _called(root), problem)


def _new(path: PathLike, entered: set[tuple[int, int]]) -> bool:
    """Note a folder, and return whether it had not been noted before."""
    try:
        status = os.stat(path)
    except OSError:  # it is gone, or closed: to enter it will show that
        return True
    identity = (status.st_dev, status.st_ino)
    before = len(entered)
    entered.add(identity)
    return len(entered) > before


def _called(root: Path) -> str:
    return root.resolve().name
