"""Fold an effect into one response, trim the response's inaudible ends, and apply the effect to sound in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import overload

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, BecomesFloat64, Double, Sample, as_audio, as_sample_rate
from reverb.checks import flag, in_range, instance, whole
from reverb.effects.effect import HasResponse, check_effect, response_of
from reverb.engine.offline.convolver import OverlapAdd
from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, derived

FLOOR_DB = -120.0
"""Default floor of a trimmed response, in dB relative to its peak: the precision of float32."""

_MARGIN_DB = -20.0  # of the energy left out, relative to the floor
_PIECE_FRAMES = 1 << 16
_MAX_CHANNELS = 1 << 16


def fold(
    effect: HasResponse, sample_rate: int, channels: int, *, floor_db: float | None = None
) -> ImpulseResponse:
    """Return the one response that applies an effect to sound of `channels` channels.

    Parameters
    ----------
    effect : effect or ImpulseResponse
    sample_rate : int
        In Hz.
    channels : int
        Of the sound. A mono sound is spread over the inputs of the effect with equal power
        (`ImpulseResponse.for_channels`).
    floor_db : float, optional
        Trim the ends that lie so far below the peak (`trim`). By default the response is exact: as long as the tails of
        all parts together.

    Raises
    ------
    InvalidAudioError
        If the effect does not suit the number of channels.
    ParameterError
        If an argument is out of range.

    Examples
    --------
    >>> from reverb import Delay, Gain
    >>> fold(Gain(-6) >> Delay(0.5), 8000, 2).frames
    4001
    """
    check_effect("effect", effect)
    channels = whole("channels", channels, 1, _MAX_CHANNELS)
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
    effect : effect or ImpulseResponse
    x : array_like, shape (frames,) or (frames, channels)
        float32 stays float32; all other real types are computed in float64.
    sample_rate : int
        Of `x`, in Hz.
    tail : bool
        Keep the sound after the end of the input; otherwise the result is as long as `x`.
    workers : int, optional
        Threads, by default one per core; their number does not change the result.

    Returns
    -------
    ndarray, shape (frames + tail,) or (frames + tail, channels)
        1-D if the input is 1-D and the effect has one output. Aligned with the input: the latency of linear-phase
        filters is compensated.

    Raises
    ------
    InvalidAudioError
        If `x` is no sound, or its number of channels does not suit the effect.
    ParameterError
        If another argument is out of range.

    Examples
    --------
    >>> from reverb import Gain
    >>> apply(Gain(20), [1.0, 2.0], 8000).tolist()
    [10.0, 20.0]
    """
    tail = flag("tail", tail)
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


def trim(response: ImpulseResponse, floor_db: float = FLOOR_DB) -> ImpulseResponse:
    """Return a response without the frames at its ends that lie below a floor.

    Every sample left out is below the floor relative to the peak. Together they have so little energy, 20 dB less than
    the floor, that the loss is below the floor in any sound, even in one full of the low notes at the end of a tail.
    Time zero is kept.

    Parameters
    ----------
    response : ImpulseResponse
    floor_db : float
        In dB relative to the peak, at most 0.

    Examples
    --------
    >>> trim(ImpulseResponse([1.0, 0.5, 1e-9], 8000)).frames
    2
    """
    instance("response", response, ImpulseResponse, "an ImpulseResponse")
    floor_db = in_range("floor_db", floor_db, -math.inf, 0.0, "dB")
    share, loudest, energy = from_db(floor_db) ** 2, 0.0, 0.0
    for moments, powers in _powers(response):
        loudest, energy = max(loudest, float(moments.max())), float(_running(energy, powers)[-1])
    if loudest == 0.0:  # silence
        return response
    floors = share * loudest, share * from_db(_MARGIN_DB) ** 2 * energy / 2  # half of the energy for each end
    first = min(_below(_powers(response), *floors), response.latency)
    last = max(response.frames - 1 - _below(_powers(response, backwards=True), *floors), response.latency)
    if first == 0 and last == response.frames - 1:
        return response
    return derived(response, response.samples[first : last + 1], latency=response.latency - first)


def _powers(response: ImpulseResponse, *, backwards: bool = False) -> Iterator[tuple[Double, Double]]:
    """Yield the power of each frame, in its loudest channel and in all, piece by piece to save memory."""
    starts = range(0, response.frames, _PIECE_FRAMES)
    for start in reversed(starts) if backwards else starts:
        power = response.samples[start : start + _PIECE_FRAMES].astype(np.float64) ** 2
        step = -1 if backwards else 1
        yield power.max(axis=1)[::step], power.sum(axis=1)[::step]


def _running(energy: float, powers: Double) -> Double:
    """Return the running sum of powers, starting from an energy."""
    return np.cumsum(np.append(energy, powers))[1:]


def _below(pieces: Iterable[tuple[Double, Double]], power: float, energy: float) -> int:
    """Return the number of frames before the first one above `power`, or at which their energy reaches `energy`."""
    frames, sum_so_far = 0, 0.0
    for moments, powers in pieces:
        sums = _running(sum_so_far, powers)
        over = (moments > power) | (sums >= energy)
        if over.any():
            return frames + int(over.argmax())
        frames, sum_so_far = frames + len(over), float(sums[-1])
    return frames


def portable(response: ImpulseResponse, name: str, floor_db: float | None = FLOOR_DB) -> ImpulseResponse:
    """Return a response for export to other convolvers: float32, named, and trimmed.

    Parameters
    ----------
    response : ImpulseResponse
    name : str
    floor_db : float, optional
        See `trim`; None keeps the ends.
    """
    instance("response", response, ImpulseResponse, "an ImpulseResponse")
    name = instance("name", name, str)
    if floor_db is not None:
        response = trim(response, floor_db)
    return derived(response, response.samples.astype(np.float32), name=name)
