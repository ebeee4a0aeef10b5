"""How long a folded response has to be: what lies below a floor at its ends may be left out."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, derived

FLOOR_DB = -120.0
"""Where a folded response ends by default, in dB of its peak: as far down as single precision carries sound."""

_MARGIN_DB = -20.0
_PIECE = 1 << 16  # frames

Powers: TypeAlias = npt.NDArray[np.float64]


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
    share, loudest, energy = from_db(floor_db) ** 2, 0.0, 0.0
    for moments, powers in _powers(response):
        loudest, energy = max(loudest, float(moments.max())), float(_running(energy, powers)[-1])
    if loudest == 0.0:  # silence
        return response
    floors = share * loudest, share * from_db(_MARGIN_DB) ** 2 * energy / 2  # the latter for either end
    first = min(_below(_powers(response), *floors), response.latency)
    last = max(response.frames - 1 - _below(_powers(response, backwards=True), *floors), response.latency)
    if first == 0 and last == response.frames - 1:
        return response
    return derived(response, response.samples[first : last + 1], latency=response.latency - first)


def _powers(response: ImpulseResponse, *, backwards: bool = False) -> Iterator[tuple[Powers, Powers]]:
    """Give the power of each frame, of its loudest channel and of all, in pieces that need little memory."""
    starts = range(0, response.frames, _PIECE)
    for start in reversed(starts) if backwards else starts:
        power = response.samples[start : start + _PIECE].astype(np.float64) ** 2
        step = -1 if backwards else 1
        yield power.max(axis=1)[::step], power.sum(axis=1)[::step]


def _running(energy: float, powers: Powers) -> Powers:
    """Return the running sum of powers, on top of an energy."""
    return np.cumsum(np.append(energy, powers))[1:]


def _below(pieces: Iterable[tuple[Powers, Powers]], power: float, energy: float) -> int:
    """Return how many frames come before one of more power, or before all so far have as much energy."""
    frames, sum_so_far = 0, 0.0
    for moments, powers in pieces:
        sums = _running(sum_so_far, powers)
        over = (moments > power) | (sums >= energy)
        if over.any():
            return frames + int(over.argmax())
        frames, sum_so_far = frames + len(over), float(sums[-1])
    return frames


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
    return derived(response, response.samples.astype(np.float32), name=name)
