"""SOFA files (AES69): measured ears and rooms, with a response per direction, read by sofar (extra `sofa`).

The libraries read the file in a process of its own, because the one in C may hang or crash on a broken file.
"""

import contextlib
import importlib.util
import json
import math
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from reverb.arrays import Array
from reverb.audiofiles.files import PathLike
from reverb.checks import file_path, in_range
from reverb.engine.routing import matrix
from reverb.errors import AudioFileError, ParameterError, missing_extra, shown
from reverb.responses.layouts import LAYOUTS
from reverb.responses.response import ImpulseResponse, owning
from reverb.store.formats.checks import MAX_SECONDS, check_given_rate, checked_size

_MAX_BYTES = 1 << 30
_MAX_RATE = 10_000_000  # Hz
_MANY_VALUES, _MAX_VALUES_PER_BYTE = 1 << 22, 4
_MAX_DEGREES = 3600.0
_CODE = "from reverb.store.formats.sofa import main; main()"
_CPU_SECONDS, _BYTES_PER_SECOND = 10, 1 << 22  # limit of CPU time: 10 s and 1 s per 4 MiB; 0.3 s are usual
_CLOCK_FACTOR = 10  # seconds by the clock per second of CPU time


@dataclass(frozen=True, slots=True)
class Direction:
    """The position of a measurement's source; `index` is its row in the file.

    Azimuth (to the left) and elevation are in degrees, the distance is in meters.
    """

    index: int
    azimuth: float
    elevation: float
    distance: float


@dataclass(frozen=True, slots=True)
class _Sofa:
    """The content of a file: `data` is (measurements, receivers, emitters, frames), `delays` are in frames."""

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
        ``1x2``, from two directions true stereo. In a file with several emitters the emitters are the inputs.
    sample_rate : int, optional
        In Hz; must be the file's own.
    directions : sequence of (azimuth, elevation)
        In degrees, with the azimuth to the left; the nearest measured ones are used.

    Raises
    ------
    AudioFileError
        If the file is not a SOFA file with FIR data, or its sizes are out of range.
    MissingExtraError
        If sofar is not installed.
    ParameterError
        If no direction is given or one is not a pair of numbers, or the sample rate is not that of the file.
    """
    path = Path(file_path("impulse response", path))
    wanted = _pairs(directions)
    sofa = _read(path)
    check_given_rate(path, sofa.rate, sample_rate)
    chosen = [nearest(sofa.directions, *pair) for pair in wanted]
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
    return owning(samples, sofa.rate, f"{path.stem} {where}", layout or wiring)


def sofa_directions(path: PathLike) -> tuple[Direction, ...]:
    """Return all directions of a file, in its order; errors as for `read_sofa`."""
    return _read(Path(file_path("impulse response", path))).directions


def nearest(directions: Sequence[Direction], azimuth: float, elevation: float) -> Direction:
    """Return the direction at the smallest angle from the one given."""
    wanted = _unit(azimuth, elevation)
    return max(directions, key=lambda d: float(wanted @ _unit(d.azimuth, d.elevation)))


def _pairs(directions: object) -> list[tuple[float, float]]:
    """Return checked directions."""
    pairs: list[tuple[float, float]] = []
    for pair in directions if isinstance(directions, Iterable) else ():
        angles = tuple(pair) if isinstance(pair, Iterable) else ()
        if len(angles) != 2:
            raise ParameterError(
                f"direction is {shown(repr(pair))}; expected (azimuth, elevation) in degrees"
            )
        azimuth, elevation = (
            in_range(name, degrees, -_MAX_DEGREES, _MAX_DEGREES, "degrees")
            for name, degrees in zip(("azimuth", "elevation"), angles, strict=True)
        )
        pairs.append((azimuth, elevation))
    if not pairs:
        raise ParameterError("no direction; expected at least one (azimuth, elevation) in degrees")
    return pairs


def _unit(azimuth: float, elevation: float) -> Array:
    """Return the unit vector of a direction in degrees."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])


def _delayed(sofa: _Sofa, measurement: int, receiver: int, emitter: int) -> Array:
    delay = round(float(sofa.delays[measurement, receiver, emitter]))
    return np.concatenate([np.zeros(delay), sofa.data[measurement, receiver, emitter]])


