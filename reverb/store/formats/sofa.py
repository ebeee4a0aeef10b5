"""SOFA files (AES69): measured ears and rooms, a response per direction; read with sofar (extra `sofa`)."""

import importlib.util
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from reverb.audiofiles.files import PathLike
from reverb.engine.routing import matrix
from reverb.errors import AudioFileError, ParameterError, missing_extra
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.shape import LAYOUTS
from reverb.store.formats.bare import checked_size

Array = npt.NDArray[np.float64]

_MOST_BYTES = 1 << 30
_CODE = "from reverb.store.formats.sofa_reading import main; main()"
_SECONDS, _BYTES_PER_SECOND = 10, 1 << 22  # of CPU time that reading may take: 0.3 s are usual
_PATIENCE = 10  # seconds by the clock for each of them


@dataclass(frozen=True, slots=True)
class Direction:
    """Where the source of a measurement stands: degrees to the left and up, metres; `index` is its row in the file."""

    index: int
    azimuth: float
    elevation: float
    distance: float


@dataclass(frozen=True, slots=True)
class _Sofa:
    """What is taken from a file: `data` is (measurements, receivers, emitters, frames), `delays` in frames."""

    data: Array
    delays: Array
    rate: int
    directions: tuple[Direction, ...]


def read_sofa(
    path: PathLike,
    layout: str | None = None,
    sample_rate: int | None = None,
    *,
    directions: Sequence[tuple[float, float]] = ((0.0, 0.0),),
) -> ImpulseResponse:
    """Read the responses from one direction or several to all receivers.

    Parameters
    ----------
    path : path-like
        FIR data: SimpleFreeFieldHRIR, SingleRoomSRIR, MultiSpeakerBRIR, ...
    layout : str, optional
        By default each direction is an input and each receiver an output: a head-related pair from one direction is
        ``1x2``, from two directions true stereo. A file with several emitters gives those instead.
    sample_rate : int, optional
        Must be the file's own where given.
    directions : sequence of (azimuth, elevation)
        In degrees, azimuth to the left; the nearest measured ones are taken.

    Raises
    ------
    AudioFileError
        If the file is no SOFA file with FIR data, or its sizes make no sense.
    MissingExtraError
        If sofar is not installed.
    ParameterError
        If no direction is given, or the rate is another.
    """
    sofa = _read(path)
    if sample_rate not in (None, sofa.rate):
        raise ParameterError(f"{path}: has {sofa.rate} Hz; {sample_rate} Hz was said")
    if not directions:
        raise ParameterError("no direction; expected at least one (azimuth, elevation)")
    chosen = [nearest(sofa.directions, *direction) for direction in directions]
    receivers, emitters = sofa.data.shape[1:3]
    rows = []
    for direction in chosen:
        for emitter in range(emitters):
            for receiver in range(receivers):
                rows.append(_delayed(sofa, direction.index, receiver, emitter))
    frames = max(len(row) for row in rows)
    samples = np.stack([np.pad(row, (0, frames - len(row))) for row in rows], axis=1)
    if not samples.any():
        raise AudioFileError(f"{path}: is silent from there; choose another direction")
    wiring = matrix(len(chosen) * emitters, receivers) if len(rows) > 1 else LAYOUTS["mono"]
    where = " ".join(f"{d.azimuth:g},{d.elevation:g}" for d in chosen)
    return owning(samples, sofa.rate, f"{Path(path).stem} {where}", layout or wiring)


def sofa_directions(path: PathLike) -> tuple[Direction, ...]:
    """Return all directions of a file, in its order."""
    return _read(path).directions


def nearest(directions: Sequence[Direction], azimuth: float, elevation: float) -> Direction:
    """Return the direction at the smallest angle from the one given."""
    wanted = _unit(azimuth, elevation)
    return max(directions, key=lambda d: float(wanted @ _unit(d.azimuth, d.elevation)))


def _unit(azimuth: float, elevation: float) -> Array:
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])


def _delayed(sofa: _Sofa, measurement: int, receiver: int, emitter: int) -> Array:
    delay = round(float(sofa.delays[measurement, receiver, emitter]))
    return np.concatenate([np.zeros(delay), sofa.data[measurement, receiver, emitter]])


def _read(path: PathLike) -> _Sofa:
    size = checked_size(path, _MOST_BYTES)
    if not _installed("netCDF4", "sofar"):
        raise missing_extra("sofa", "SOFA files need sofar")
    try:
        return _answer(os.fspath(path), _SECONDS + size // _BYTES_PER_SECOND)
    except ValueError as error:
        raise AudioFileError(f"{path}: not a SOFA file with FIR data ({error})") from error


def _installed(*modules: str) -> bool:
    try:
        return all(importlib.util.find_spec(module) for module in modules)
    except ValueError:  # of one that is kept from being imported
        return False


def _answer(path: str, seconds: int) -> _Sofa:
    """Return what a process of its own reads: the library in C may never end, or crash, over a broken file."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE, path, str(seconds)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folder or os.getcwd() for folder in sys.path)},
    ) as process:
        late = threading.Timer(_PATIENCE * seconds, process.kill)  # where the system does not limit CPU time
        late.start()
        try:
            answer = cast(IO[bytes], process.stdout)
            header = answer.readline()
            if not header.endswith(b"\n"):
                raise ValueError("the library that reads it crashed, or came to no end")
            said = json.loads(header)
            if "reason" in said:
                raise ValueError(said["reason"])
            data, delays, positions = (_array(answer, shape) for shape in said["shapes"])
        finally:
            late.cancel()
            process.kill()  # it has answered, or never will
    directions = tuple(Direction(n, *map(float, position)) for n, position in enumerate(positions))
    return _Sofa(data, delays, said["rate"], directions)


def _array(answer: IO[bytes], shape: Sequence[int]) -> Array:
    return np.frombuffer(answer.read(8 * math.prod(shape)), np.float64).reshape(shape)
