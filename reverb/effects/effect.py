"""Effects: frozen values that give an impulse response for any sample rate, and so fold in chains.

Everything with a method ``response(sample_rate)`` can be part of a chain, an `ImpulseResponse` too. ``a >> b`` puts
effects in series, ``a + b`` in parallel; either folds into one response and costs one convolution.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, overload, runtime_checkable

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, BecomesFloat64, Sample
from reverb.checks import in_range, one_of
from reverb.effects._repr import call, joined, written
from reverb.errors import ParameterError, shown
from reverb.levels import from_db, to_db
from reverb.responses.level import LEVELS, Level, level_gain, normalize
from reverb.responses.response import ImpulseResponse, derived, unit

_PLOT_RATE = 48_000


@runtime_checkable
class HasResponse(Protocol):
    """Anything that is, at a given sample rate, an impulse response."""

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the impulse response at `sample_rate` Hz."""
        ...


class Step(NamedTuple):
    """One of the effects in series that an effect consists of: its text, and its response."""

    text: str
    response: ImpulseResponse


class Effect(ABC):
    """A linear effect, as a value.

    An effect that contains others says so by `parts` and `with_parts`. Everything that looks inside an effect walks
    that tree (`reverb.effects.tree`), so a new effect works live, in batches, and in `--explain`.
    """

    @abstractmethod
    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the effect's impulse response at `sample_rate` Hz.

        Parameters
        ----------
        sample_rate : int
            In Hz.
        causal : bool
            For live use: without the ringing that a resampler puts before a room's time zero. A linear-phase filter
            keeps its latency.
        """

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the effects and responses that this one contains, in order; none by default."""
        return ()

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return the same effect with other parts, as many as `parts` gives.

        Raises
        ------
        ParameterError
            If the number differs.
        """
        check_parts(self, parts)
        return self

    def steps(self, sample_rate: int) -> Iterator[Step]:
        """Yield the effects in series that this one consists of, for `reverb chain --explain`; itself by default."""
        yield Step(repr(self), self.response(sample_rate))

    def plot(self, sample_rate: int = _PLOT_RATE) -> Any:
        """Return a figure of the effect's magnitude and decay at `sample_rate` Hz (matplotlib, extra `plot`).

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from reverb.plots.effects import effect_figure

        return effect_figure(self, sample_rate)

    def _repr_html_(self) -> str:
        """Return the effect for a notebook: its expression and its figure."""
        from reverb.plots.effects import effect_html

        return effect_html(self, _PLOT_RATE)

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
        """Apply the effect to sound in memory; see `reverb.effects.fold.apply`."""
        from reverb.effects.fold import apply

        return apply(self, x, sample_rate, tail=tail, workers=workers)

    def __repr__(self) -> str:
        return call(self)


