"""The library: impulse responses by name, bundled and the user's own, and the door for responses given in other ways.

Folders are searched in this order, and the first that has a name wins: those of the environment variable
`REVERB_IMPULSES` (separated as in `PATH`), the user's own (`user_folder`), the bundled one. The name of a response in
a subfolder is its path: ``plates/bright``.

`entries` lists each response's layout, length, kind, decay time and clarity. The figures of the bundled responses are
in `catalogue.json` in their folder; other files are measured once, and their figures cached in the user's cache folder
by path, size and modification time.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_sample_rate
from reverb.audiofiles.files import FORMATS, open_sound, read_tags
from reverb.cache import cache_folder, read_cache, write_cache
from reverb.checks import file_path, instance
from reverb.errors import ParameterError, ReverbError, UnknownNameError, nearest, shown
from reverb.responses.layouts import layout_name, usual_wiring
from reverb.responses.response import ImpulseResponse
from reverb.store.formats import UnknownRateError
from reverb.store.response_files import load_response

if TYPE_CHECKING:
    from reverb.effects.effect import HasResponse

ENVIRONMENT = "REVERB_IMPULSES"
BUNDLED, YOURS = "bundled", "yours"
_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "impulses", _PACKAGE.parent / "impulses")  # an installed wheel; the source tree
MID_OCTAVES_HZ = (500.0, 1000.0)
"""Octaves over which single figures are averaged (ISO 3382-1, table A.1)."""
_CACHE_FILE = "responses.json"
_MAX_CACHED = 5000


class Entry(NamedTuple):
    """A response of the library.

    Attributes
    ----------
    name, layout, description : str
    sample_rate : int
        In Hz.
    seconds : float
    path : Path
    kind : str
        ``room``, ``plate``, ``measured``, or ``file`` if unknown.
    channels : int
    t30, c80 : float or None
        Reverberation time in seconds and clarity in dB, means of the octaves 500 Hz and 1 kHz; None if they are not
        reliable.
    origin : str
        ``bundled``, ``yours``, or a folder of the environment variable.
    """

    name: str
    layout: str
    sample_rate: int
    seconds: float
    description: str
    path: Path
    kind: str
    channels: int
    t30: float | None
    c80: float | None
    origin: str

    @property
    def text(self) -> str:
        """The text that a search looks through, in lower case."""
        parts = (self.name, self.kind, self.layout, self.description, self.origin)
        return " ".join(parts).casefold()


def bundled_folder() -> Path:
    """Return the folder of the bundled responses."""
    for folder in _FOLDERS:
        if folder.is_dir():
            return folder
    raise UnknownNameError("the bundled impulse responses are missing; reinstall the package")


def user_folder() -> Path:
    """Return the folder for a user's own responses; it may not exist."""
    from platformdirs import user_data_path

    return user_data_path("reverb", appauthor=False) / "impulses"


def folders() -> dict[Path, str]:
    """Return the folders of the library, in the order of a search, with the `Entry.origin` of each."""
    named = (text for text in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if text)
    found = {Path(text).expanduser(): text for text in named}
    found.setdefault(user_folder(), YOURS)
    found.setdefault(bundled_folder(), BUNDLED)
    return found


