"""Describe the bundled responses: `catalogue.json` for programs, `README.md` for people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from reverb.responses.acoustics import measure
from reverb.responses.rooms.plate import Plate
from reverb.responses.rooms.room import source_positions, volume
from reverb.responses.rooms.simulate import expected_rt60
from rooms.designs import OCTAVES, Point, Room
from rooms.targets import plate_c80, plate_rt60, room_c80

Entry = dict[str, Any]
SIMULATED = "CC0-1.0"


def room_entries(room: Room) -> dict[str, Entry]:
    """Return the entries of a room's responses, without their measurements."""
    center, left, right = source_positions(room)
    shared: Entry = {
        "origin": "simulated by scripts/make_impulses.py: image sources and ray tracing",
        "license": SIMULATED,
        "design": {
            "octaves_hz": list(OCTAVES),
            "t30_seconds": list(expected_rt60(room)),
            "c80_db": _rounded(room_c80(room), 2),
        },
        "geometry": {
            "plan_m": [list(corner) for corner in room.plan],
            "height_m": room.height,
            "volume_m3": round(volume(room)),
            "microphones_m": list(room.microphones),
            "spacing_m": room.pair.spacing,
            "angle_degrees": room.pair.angle,
            "temperature_celsius": room.temperature,
            "humidity_percent": room.humidity,
        },
    }
    geometry = shared["geometry"]
    one: Entry = {
        "title": room.title,
        "description": room.description,
        "layout": "stereo",
        **shared,
        "geometry": {**geometry, "sources_m": [_place(center)]},
    }
    if not room.true_stereo:
        return {room.name: one}
    two: Entry = {
        **one,
        "title": f"{room.title}, true stereo",
        "description": f"{room.description} Two sources at ±{room.sides:g}°; channels LL, LR, RL, RR.",
        "layout": "true-stereo",
        "geometry": {**geometry, "sources_m": [_place(left), _place(right)]},
    }
    return {room.name: one, f"{room.name}-true-stereo": two}


def plate_entry(plate: Plate) -> Entry:
    """Return the entry of the plate."""
    return {
        "title": plate.title,
        "description": plate.description,
        "layout": "stereo",
        "origin": "synthesized by scripts/make_impulses.py: modes of a thin plate",
        "license": SIMULATED,
        "design": {
            "octaves_hz": list(OCTAVES),
            "t30_seconds": _rounded(plate_rt60(plate), 3),
            "c80_db": _rounded(plate_c80(plate), 2),
        },
        "geometry": {
            "size_m": list(plate.size),
            "thickness_m": plate.thickness,
            "driver_m": list(plate.driver),
            "pickups_m": [list(plate.left), list(plate.right)],
        },
    }


def living_room_entry() -> Entry:
    """Return the entry of the one measured response."""
    return {
        "title": "Domestic living room",
        "description": "Measured in a real living room with an omnidirectional microphone.",
        "layout": "mono",
        "origin": "OpenAIR library, 'Domestic living room'; the file living_room_1.wav of the Python package"
        " acoustics 0.2.6, unchanged except for its container",
        "license": "public domain",
        "design": None,
        "geometry": None,
    }


def measured(path: Path) -> Entry:
    """Return the format of a finished file, and its T30 and C80 per octave, mean of the channels."""
    info = soundfile.info(path)
    samples, sample_rate = soundfile.read(path)
    reports = [band for band in measure(samples, sample_rate).mean if band.centre in OCTAVES]
    return {
        "file": path.name,
        "channels": info.channels,
        "sample_rate": info.samplerate,
        "seconds": round(info.frames / info.samplerate, 3),
        "measured": {
            "octaves_hz": [band.centre for band in reports],
            "t30_seconds": [round(band.t30.seconds, 3) if band.t30.valid else None for band in reports],
            "c80_db": [round(band.c80, 2) for band in reports],
        },
    }


