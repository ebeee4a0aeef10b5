"""The library: responses found by name, the user's own beside the bundled ones.

Folders are searched in this order, the first that knows a name wins: those of the environment variable
`REVERB_IMPULSES` (separated as in `PATH`), the user's own (`user_folder`), the bundled one. A response in a
subfolder is called by its path: ``plates/bright``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from reverb.audiofiles.files import FORMATS
from reverb.errors import UnknownNameError, nearest
from reverb.responses.response import ImpulseResponse
from reverb.store.response_files import load_response

if TYPE_CHECKING:
    from reverb.store.catalogue import Entry

ENVIRONMENT = "REVERB_IMPULSES"
BUNDLED, YOURS = "bundled", "yours"
_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "impulses", _PACKAGE.parent / "impulses")  # an installed wheel; the source tree


def bundled_folder() -> Path:
    """Return the folder of the bundled responses."""
    for folder in _FOLDERS:
        if folder.is_dir():
            return folder
    raise UnknownNameError("the bundled impulse responses are missing; reinstall the package")


def user_folder() -> Path:
    """Return the folder in which a user's own responses are found by name; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("reverb", appauthor=False) / "impulses"


def folders() -> dict[Path, str]:
    """Return the folders of the library in the order in which they are searched, with what each is called."""
    named = (text for text in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if text)
    found = {Path(text).expanduser(): text for text in named}
    found.setdefault(user_folder(), YOURS)
    found.setdefault(bundled_folder(), BUNDLED)
    return found


def names() -> dict[str, Path]:
    """Return the file of every response that is known by name, in alphabetical order."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in _sound_files(folder):
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return dict(sorted(found.items()))


def _sound_files(folder: Path) -> list[Path]:
    """Return the audio files of a folder and its subfolders, hidden ones left out; none where it cannot be read."""
    found = []
    for place, inner, files in os.walk(folder, followlinks=False):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in FORMATS)


def entries(search: str | Iterable[str] = ()) -> Iterator[Entry]:
    """Give the responses of the library, in alphabetical order, with their figures.

    The bundled ones' figures lie beside them; a file of the user's own is measured once, and again when it
    changes.

    Parameters
    ----------
    search : str or iterable of str
        Words, all of which a response's name, kind, layout, description or origin must hold; capitals do not matter.

    Warns
    -----
    UserWarning
        Where a file cannot be taken as a response; it is left out.
    """
    from reverb.store.catalogue import describe

    words = [word.casefold() for word in ([search] if isinstance(search, str) else search)]
    places = folders()
    for name, path in names().items():
        origin = next(called for folder, called in places.items() if path.is_relative_to(folder))
        entry = describe(name, path, origin, bundled_folder())
        if entry is not None and all(word in entry.text for word in words):
            yield entry


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
        return _load(text, path, layout, path.stat().st_mtime_ns)
    path = Path(text)
    if os.path.exists(path) or path.suffix or path.parent != Path("."):
        return load_response(path, layout).with_source(text, layout)
    raise UnknownNameError(
        f"no impulse response {text!r}; {nearest(text, known)}Known: {', '.join(known)}; or give the path of an audio "
        "file"
    )


@lru_cache(maxsize=16)
def _load(name: str, path: Path, layout: str | None, modified_ns: int) -> ImpulseResponse:  # noqa: ARG001  # a cache key
    return load_response(path, layout).with_source(name, layout)
