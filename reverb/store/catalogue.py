"""What a list of responses tells of each: layout, length, kind, decay time and clarity.

The bundled responses' figures are written down beside them in `catalogue.json`; those of other files are measured
once and kept in the user's cache folder, under the file's path, size and time of change.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from reverb.audiofiles.files import open_sound, read_tags
from reverb.cache import cache_folder, read_cache, write_cache
from reverb.errors import ReverbError
from reverb.responses.response import ImpulseResponse
from reverb.responses.shape import layout_name, usual_wiring
from reverb.store.response_files import load_response

MIDDLE = (500.0, 1000.0)
"""Octaves in Hz over which single figures are averaged (ISO 3382-1, table A.1)."""
_CACHE = "responses.json"
_MOST_CACHED = 5000


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
    while len(known) >= _MOST_CACHED:
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