def names() -> dict[str, Path]:
    """Return the files of the library's responses by name, in alphabetical order."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in _sound_files(folder):
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return dict(sorted(found.items()))


def _sound_files(folder: Path) -> list[Path]:
    """Return the audio files in a folder and its subfolders, without hidden ones; none if it cannot be read."""
    found = []
    for parent, subfolders, files in os.walk(folder, followlinks=False):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in FORMATS)


def entries(search: str | Iterable[str] = ()) -> Iterator[Entry]:
    """Yield the responses of the library with their figures, in alphabetical order.

    The figures of the bundled responses are stored with them; a user's own file is measured once, and again when it
    changes.

    Parameters
    ----------
    search : str or iterable of str
        Words that must all occur in a response's name, kind, layout, description or origin; case does not matter.

    Raises
    ------
    ParameterError
        If `search` is anything else.

    Warns
    -----
    UserWarning
        If a file is not a response; it is left out.
    """
    given = list(search) if isinstance(search, Iterable) and not isinstance(search, str) else [search]
    words = [instance("search", word, str, "words").casefold() for word in given]
    searched = folders()
    for name, path in names().items():
        origin = next(origin for folder, origin in searched.items() if path.is_relative_to(folder))
        try:
            entry = Entry(name=name, path=path, origin=origin, **_facts(path))
        except ReverbError as error:
            warnings.warn(f"left out of the list: {error}", stacklevel=2)
            continue
        if all(word in entry.text for word in words):
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
        If there is neither a response nor a file of this name; the message suggests the nearest name.
    AudioFileError, InvalidAudioError, ParameterError
        As `load_response` raises them.

    Examples
    --------
    >>> impulse("hall").layout
    'stereo'
    """
    text = file_path("impulse response", name_or_file)
    layout = None if layout is None else instance("layout", layout, str, "a layout's name")
    path = Path(text)
    known = names()
    if text in known:
        return _load(text, known[text], layout, known[text].stat().st_mtime_ns)
    if os.path.exists(path) or path.suffix or path.parent != Path("."):
        return load_response(path, layout).with_source(text, layout)
    raise UnknownNameError(
        f"no impulse response {text!r}; {nearest(text, known)}Known: {', '.join(known)}; or give the path of an audio "
        "file"
    )


@lru_cache(maxsize=16)
def _load(name: str, path: Path, layout: str | None, modified_ns: int) -> ImpulseResponse:  # noqa: ARG001  # a cache key
    return load_response(path, layout).with_source(name, layout)


def as_response(
    given: ImpulseResponse | HasResponse | str | os.PathLike[str] | npt.ArrayLike,
    sample_rate: int | None = None,
    layout: str | None = None,
) -> ImpulseResponse:
    """Return an impulse response, however it is given: the one door for every function that takes a response.

    Parameters
    ----------
    given : ImpulseResponse, str, path-like, array_like or Effect
        A response is returned unchanged, at its own sample rate; a name or a path is loaded as `impulse` does.
    sample_rate : int, optional
        In Hz, for whatever has no sample rate of its own: samples, an effect, a file of bare numbers. Ignored for the
        rest: call ``.response(sample_rate)`` on the result to resample it.
    layout : str, optional
        Layout of a file or of samples, as `parse_layout` takes it.

    Raises
    ------
    ParameterError
        If `given` is none of these, or has no sample rate and `sample_rate` is missing.
    ReverbError
        As `impulse`, `ImpulseResponse` and `Effect.response` raise it.

    Examples
    --------
    >>> as_response([1.0, 0.5], 48_000).frames
    2
    """
    if isinstance(given, ImpulseResponse):
        return given
    if isinstance(given, str | os.PathLike):
        try:
            return impulse(given, layout)
        except UnknownRateError:
            if sample_rate is None:
                raise
            return load_response(given, layout, sample_rate)
    from reverb.effects.effect import HasResponse  # late: loading a response needs no effects

    if not isinstance(given, type):
        if isinstance(given, HasResponse):
            return given.response(_known_rate(sample_rate, "an effect has"))
        if hasattr(given, "__len__") or hasattr(given, "__array__"):
            return ImpulseResponse(given, _known_rate(sample_rate, "samples have"), wiring=layout)
    raise ParameterError(
        f"impulse response is {shown(repr(given))}; expected an ImpulseResponse, the name of one in the library, "
        "the path of a file, an effect, or samples"
    )


def _known_rate(sample_rate: int | None, subject: str) -> int:
    if sample_rate is None:
        raise ParameterError(f"{subject} no sample rate; give an ImpulseResponse, or give sample_rate= in Hz")
    return as_sample_rate(sample_rate)


