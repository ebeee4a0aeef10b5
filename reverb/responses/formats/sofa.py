"""SOFA files (AES69): measured ears and rooms, a response per direction; read with sofar (extra `sofa`)."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.engine.routing import matrix
from reverb.errors import AudioFileError, MissingExtraError, ParameterError
from reverb.responses.formats.bare import LONGEST_SECONDS, checked_size
from reverb.responses.response import LAYOUTS, ImpulseResponse
from reverb.soundfiles import PathLike

Array = npt.NDArray[np.float64]

_MOST_BYTES = 1 << 30
_MANY_VALUES, _MOST_PER_BYTE = 1 << 22, 4


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
    return ImpulseResponse(samples, sofa.rate, f"{Path(path).stem} {where}", layout or wiring)  # type: ignore[arg-type]


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
    try:
        import netCDF4
        import sofar
    except ImportError as error:
        raise MissingExtraError(
            "SOFA files need sofar; install it with: pip install 'reverb[sofa]'"
        ) from error
    try:
        # Sizes first: a header may promise any amount of memory, and what was never written takes no room in a file.
        with netCDF4.Dataset(str(path)) as file:
            values = sum(math.prod(variable.shape) for variable in file.variables.values())
        if values > max(_MANY_VALUES, _MOST_PER_BYTE * size):
            raise ValueError(
                f"it promises {values} numbers in {size} bytes; expected at most {_MOST_PER_BYTE} a byte"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of conventions that were never finished: their data is as good
            return _taken(sofar.read_sofa(str(path), verify=False, verbose=False))
    except Exception as error:  # netCDF and sofar raise whatever they meet
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise AudioFileError(f"{path}: not a SOFA file with FIR data ({reason})") from error


def _taken(read: Any) -> _Sofa:
    data = np.asarray(read.Data_IR, np.float64)
    if data.ndim == 3:
        data = data[:, :, np.newaxis, :]
    elif (
        data.ndim == 4 and str(read.GLOBAL_DataType) == "FIR-E"
    ):  # frames before emitters; the older FIRE after
        data = np.moveaxis(data, 2, 3)
    if data.ndim != 4 or 0 in data.shape:
        raise ValueError(
            f"its data has shape {data.shape}; expected measurements, receivers, emitters, frames"
        )
    if not np.isfinite(data).all():
        raise ValueError("its data holds NaN or infinity")
    rates = np.unique(np.asarray(read.Data_SamplingRate, np.float64))
    if len(rates) != 1 or rates[0] % 1 or not 1 <= rates[0] <= 10_000_000:
        raise ValueError(f"its sampling rate is {rates.tolist()}; expected one whole number of Hz")
    rate = int(rates[0])
    if data.shape[3] > LONGEST_SECONDS * rate:
        raise ValueError(
            f"its responses last {data.shape[3] / rate:.0f} s; expected at most {LONGEST_SECONDS} s"
        )
    delays = np.asarray(getattr(read, "Data_Delay", 0.0), np.float64)
    delays = np.atleast_2d(delays)
    delays = delays[:, :, np.newaxis] if delays.ndim == 2 else delays
    delays = np.broadcast_to(delays, data.shape[:3])
    if not (np.isfinite(delays).all() and delays.min() >= 0 and delays.max() <= LONGEST_SECONDS * rate):
        raise ValueError("its delays make no sense")
    return _Sofa(data, delays, rate, _directions(read, len(data)))


def _directions(read: Any, count: int) -> tuple[Direction, ...]:
    positions = np.broadcast_to(np.atleast_2d(np.asarray(read.SourcePosition, np.float64)), (count, 3))
    if str(read.SourcePosition_Type).lower() == "cartesian":
        x, y, z = positions.T
        distance = np.sqrt(x**2 + y**2 + z**2)
        elevation = np.degrees(np.arcsin(np.clip(z / np.maximum(distance, 1e-12), -1, 1)))
        positions = np.stack([np.degrees(np.arctan2(y, x)), elevation, distance], axis=1)
    return tuple(Direction(n, float(a), float(e), float(d)) for n, (a, e, d) in enumerate(positions))