def _read(path: Path) -> _Sofa:
    size = checked_size(path, _MAX_BYTES)
    if not _installed("netCDF4", "sofar"):
        raise missing_extra("sofa", "SOFA files need sofar")
    try:
        return _read_in_process(os.fspath(path), _CPU_SECONDS + size // _BYTES_PER_SECOND)
    except ValueError as error:
        raise AudioFileError(f"{path}: not a SOFA file with FIR data ({error})") from error


def _installed(*modules: str) -> bool:
    try:
        return all(importlib.util.find_spec(module) for module in modules)
    except ValueError:  # sys.modules has None for it
        return False


# -- the calling process ----------------------------------------------------------------------------------------


def _read_in_process(path: str, seconds: int) -> _Sofa:
    """Return the content of a file, read by another process in at most `seconds` of CPU time."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE, path, str(seconds)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folder or os.getcwd() for folder in sys.path)},
    ) as process:
        # For systems that do not limit CPU time.
        timeout = threading.Timer(_CLOCK_FACTOR * seconds, process.kill)
        timeout.start()
        try:
            answer = cast(IO[bytes], process.stdout)
            line = answer.readline()
            if not line.endswith(b"\n"):
                raise ValueError("the library that reads it crashed, or came to no end")
            header = json.loads(line)
            if "reason" in header:
                raise ValueError(header["reason"])
            data, delays, positions = (_read_array(answer, shape) for shape in header["shapes"])
        finally:
            timeout.cancel()
            process.kill()  # it has answered, or never will
    directions = tuple(Direction(n, *map(float, position)) for n, position in enumerate(positions))
    return _Sofa(data, delays, header["rate"], directions)


def _read_array(answer: IO[bytes], shape: Sequence[int]) -> Array:
    return np.frombuffer(answer.read(8 * math.prod(shape)), np.float64).reshape(shape)


# -- the reading process ----------------------------------------------------------------------------------------


def main() -> None:
    """Read the file named by the first argument and write its content to stdout.

    The second argument limits the seconds of CPU time. The answer is a header in one line of JSON, then the arrays.
    """
    path, seconds = sys.argv[1], int(sys.argv[2])
    with contextlib.suppress(ImportError):  # Windows has no resource limits
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # output of the libraries must not get into the answer
        try:
            rate, *arrays = _content(path)
        except Exception as error:  # netCDF and sofar raise errors of many types
            reason = (str(error).splitlines() or ["no reason given"])[0]
            out.write(json.dumps({"reason": reason}).encode() + b"\n")
            return
        header = {"rate": rate, "shapes": [array.shape for array in arrays]}
        out.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            out.write(np.ascontiguousarray(array).data)


def _content(path: str) -> tuple[int, Array, Array, Array]:
    """Return rate, data, delays and positions of a file."""
    import netCDF4
    import sofar

    # Sizes first: a header may promise any amount of memory, and values never written take no room in a file.
    with netCDF4.Dataset(path) as file:
        values = sum(math.prod(variable.shape) for variable in file.variables.values())
    size = os.path.getsize(path)
    if values > max(_MANY_VALUES, _MAX_VALUES_PER_BYTE * size):
        raise ValueError(
            f"it promises {values} numbers in {size} bytes; expected at most {_MAX_VALUES_PER_BYTE} a byte"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sofar warns of preliminary conventions
        return _checked_content(sofar.read_sofa(path, verify=False, verbose=False))


def _checked_content(read: Any) -> tuple[int, Array, Array, Array]:
    """Return the rate, the data (measurements, receivers, emitters, frames), its delays and its positions."""
    data = np.asarray(read.Data_IR, np.float64)
    if data.ndim == 3:
        data = data[:, :, np.newaxis, :]
    elif data.ndim == 4 and str(read.GLOBAL_DataType) == "FIR-E":
        data = np.moveaxis(data, 2, 3)  # frames are before emitters, unlike in the older FIRE
    if data.ndim != 4 or 0 in data.shape:
        raise ValueError(
            f"its data has shape {data.shape}; expected measurements, receivers, emitters, frames"
        )
    if not np.isfinite(data).all():
        raise ValueError("its data has NaN or infinity")
    rates = np.unique(np.asarray(read.Data_SamplingRate, np.float64))
    if len(rates) != 1 or rates[0] % 1 or not 1 <= rates[0] <= _MAX_RATE:
        raise ValueError(f"its sampling rate is {rates.tolist()}; expected one whole number of Hz")
    rate = int(rates[0])
    max_frames = MAX_SECONDS * rate
    if data.shape[3] > max_frames:
        raise ValueError(f"its responses last {data.shape[3] / rate:.0f} s; expected at most {MAX_SECONDS} s")
    delays = np.atleast_2d(np.asarray(getattr(read, "Data_Delay", 0.0), np.float64))
    delays = delays[:, :, np.newaxis] if delays.ndim == 2 else delays
    delays = np.broadcast_to(delays, data.shape[:3])
    if not (np.isfinite(delays).all() and delays.min() >= 0 and delays.max() <= max_frames):
        raise ValueError(f"its delays are out of range; expected 0 to {MAX_SECONDS} s")
    return rate, data, delays, _positions(read, len(data))


def _positions(read: Any, count: int) -> Array:
    """Return azimuth and elevation in degrees, and the distance, of each measurement."""
    positions = np.broadcast_to(np.atleast_2d(np.asarray(read.SourcePosition, np.float64)), (count, 3))
    if str(read.SourcePosition_Type).lower() == "cartesian":
        x, y, z = positions.T
        distance = np.sqrt(x**2 + y**2 + z**2)
        elevation = np.degrees(np.arcsin(np.clip(z / np.maximum(distance, 1e-12), -1, 1)))
        positions = np.stack([np.degrees(np.arctan2(y, x)), elevation, distance], axis=1)
    return positions