def _facts(path: Path) -> dict[str, Any]:
    """Return the fields of an `Entry` that depend on the file alone."""
    folder = bundled_folder()
    bundled = _bundled_facts(folder).get(path.name) if path.parent == folder else None
    return bundled or _cached_facts(path)


@lru_cache(maxsize=4)
def _bundled_facts(folder: Path) -> Mapping[str, dict[str, Any]]:
    """Return the facts of the bundled responses by file name, from the catalogue in their folder."""
    path = folder / "catalogue.json"
    if not path.exists():
        return {}
    listed = json.loads(path.read_text(encoding="utf-8"))["responses"]
    installed = (entry for entry in listed.values() if (folder / entry["file"]).exists())
    return {entry["file"]: _header(folder / entry["file"]) | _figures(entry) for entry in installed}


def _header(path: Path) -> dict[str, Any]:
    with open_sound(path) as sound:
        return {
            "layout": layout_name(usual_wiring(sound.channels, str(path))),
            "channels": sound.channels,
            "sample_rate": sound.samplerate,
            "seconds": sound.frames / sound.samplerate,
            "description": read_tags(sound).get("title", ""),
        }


def _figures(entry: dict[str, Any]) -> dict[str, Any]:
    geometry, measured = entry["geometry"], entry["measured"]
    return {
        "kind": "measured" if geometry is None else "plate" if "size_m" in geometry else "room",
        "t30": _mid_mean(measured["octaves_hz"], measured["t30_seconds"]),
        "c80": _mid_mean(measured["octaves_hz"], measured["c80_db"]),
    }


def _cached_facts(path: Path) -> dict[str, Any]:
    """Return the facts of a file, measured if the cache has none of its present state."""
    state = path.stat()
    key, stamp = str(path.resolve()), [state.st_size, state.st_mtime_ns]
    cache = cache_folder() / _CACHE_FILE
    stored = read_cache(cache)
    known = stored if isinstance(stored, dict) else {}
    entry = known.get(key)
    if isinstance(entry, dict) and entry.get("stamp") == stamp and _complete(entry.get("facts")):
        return dict(entry["facts"])
    with open_sound(path) as sound:
        title = read_tags(sound).get("title", "")
    facts = measured_facts(load_response(path), title)
    while len(known) >= _MAX_CACHED:
        known.pop(next(iter(known)))
    write_cache(cache, {**known, key: {"stamp": stamp, "facts": facts}})
    return facts


def _complete(facts: object) -> bool:
    needed = set(Entry._fields) - {"name", "path", "origin"}
    return isinstance(facts, dict) and facts.keys() == needed


def measured_facts(response: ImpulseResponse, description: str = "") -> dict[str, Any]:
    """Return the facts of an `Entry` that are measured from its response; silent channels do not count."""
    from reverb.responses.acoustics import measure

    sounding = response.samples[:, response.samples.any(axis=0)]
    bands = [band for band in measure(sounding, response.sample_rate).mean if band.centre in MID_OCTAVES_HZ]
    centers_hz = [band.centre or 0.0 for band in bands]
    return {
        "layout": response.layout,
        "channels": response.channels,
        "sample_rate": response.sample_rate,
        "seconds": response.seconds,
        "description": description,
        "kind": "file",
        "t30": _mid_mean(centers_hz, [band.t30.seconds if band.t30.valid else None for band in bands]),
        "c80": _mid_mean(centers_hz, [band.c80 for band in bands]),
    }


def _mid_mean(centers_hz: Sequence[float], values: Sequence[float | None]) -> float | None:
    """Return the mean of the known, finite values at 500 Hz and 1 kHz; None if there are none."""
    at_mid = (value for hz, value in zip(centers_hz, values, strict=True) if hz in MID_OCTAVES_HZ)
    known = [value for value in at_mid if value is not None and np.isfinite(value)]
    return round(float(np.mean(known)), 3) if known else None


def as_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain values for JSON."""
    return {**entry._asdict(), "path": str(entry.path)}
