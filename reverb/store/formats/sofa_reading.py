"""The half of reading a SOFA file that runs in a process of its own; `reverb.store.formats.sofa` starts it."""

import contextlib
import json
import math
import os
import sys
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.store.formats.bare import LONGEST_SECONDS

Array = npt.NDArray[np.float64]

_MANY_VALUES, _MOST_PER_BYTE = 1 << 22, 4


def main() -> None:
    """Read the file that is the first argument, in the seconds that are the second; write what is in it to stdout."""
    path, seconds = sys.argv[1], int(sys.argv[2])
    with contextlib.suppress(ImportError):  # Windows has none
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what libraries print is no answer
        try:
            rate, *arrays = _read(path)
        except Exception as error:  # netCDF and sofar raise whatever they meet
            reason = (str(error).splitlines() or ["no reason given"])[0]
            out.write(json.dumps({"reason": reason}).encode() + b"\n")
            return
        header = {"rate": rate, "shapes": [array.shape for array in arrays]}
        out.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            out.write(np.ascontiguousarray(array).data)


def _read(path: str) -> tuple[int, Array, Array, Array]:
    import netCDF4
    import sofar

    # Sizes first: a header may promise any amount of memory, and what was never written takes no room in a file.
    with netCDF4.Dataset(path) as file:
        values, size = (
            sum(math.prod(variable.shape) for variable in file.variables.values()),
            os.path.getsize(path),
        )
    if values > max(_MANY_VALUES, _MOST_PER_BYTE * size):
        raise ValueError(
            f"it promises {values} numbers in {size} bytes; expected at most {_MOST_PER_BYTE} a byte"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of conventions that were never finished: their data is as good
        return _taken(sofar.read_sofa(path, verify=False, verbose=False))


def _taken(read: Any) -> tuple[int, Array, Array, Array]:
    """Return the rate, the data (measurements, receivers, emitters, frames), its delays and its positions."""
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
    return rate, data, delays, _positions(read, len(data))


def _positions(read: Any, count: int) -> Array:
    """Return azimuth and elevation in degrees and the distance of each measurement."""
    positions = np.broadcast_to(np.atleast_2d(np.asarray(read.SourcePosition, np.float64)), (count, 3))
    if str(read.SourcePosition_Type).lower() == "cartesian":
        x, y, z = positions.T
        distance = np.sqrt(x**2 + y**2 + z**2)
        elevation = np.degrees(np.arcsin(np.clip(z / np.maximum(distance, 1e-12), -1, 1)))
        positions = np.stack([np.degrees(np.arctan2(y, x)), elevation, distance], axis=1)
    return positions
