"""Effects: frozen values that give an impulse response for any sample rate, and so fold in chains.

Whatever has a ``response(sample_rate)`` may stand in a chain, an `ImpulseResponse` too. ``a >> b`` puts
effects in series, ``a + b`` in parallel; either folds into one response and costs one convolution.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Protocol, overload, runtime_checkable

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, BecomesFloat64, Sample, as_audio, as_sample_rate
from reverb.effects.folding import trim
from reverb.effects.showing import Shown
from reverb.effects.writing import call, joined
from reverb.engine.offline.convolver import OverlapAdd
from reverb.errors import ParameterError
from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, unit


@runtime_checkable
class HasResponse(Protocol):
    """Anything that is, at a given sample rate, an impulse response."""

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the impulse response at `sample_rate` Hz."""
        ...


class Effect(Shown, ABC):
    """A linear effect, as a value."""

    @abstractmethod
    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the effect's impulse response at `sample_rate` Hz."""

    def __rshift__(self, other: HasResponse) -> Chain:
        return Chain((self, other)) if isinstance(other, HasResponse) else NotImplemented

    def __rrshift__(self, other: HasResponse) -> Chain:
        return Chain((other, self)) if isinstance(other, HasResponse) else NotImplemented

    def __add__(self, other: HasResponse) -> Parallel:
        return Parallel((self, other)) if isinstance(other, HasResponse) else NotImplemented

    def __radd__(self, other: HasResponse) -> Parallel:
        return Parallel((other, self)) if isinstance(other, HasResponse) else NotImplemented

    @overload
    def __call__(
        self, x: npt.NDArray[Sample], sample_rate: int, *, tail: bool = True, workers: int | None = None
    ) -> npt.NDArray[Sample]: ...
    @overload
    def __call__(
        self, x: BecomesFloat64, sample_rate: int, *, tail: bool = True, workers: int | None = None
    ) -> npt.NDArray[np.float64]: ...
    @overload
    def __call__(
        self, x: npt.ArrayLike, sample_rate: int, *, tail: bool = True, workers: int | None = None
    ) -> Audio: ...
    def __call__(
        self, x: npt.ArrayLike, sample_rate: int, *, tail: bool = True, workers: int | None = None
    ) -> Audio:
        """Apply the effect to sound in memory; see `apply`."""
        return apply(self, x, sample_rate, tail=tail, workers=workers)

    def __repr__(self) -> str:
        return call(self)


@dataclass(frozen=True, repr=False)
class Chain(Effect):
    """Effects in series: the first is applied first."""

    effects: tuple[HasResponse, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "effects", _flattened(self.effects, Chain))

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the one response that all effects fold into."""
        # No reduce, which would hold the last two responses while the next is made.
        whole = self.effects[0].response(sample_rate)
        for effect in self.effects[1:]:
            whole = whole >> effect.response(sample_rate)
        return whole

    def __repr__(self) -> str:
        return joined(self.effects, " >> ", Parallel, "Chain")


@dataclass(frozen=True, repr=False)
class Parallel(Effect):
    """Effects side by side on the same input, their outputs summed and aligned."""

    effects: tuple[HasResponse, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "effects", _flattened(self.effects, Parallel))

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the one response that all effects fold into."""
        whole = self.effects[0].response(sample_rate)
        for effect in self.effects[1:]:
            whole = whole + effect.response(sample_rate)
        return whole

    def __repr__(self) -> str:
        return joined(self.effects, " + ", Chain, "Parallel")


def _flattened(
    effects: tuple[HasResponse, ...], kind: type[Chain] | type[Parallel]
) -> tuple[HasResponse, ...]:
    """Check the members of a chain or of parallel branches; one within another of its kind becomes its members."""
    for effect in effects:
        if not isinstance(effect, HasResponse):
            raise ParameterError(f"{effect!r} is no effect; expected filters, reverbs or impulse responses")
    if not effects:
        raise ParameterError(f"{kind.__name__} of no effects; expected at least one")
    return tuple(
        inner for effect in effects for inner in (effect.effects if isinstance(effect, kind) else (effect,))
    )


@dataclass(frozen=True, repr=False)
class Gain(Effect):
    """A change of level.

    Parameters
    ----------
    db : float
        In dB, at most 120; ``-inf`` is silence.
    """

    db: float

    def __post_init__(self) -> None:
        if math.isnan(self.db) or self.db > 120:
            raise ParameterError(f"gain {self.db} dB; expected a number up to 120")

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return a unit impulse of this level."""
        return replace(unit(sample_rate) * from_db(self.db), name="gain")


@dataclass(frozen=True, repr=False)
class Delay(Effect):
    """A pure delay, rounded to the nearest frame.

    Parameters
    ----------
    seconds : float
        0 to 60.
    """

    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= 60:
            raise ParameterError(f"delay {self.seconds} s; expected 0 to 60 s")

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return a unit impulse `seconds` after time zero."""
        return replace(unit(sample_rate).delay(self.seconds), name="delay")


def fold(
    effect: HasResponse, sample_rate: int, channels: int, *, floor_db: float | None = None
) -> ImpulseResponse:
    """Return the one response that applies an effect to sound of `channels` channels.

    It is exact, as long as the tails of all that is in the effect together; with `floor_db` its ends are left out
    where they lie that far below its peak (`reverb.effects.folding.trim`). A mono sound is spread over an effect of
    several inputs with equal power (`ImpulseResponse.for_channels`).
    """
    response = effect.response(as_sample_rate(sample_rate))
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
    if workers is not None and workers < 1:
        raise ParameterError(f"workers {workers}; expected at least 1, or None for one per core")