def response_of(effect: HasResponse, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
    """Return the response of an effect of any make; see `Effect.response`.

    The only caller of ``response(sample_rate)`` that knows about effects without the argument `causal`: their parts,
    if they have some, are made causal instead.
    """
    if not causal:
        return effect.response(sample_rate)
    if _takes(effect.response, "causal"):
        return effect.response(sample_rate, causal=True)  # type: ignore[call-arg]
    if isinstance(effect, Effect) and effect.parts():
        parts = [response_of(part, sample_rate, causal=True) for part in effect.parts()]
        effect = effect.with_parts(parts)
    return effect.response(sample_rate)


def _takes(function: Callable[..., Any], name: str) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(parameter.name == name or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def check_effect(name: str, value: Any) -> None:
    """Raise ParameterError unless a value is an effect or an impulse response."""
    if not isinstance(value, HasResponse) or isinstance(value, type):
        raise ParameterError(
            f"{name} is {shown(repr(value))}, no effect; expected a filter, a reverb, another effect or an impulse "
            "response"
        )


def check_parts(effect: Effect, parts: Sequence[HasResponse]) -> None:
    """Raise ParameterError unless there are as many parts as the effect has."""
    expected = len(effect.parts())
    if len(parts) != expected:
        raise ParameterError(f"{len(parts)} parts for {type(effect).__name__}; expected {expected}")


@dataclass(frozen=True, repr=False)
class _Group(Effect):
    """Effects in series or in parallel; a group within a group of the same kind is flattened."""

    effects: tuple[HasResponse, ...]

    def __post_init__(self) -> None:
        kind = type(self)
        if isinstance(self.effects, str) or not isinstance(self.effects, Sequence):
            raise ParameterError(f"effects is {shown(repr(self.effects))}; expected a sequence of effects")
        if not self.effects:
            raise ParameterError(f"{kind.__name__} of no effects; expected at least one")
        members: list[HasResponse] = []
        for effect in self.effects:
            check_effect("effects", effect)
            members += effect.effects if isinstance(effect, kind) else [effect]
        object.__setattr__(self, "effects", tuple(members))

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the members."""
        return self.effects

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return a group of other members."""
        check_parts(self, parts)
        return replace(self, effects=tuple(parts))


@dataclass(frozen=True, repr=False)
class Chain(_Group):
    """Effects in series: the first is applied first."""

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the one response that all effects fold into."""
        # No reduce, which would hold the last two responses while the next is made.
        whole = response_of(self.effects[0], sample_rate, causal=causal)
        for effect in self.effects[1:]:
            whole = whole >> response_of(effect, sample_rate, causal=causal)
        return whole

    def steps(self, sample_rate: int) -> Iterator[Step]:
        """Yield the steps of all members."""
        for effect in self.effects:
            yield from steps_of(effect, sample_rate)

    def __repr__(self) -> str:
        return joined(self.effects, " >> ", Parallel, "Chain")


@dataclass(frozen=True, repr=False)
class Parallel(_Group):
    """Effects side by side on the same input, their outputs summed and aligned."""

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the one response that all effects fold into."""
        whole = response_of(self.effects[0], sample_rate, causal=causal)
        for effect in self.effects[1:]:
            whole = whole + response_of(effect, sample_rate, causal=causal)
        return whole

    def __repr__(self) -> str:
        return joined(self.effects, " + ", Chain, "Parallel")


def steps_of(effect: HasResponse, sample_rate: int) -> Iterator[Step]:
    """Yield the steps of an effect of any make; see `Effect.steps`."""
    if isinstance(effect, Effect):
        yield from effect.steps(sample_rate)
    else:
        yield Step(written(effect), effect.response(sample_rate))


@dataclass(frozen=True, repr=False)
class Levelled(Effect):
    """An effect scaled to a stated level, so that effects can be compared by ear.

    Parameters
    ----------
    effect : effect
    level : {'loudness', 'energy', 'peak', 'none'}
        ``loudness``: pink noise is as loud after it as before; see `reverb.responses.level.level_gain`.
    """

    effect: HasResponse
    level: Level = "loudness"

    def __post_init__(self) -> None:
        check_effect("effect", self.effect)
        one_of("level", self.level, LEVELS)

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the effect inside."""
        return (self.effect,)

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return another effect at the same level."""
        check_parts(self, parts)
        return replace(self, effect=parts[0])

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the effect's response at `sample_rate` Hz, scaled.

        Raises
        ------
        InvalidAudioError
            If the effect is silent.
        """
        return normalize(response_of(self.effect, sample_rate, causal=causal), self.level)

    def steps(self, sample_rate: int) -> Iterator[Step]:
        """Yield the steps of the effect inside, then the gain that brings them to the level."""
        yield from steps_of(self.effect, sample_rate)
        gain = level_gain(self.effect.response(sample_rate), self.level)
        response = ImpulseResponse(np.array([gain]), sample_rate)
        yield Step(f"level {self.level!r}: {to_db(gain):+.1f} dB", response)


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
        in_range("gain", self.db, -math.inf, 120, "dB")

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return a unit impulse of this level."""
        return derived(unit(sample_rate) * from_db(self.db), name="gain")


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
        in_range("delay", self.seconds, 0, 60, "s")

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return a unit impulse `seconds` after time zero."""
        return derived(unit(sample_rate).delay(self.seconds), name="delay")
