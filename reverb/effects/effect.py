"""Effects: immutable values that have an impulse response at every sample rate, so that a chain folds into one.

Anything with a method ``response(sample_rate)`` can be part of a chain, including an `ImpulseResponse`. ``a >> b`` puts
effects in series, ``a + b`` in parallel; either folds into one response and costs one convolution.

The repr of an effect is the expression that makes it, in names of the package `reverb`, so that
``eval(repr(effect)) == effect``. Settings at their default are left out. A response that was neither loaded by name nor
from a file has no such expression; it is shown in angle brackets.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from typing import Any, NamedTuple, Protocol, overload, runtime_checkable

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, BecomesFloat64, Sample
from reverb.errors import ParameterError, shown
from reverb.responses.response import ImpulseResponse

MAX_WIDTH = 4.0
"""Largest width of a room or of a stereo image."""
_PLOT_RATE = 48_000


@runtime_checkable
class HasResponse(Protocol):
    """Anything with an impulse response at a given sample rate."""

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the impulse response at `sample_rate` Hz."""
        ...


class Step(NamedTuple):
    """One of the effects in series that make up an effect: its text and its response."""

    text: str
    response: ImpulseResponse


class Effect(ABC):
    """A linear effect, as an immutable value.

    An effect that contains others lists them in `parts` and exchanges them in `with_parts`. All code that looks inside
    an effect walks this tree (`reverb.effects.tree`), so that a new effect works live, in batches, and in ``--explain``
    without a change elsewhere.
    """

    @abstractmethod
    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the impulse response at `sample_rate` Hz.

        Parameters
        ----------
        sample_rate : int
            In Hz.
        causal : bool
            Leave out the ringing that a resampler puts before a room's time zero, for live use. A linear-phase filter
            keeps its latency.
        """

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the effects and responses inside this one, in order; none by default."""
        return ()

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return a copy of this effect with other parts, as many as it has.

        Raises
        ------
        ParameterError
            If the number of parts differs.
        """
        check_parts(self, parts)
        return self

    def steps(self, sample_rate: int) -> Iterator[Step]:
        """Yield the effects in series that make up this one, for ``--explain``; by default the effect itself."""
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
        """Return the effect's expression and figure, for a notebook."""
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
        return call_expression(self)


def response_of(effect: HasResponse, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
    """Return the response of any object that has one; see `Effect.response`.

    An object whose method `response` takes no argument `causal` is supported here and nowhere else: its parts, if it
    has any, are made causal instead.
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


def steps_of(effect: HasResponse, sample_rate: int) -> Iterator[Step]:
    """Yield the steps of any object that has a response; see `Effect.steps`."""
    if isinstance(effect, Effect):
        yield from effect.steps(sample_rate)
    else:
        yield Step(expression(effect), effect.response(sample_rate))


def check_effect(name: str, value: Any) -> None:
    """Raise ParameterError unless a value is an effect or an impulse response."""
    if not isinstance(value, HasResponse) or isinstance(value, type):
        raise ParameterError(
            f"{name} is {shown(repr(value))}, no effect; expected a filter, a reverb, another effect or an impulse "
            "response"
        )


def check_parts(effect: Effect, parts: Any) -> None:
    """Raise ParameterError unless `parts` are effects, as many as the effect has."""
    expected = len(effect.parts())
    if isinstance(parts, str) or not isinstance(parts, Sequence):
        raise ParameterError(f"parts is {shown(repr(parts))}; expected a sequence of effects")
    if len(parts) != expected:
        raise ParameterError(f"{len(parts)} parts for {type(effect).__name__}; expected {expected}")
    for part in parts:
        check_effect("part", part)


@dataclass(frozen=True, repr=False)
class _Group(Effect):
    """Effects in series or in parallel; a group inside a group of the same kind is flattened."""

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
        """Return a group of the same kind with other members."""
        check_parts(self, parts)
        return replace(self, effects=tuple(parts))


@dataclass(frozen=True, repr=False)
class Chain(_Group):
    """Effects in series; ``a >> b`` makes one.

    Parameters
    ----------
    effects : sequence of effect or ImpulseResponse
        At least one; the first is applied first.

    Examples
    --------
    >>> from reverb import Delay, Gain
    >>> Gain(-6) >> Delay(0.5)
    Gain(db=-6) >> Delay(seconds=0.5)
    """

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the one response into which all members fold."""
        # A loop, as functools.reduce would keep the two last responses alive while the next one is made.
        folded = response_of(self.effects[0], sample_rate, causal=causal)
        for effect in self.effects[1:]:
            folded = folded >> response_of(effect, sample_rate, causal=causal)
        return folded

    def steps(self, sample_rate: int) -> Iterator[Step]:
        """Yield the steps of all members."""
        for effect in self.effects:
            yield from steps_of(effect, sample_rate)

    def __repr__(self) -> str:
        return _group_expression(self, " >> ", Parallel)


@dataclass(frozen=True, repr=False)
class Parallel(_Group):
    """Effects side by side on the same input, their outputs aligned and summed; ``a + b`` makes one.

    Parameters
    ----------
    effects : sequence of effect or ImpulseResponse
        At least one.

    Examples
    --------
    >>> from reverb import Delay, Gain
    >>> (Gain(0) + Delay(0.5)).response(8000).frames
    4001
    """

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the one response into which all members fold."""
        folded = response_of(self.effects[0], sample_rate, causal=causal)
        for effect in self.effects[1:]:
            folded = folded + response_of(effect, sample_rate, causal=causal)
        return folded

    def __repr__(self) -> str:
        return _group_expression(self, " + ", Chain)


def expression(value: object) -> str:
    """Return the Python expression of a setting's value, or of a member of a chain."""
    if isinstance(value, ImpulseResponse) and value.origin is not None:
        name, layout = value.origin
        return f"impulse({name!r})" if layout is None else f"impulse({name!r}, {layout!r})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if type(value) is tuple:
        inner = ", ".join(expression(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def call_expression(effect: Any, **given: str) -> str:
    """Return the call of a dataclass's constructor, without settings at their default.

    `given` replaces the expressions of some settings.
    """
    ordered = sorted(fields(effect), key=lambda field: field.kw_only is True)
    settings = ((field, getattr(effect, field.name)) for field in ordered if field.init)
    arguments = (
        f"{field.name}={given.get(field.name) or expression(value)}"
        for field, value in settings
        if not _is_default(field, value)
    )
    return f"{type(effect).__name__}({', '.join(arguments)})"


def _is_default(field: Field[Any], value: object) -> bool:
    return field.default is not MISSING and type(value) is type(field.default) and value == field.default


def _group_expression(group: _Group, operator: str, in_brackets: type) -> str:
    """Return the members joined by an operator, those of the type `in_brackets` in brackets.

    A single member, or two responses at the start, which the operator would fold at once, need the constructor.
    """
    members = group.effects
    if len(members) < 2 or all(isinstance(member, ImpulseResponse) for member in members[:2]):
        return f"{type(group).__name__}({expression(members)})"
    return operator.join(
        f"({expression(member)})" if isinstance(member, in_brackets) else expression(member)
        for member in members
    )