def write(folder: Path, entries: Mapping[str, Entry]) -> None:
    """Measure the files of `entries`, in that order; write `catalogue.json` and `README.md` into their folder."""
    complete = {name: {**entry, **measured(folder / f"{name}.flac")} for name, entry in entries.items()}
    text = json.dumps({"responses": complete}, indent=2, ensure_ascii=False)
    (folder / "catalogue.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(folder, complete), encoding="utf-8")


def _readme(folder: Path, entries: Mapping[str, Entry]) -> str:
    size = sum((folder / entry["file"]).stat().st_size for entry in entries.values())
    parts = [_HEAD.format(count=len(entries), megabytes=size / 1e6)]
    for name, entry in entries.items():
        parts.append(f"## `{name}` · {entry['title']}\n\n{entry['description']}\n")
        parts.append(f"- {entry['layout']}, {entry['sample_rate'] / 1000:g} kHz, {entry['seconds']:.2f} s")
        parts.append(f"- origin: {entry['origin']}\n- license: {entry['license']}")
        if entry["geometry"]:
            parts.append(f"- {_geometry(entry['geometry'])}")
        parts.append(f"\n{_table(entry)}\n")
    return "\n".join(parts)


def _geometry(geometry: Entry) -> str:
    if "size_m" in geometry:
        width, height = geometry["size_m"]
        pickups = " and ".join(_point(p) for p in geometry["pickups_m"])
        return (
            f"{width:g} × {height:g} m, {geometry['thickness_m'] * 1000:g} mm of steel; driver at"
            f" {_point(geometry['driver_m'])}, pickups at {pickups}"
        )
    sources = " and ".join(_point(p) for p in geometry["sources_m"])
    return (
        f"{geometry['volume_m3']:,} m³, {geometry['height_m']:g} m high, {geometry['temperature_celsius']:g} °C,"
        f" {geometry['humidity_percent']:g} % humidity; source at {sources}, two cardioids"
        f" {geometry['spacing_m'] * 100:g} cm apart, ±{geometry['angle_degrees']:g}°, around"
        f" {_point(geometry['microphones_m'])}"
    )


def _table(entry: Entry) -> str:
    found = entry["measured"]
    head = ["", *(f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz:g} Hz" for hz in found["octaves_hz"])]
    rows = []
    if entry["design"]:
        rows.append(["T30 designed, s", *(f"{t:.2f}" for t in entry["design"]["t30_seconds"])])
    rows.append(["T30 measured, s", *("–" if t is None else f"{t:.2f}" for t in found["t30_seconds"])])
    if entry["design"]:
        rows.append(["C80 designed, dB", *(f"{c:.1f}" for c in entry["design"]["c80_db"])])
    rows.append(["C80 measured, dB", *(f"{c:.1f}" for c in found["c80_db"])])
    lines = [head, ["---", *["---:"] * len(found["octaves_hz"])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _point(place: Sequence[float]) -> str:
    return f"({', '.join(f'{value:g}' for value in place)}) m"


def _place(place: npt.ArrayLike) -> Point:
    x, y, z = _rounded(np.asarray(place, np.float64), 3)
    return x, y, z


def _rounded(values: npt.NDArray[np.float64], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]


_HEAD = """# Bundled impulse responses

{count} responses, {megabytes:.1f} MB in total. `python scripts/make_impulses.py` (extra `rooms`) writes this page and
`catalogue.json`, and makes all responses except the measured one.

How the rooms are made: pyroomacoustics computes the image sources and the ray-traced energy decay per octave, from the
geometry and the absorption of the surfaces. Each image source becomes one arrival at each of two cardioids, filtered
with minimum phase by walls and air. Sound scattered by the relief of the walls, and everything after the last image
source, consists of plane waves from all directions. Their density grows with the square of time, like that of image
sources, and the ray-traced decay and the air absorption (ISO 9613-1) shape them in sixths of an octave. The absorption
is scaled per octave until the decay times match the design. The designed C80 follows Barron & Lee's revised theory
(1988), computed for the two cardioids, and nothing is scaled to reach it; but where a low octave differed by more than
1.5 dB, another height of the microphones (`church`, `hall`, `cathedral`) or another seed of the diffuse field (`room`,
`cathedral`) was chosen.

The rooms start with the direct sound in frame 0, so that wet and dry stay aligned; the plate starts less than a
millisecond before its first waves. All but the living room peak at −1 dBFS and last until every octave from 125 Hz to
8 kHz has decayed by 90 dB. T30 and C80 follow ISO 3382-1 (mean of the channels; "–" where the decay has too little
range, or is too curved, for a single figure). True stereo has the channels LL, LR, RL, RR: from the left source to both
microphones, then from the right.

CC0-1.0: the project made them and waives its rights, as far as the law allows
(<https://creativecommons.org/publicdomain/zero/1.0/>).
"""
