"""The library: responses found by name, the user's own beside the bundled ones.

Folders are searched in this order, the first that knows a name wins: those of the environment variable
`REVERB_IMPULSES` (separated as in `PATH`), the user's own (`user_folder`), the bundled one. A response in a
subfolder is called by its path: ``plates/bright``.

A list of the library tells each response's layout, length, kind, decay time and clarity. The figures of the bundled
responses are in `catalogue.json` beside them; other files are measured once, and their figures are kept in the user's
cache folder under the file's path, size and time of change.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.audiofiles.files import FORMATS, open_sound, read_tags
from reverb.cache import cache_folder, read_cache, write_cache
from reverb.effects.effect import HasResponse
from reverb.errors import ParameterError, ReverbError, UnknownNameError, nearest, shown
from reverb.responses.response import ImpulseResponse
from reverb.responses.shape import layout_name, usual_wiring
from reverb.store.response_files import load_response

ENVIRONMENT = "REVERB_IMPULSES"
BUNDLED, YOURS = "bundled", "yours"
_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "impulses", _PACKAGE.parent / "impulses")  # an installed wheel; the source tree
MIDDLE = (500.0, 1000.0)
"""Octaves in Hz over which single figures are averaged (ISO 3382-1, table A.1)."""
_CACHE = "responses.json"
_MAX_CACHED = 5000


@dataclass(frozen=True)
class Entry:
    """A response of the library.

    Attributes
    ----------
    name, layout, description : str
    sample_rate : int
        In Hz.
    seconds : float
    path : Path
    kind : str
        ``room``, ``plate``, ``measured``, or ``file`` where nothing is known.
    channels : int
    t30, c80 : float or None
        Reverberation time in seconds and clarity in dB, means of the octaves 500 Hz and 1 kHz; None where they
        cannot be trusted.
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
        """What a search looks through, without capitals."""
        parts = (self.name, self.kind, self.layout, self.description, self.origin)
        return " ".join(parts).casefold()


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


def as_response(
    given: HasResponse | str | os.PathLike[str] | npt.ArrayLike,
    sample_rate: int | None = None,
    layout: str | None = None,
) -> ImpulseResponse:
    """Return a response, an effect, a name, a path or samples as an impulse response.

    Parameters
    ----------
    given : ImpulseResponse, effect, str, path-like or array_like
        A response is returned as it is, at its own rate; a name or a path is loaded as `impulse` does.
    sample_rate : int, optional
        In Hz, of samples, or of the response that an effect makes; needed for these alone.
    layout : str, optional
        Of a file or of samples, as `parse_layout` takes it.

    Raises
    ------
    ParameterError
        If it is none of these, or samples or an effect come without a sample rate.
    ReverbError
        As `impulse` and `ImpulseResponse` raise it.

    Examples
    --------
    >>> as_response([1.0, 0.5], 48_000).frames
    2
    """
    if isinstance(given, ImpulseResponse):
        return given
    if isinstance(given, str | os.PathLike):
        return impulse(given, layout)
    is_effect = isinstance(given, HasResponse)
    if isinstance(given, type) or not (is_effect or hasattr(given, "__len__") or hasattr(given, "__array__")):
        raise ParameterError(
            f"impulse response is {shown(repr(given))}; expected an ImpulseResponse, the name of one in the library, "
            "the path of a file, an effect, or samples"
        )
    if sample_rate is None:
        why = "an effect is made for a sample rate" if is_effect else "samples have no sample rate"
        raise ParameterError(f"{why}; give sample_rate=, in Hz, or an ImpulseResponse")
    if isinstance(given, HasResponse):
        return given.response(sample_rate)
    return ImpulseResponse(given, sample_rate, wiring=layout)


def describe(name: str, path: Path, origin: str, bundled: Path) -> Entry | None:
    """Return what is known of the response in `path`; None, with a warning, where it is no response."""
    facts = _bundled_facts(bundled).get(path.name) if path.parent == bundled else None
    try:
        facts = facts or _kept_facts(path)
    except ReverbError as error:
        warnings.warn(f"left out of the list: {error}", stacklevel=2)
        return None
    return Entry(name=name, path=path, origin=origin, **facts)


@lru_cache(maxsize=4)
def _bundled_facts(folder: Path) -> Mapping[str, dict[str, Any]]:
    """Return the facts of the bundled responses by file name, from the catalogue beside them."""
    path = folder / "catalogue.json"
    if not path.exists():
        return {}
    listed = json.loads(path.read_text(encoding="utf-8"))["responses"]
    there = (entry for entry in listed.values() if (folder / entry["file"]).exists())
    return {entry["file"]: _header(folder / entry["file"]) | _figures(entry) for entry in there}


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
    geometry, found = entry["geometry"], entry["measured"]
    return {
        "kind": "measured" if geometry is None else "plate" if "size_m" in geometry else "room",
        "t30": middle(found["octaves_hz"], found["t30_seconds"]),
        "c80": middle(found["octaves_hz"], found["c80_db"]),
    }


def _kept_facts(path: Path) -> dict[str, Any]:
    state = path.stat()
    key, stamp = str(path.resolve()), [state.st_size, state.st_mtime_ns]
    store = cache_folder() / _CACHE
    kept = read_cache(store)
    known = kept if isinstance(kept, dict) else {}
    entry = known.get(key)
    if isinstance(entry, dict) and entry.get("stamp") == stamp and _complete(entry.get("facts")):
        return dict(entry["facts"])
    facts = measured_facts(load_response(path), _title(path))
    while len(known) >= _MAX_CACHED:
        known.pop(next(iter(known)))
    write_cache(store, {**known, key: {"stamp": stamp, "facts": facts}})
    return facts


def _complete(facts: object) -> bool:
    wanted = set(Entry.__dataclass_fields__) - {"name", "path", "origin"}
    return isinstance(facts, dict) and facts.keys() == wanted


def _title(path: Path) -> str:
    with open_sound(path) as sound:
        return read_tags(sound).get("title", "")


def measured_facts(response: ImpulseResponse, description: str = "") -> dict[str, Any]:
    """Measure what a list tells of a response; channels that are silent do not count."""
    from reverb.responses.acoustics import measure

    sounding = response.samples[:, response.samples.any(axis=0)]
    bands = [band for band in measure(sounding, response.sample_rate).mean if band.centre in MIDDLE]
    centres = [band.centre or 0.0 for band in bands]
    return {
        "layout": response.layout,
        "channels": response.channels,
        "sample_rate": response.sample_rate,
        "seconds": response.seconds,
        "description": description,
        "kind": "file",
        "t30": middle(centres, [band.t30.seconds if band.t30.valid else None for band in bands]),
        "c80": middle(centres, [band.c80 for band in bands]),
    }


def middle(centres: Sequence[float], values: Sequence[float | None]) -> float | None:
    """Return the mean of the values at 500 Hz and 1 kHz that are known and finite, None without any."""
    pairs = zip(centres, values, strict=True)
    known = [
        value for centre, value in pairs if centre in MIDDLE and value is not None and np.isfinite(value)
    ]
    return round(float(np.mean(known)), 3) if known else None


def as_dict(entry: Entry) -> dict[str, Any]:
    """Give an entry as plain values, ready for JSON."""
    return {**asdict(entry), "path": str(entry.path)}
