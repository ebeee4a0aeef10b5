"""Fold an effect into one response, leave out its inaudible ends, and apply it to sound in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, BecomesFloat64, Sample, as_audio, as_sample_rate
from reverb.checks import is_number
from reverb.effects.effect import HasResponse, response_of
from reverb.engine.offline.convolver import OverlapAdd
from reverb.errors import ParameterError, shown
from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, derived

FLOOR_DB = -120.0
"""Where a folded response ends by default, in dB of its peak: as far down as single precision carries sound."""

_MARGIN_DB = -20.0
_PIECE = 1 << 16  # frames

Powers: TypeAlias = npt.NDArray[np.float64]


def fold(
    effect: HasResponse, sample_rate: int, channels: int, *, floor_db: float | None = None
) -> ImpulseResponse:
    """Return the one response that applies an effect to sound of `channels` channels.

    It is exact, as long as the tails of all that is in the effect together; with `floor_db` its ends are left out
    where they lie that far below its peak (`trim`). A mono sound is spread over an effect of
    several inputs with equal power (`ImpulseResponse.for_channels`).
    """
    response = response_of(effect, as_sample_rate(sample_rate))
    if floor_db is not None:
        response = trim(response, floor_db)
    return response.for_channels(channels)


@overload
def apply(
    effect: HasResponse,
    x: npt.NDArray[Sample],
    sample_rate: int,
    *,
    tail: bool = True,
    workers: int | None = None,
) -> npt.NDArray[Sample]: ...
@overload
def apply(
    effect: HasResponse, x: BecomesFloat64, sample_rate: int, *, tail: bool = True, workers: int | None = None
) -> npt.NDArray[np.float64]: ...
@overload
def apply(
    effect: HasResponse, x: npt.ArrayLike, sample_rate: int, *, tail: bool = True, workers: int | None = None
) -> Audio: ...
def apply(
    effect: HasResponse, x: npt.ArrayLike, sample_rate: int, *, tail: bool = True, workers: int | None = None
) -> Audio:
    """Apply an effect to sound in memory.

    Parameters
    ----------
    effect : Effect or ImpulseResponse
    x : array_like, shape (frames,) or (frames, channels)
        float32 stays float32; every other real type is computed in float64.
    sample_rate : int
        Of `x`, in Hz.
    tail : bool
        Keep what sounds on after the input ends; otherwise the result is as long as `x`.
    workers : int, optional
        Threads, by default one per core; the result does not depend on it.

    Returns
    -------
    ndarray, shape (frames + tail,) or (frames + tail, channels)
        1-D where the input is 1-D and the effect gives one channel. Aligned with the input: the latency of
        linear-phase filters is compensated.

    Raises
    ------
    InvalidAudioError
        If `x` is no sound, or its number of channels does not suit the effect.
    ParameterError
        If the sample rate or the number of workers is out of range.
    """
    check_workers(workers)
    sound = as_audio(x, "x")
    columns = sound[:, np.newaxis] if sound.ndim == 1 else sound
    response = fold(effect, sample_rate, columns.shape[1])
    engine = OverlapAdd(
        response.samples.T, response.wiring, dtype=sound.dtype, length=len(sound), workers=workers
    )
    whole = np.concatenate([engine.process(columns), engine.flush()])
    end = len(whole) if tail else response.latency + len(sound)
    result = whole[response.latency : end]
    return result[:, 0] if sound.ndim == 1 and result.shape[1] == 1 else result


def check_workers(workers: int | None) -> None:
    """Raise ParameterError for a number of threads below 1."""
    if workers is not None and not (is_number(workers) and workers >= 1):
        raise ParameterError(
            f"workers is {shown(repr(workers))}; expected at least 1, or None for one per core"
        )


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
