"""The library: responses found by name, bundled with the package."""

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reverb.errors import UnknownNameError
from reverb.responses.files import load_response
from reverb.responses.response import ImpulseResponse, layout_name, usual_wiring
from reverb.soundfiles import FORMATS, open_sound, read_tags

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "impulses", _PACKAGE.parent / "impulses")  # an installed wheel; the source tree


@dataclass(frozen=True)
class Entry:
    """A response of the library, as its file's header tells.

    Attributes
    ----------
    name, layout, description : str
    sample_rate : int
        In Hz.
    seconds : float
    path : Path
    """

    name: str
    layout: str
    sample_rate: int
    seconds: float
    description: str
    path: Path


def bundled_folder() -> Path:
    """Return the folder of the bundled responses."""
    for folder in _FOLDERS:
        if folder.is_dir():
            return folder
    raise UnknownNameError("the bundled impulse responses are missing; reinstall the package")


def names() -> dict[str, Path]:
    """Return the file of every response that is known by name, in alphabetical order."""
    files = (path for path in bundled_folder().iterdir() if path.suffix.lower() in FORMATS)
    return {path.stem: path for path in sorted(files, key=lambda path: path.stem)}


def entries() -> Iterator[Entry]:
    """Give every response of the library, in alphabetical order, without reading its samples."""
    for name, path in names().items():
        with open_sound(path) as sound:
            layout = layout_name(usual_wiring(sound.channels, str(path)))
            description = read_tags(sound).get("title", "")
            yield Entry(name, layout, sound.samplerate, sound.frames / sound.samplerate, description, path)


def impulse(name_or_file: str | os.PathLike[str], layout: str | None = None) -> ImpulseResponse:
    """Return a response of the library by its name, or load one from a file.

    Parameters
    ----------
    name_or_file : str or path-like
        A name that `reverb ir list` shows, such as ``"church"``, or the path of an audio file.
    layout : str, optional
        As `load_response` takes it.

    Raises
    ------
    UnknownNameError
        If it is neither a known name nor an existing file; the message suggests the nearest name.
    AudioFileError, InvalidAudioError
        As `load_response`.

    Examples
    --------
    >>> impulse("hall").layout
    'stereo'
    """
    text = os.fspath(name_or_file)
    known = names()
    if text in known:
        path = known[text]
        return _load(path, layout, path.stat().st_mtime_ns)
    path = Path(text)
    if path.exists() or path.suffix or path.parent != Path("."):
        return load_response(path, layout)
    nearest = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    raise UnknownNameError(
        f"no impulse response {text!r}; {hint}Known: {', '.join(known)}; or give the path of an audio file"
    )


@lru_cache(maxsize=16)
def _load(path: Path, layout: str | None, modified_ns: int) -> ImpulseResponse:  # noqa: ARG001  # a cache key
    return load_response(path, layout)
