"""How long a folded response has to be: what lies below a floor at its ends may be left out."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse

FLOOR_DB = -120.0
"""Where a folded response ends by default, in dB of its peak: as far down as single precision carries sound."""

_MARGIN_DB = -20.0
_PIECE = 1 << 16  # frames


def trim(response: ImpulseResponse, floor_db: float = FLOOR_DB) -> ImpulseResponse:
    """Return a response without the frames at its ends that lie below a floor.

    Every sample left out is below the floor relative to the peak, and all of them together hold so little of the
    energy, 20 dB below the floor, that what is missing from a sound lies below it, too, even where the ends
    hold low notes only, as they often do, and the sound is full of them. Time zero is kept.

    Parameters
    ----------
    response : ImpulseResponse
    floor_db : float
        In dB, below 0.
    """
    share = from_db(floor_db) ** 2
    moments, powers = _moments(response)
    loud = np.flatnonzero(moments > share * moments.max())
    if len(loud) == 0:  # silence
        return response
    energy = np.cumsum(powers)
    allowed = share * from_db(_MARGIN_DB) ** 2 * energy[-1] / 2  # for either end
    first = min(int(loud[0]), int(np.searchsorted(energy, allowed)), response.latency)
    behind = np.cumsum(powers[::-1])
    last = max(int(loud[-1]), len(powers) - 1 - int(np.searchsorted(behind, allowed)), response.latency)
    if first == 0 and last == len(powers) - 1:
        return response
    return replace(response, samples=response.samples[first : last + 1], latency=response.latency - first)


def _moments(response: ImpulseResponse) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the power of each frame, of its loudest channel and of all; a piece at a time, to save memory."""
    loudest, all_of_them = np.empty(response.frames), np.empty(response.frames)
    for start in range(0, response.frames, _PIECE):
        piece = slice(start, start + _PIECE)
        power = response.samples[piece].astype(np.float64) ** 2
        loudest[piece], all_of_them[piece] = power.max(axis=1), power.sum(axis=1)
    return loudest, all_of_them


def portable(response: ImpulseResponse, name: str, floor_db: float | None = FLOOR_DB) -> ImpulseResponse:
    """Return a folded response as other convolvers take it: float32, under a name, without its ends below a floor.

    Parameters
    ----------
    response : ImpulseResponse
    name : str
    floor_db : float, optional
        As `trim` takes it; None keeps the ends.
    """
    if floor_db is not None:
        response = trim(response, floor_db)
    return replace(response, samples=response.samples.astype(np.float32), name=name)
