"""Levels in dB: the checks of a convolver's, and those of a session as a value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Never, Protocol, TypeVar

import numpy as np

from reverb.checks import in_range, is_number
from reverb.errors import ParameterError, shown
from reverb.levels import from_db, to_db

if TYPE_CHECKING:
    from reverb.live.prepare import Prepared

MAX_DB = 120.0
MAX_SESSION_DB = 60.0


def as_amplitude(name: str, db: float) -> float:
    """Return a session's level, up to 60 dB or −inf for silence, as an amplitude ratio.

    Raises
    ------
    ParameterError
        If it is out of range.
    """
    return from_db(in_range(name, db, -math.inf, MAX_SESSION_DB, "dB"))


def as_switch(name: str, value: Any) -> bool:
    """Return True or False of Python or NumPy, or 1 or 0 as controllers send it, as a bool.

    Raises
    ------
    ParameterError
        If it is anything else.
    """
    if not isinstance(value, bool | np.bool_) and not (is_number(value) and value in (0, 1)):
        raise ParameterError(f"{name} is {shown(repr(value))}; expected True or False")
    return bool(value)


def check_dry(level: float, inputs: int, outputs: int) -> None:
    """Raise ParameterError if a dry sound of some level would lose channels, because fewer come out than go in."""
    if level and inputs > outputs:
        raise ParameterError(
            f"{inputs} channels go in and {outputs} come out, so a dry sound has no place for each; expected none "
            "(a dry level of -inf, mix 1, no bypass). Put dry paths into the response's matrix, or mix the input first"
        )


class NoLinearLevel:
    """Refuses a linear level under its usual name: a number could be meant in either unit, so none is accepted."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: object, _type: type) -> Never:
        raise _NoSuchLevelError(f"a Convolver has no {self._name}; read {self._name}_db, its level in dB")

    def __set__(self, _owner: object, value: Never) -> None:
        raise _linear_level_error(self._name, value)


class _NoSuchLevelError(ParameterError, AttributeError):
    """A level of that name cannot be read. As an AttributeError it lets `hasattr` return False."""


def refuse_linear_levels(owner: str, given: Mapping[str, object]) -> None:
    """Raise the error for unexpected keyword arguments: ParameterError for linear levels, otherwise TypeError."""
    for name, value in given.items():
        if name in ("wet", "dry", "gain"):
            raise _linear_level_error(name, value)
        raise TypeError(f"{owner}.__init__() got an unexpected keyword argument {name!r}")


def _linear_level_error(name: str, value: Any) -> ParameterError:
    """Return the error for a level that could be linear; its message suggests a level in dB."""
    instead = f"{name}_db"
    if is_number(value) and value >= 0:
        instead += f"={to_db(value):.4g}" if value else "=-math.inf"
    elif is_number(value):
        instead += f"={value:g} if that is in dB; a negative sign belongs into the response"
    return ParameterError(
        f"{name}={shown(repr(value))} would be a linear level; levels are in dB: give {instead}"
    )


@dataclass(frozen=True)
class PathLevels:
    """Amplitude ratios of the dry and the wet path, and whether any sound is let out."""

    dry: float
    wet: float
    open: bool = True


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a prepared effect. Immutable: each `with_` method returns new levels, or raises.

    Attributes
    ----------
    prepared : Prepared
    mix : float or None
        Proportion of the wet sound, 0 to 1, at constant loudness; None while wet and dry are set separately.
    dry, wet, gain : float
        Amplitude ratios: of the dry path, of the wet path, and of both together.
    bypass : bool
        Whether only the dry sound passes, at the level at which it came in.
    mute : bool
    """

    prepared: Prepared
    mix: float | None
    dry: float
    wet: float
    gain: float = 1.0
    bypass: bool = False
    mute: bool = False

    @classmethod
    def of(cls, prepared: Prepared, gain_db: float = 0.0) -> Levels:
        """Return the levels that an effect defines.

        Raises
        ------
        ParameterError
            If the gain is out of range.
        """
        gain = as_amplitude("gain", gain_db)
        return cls(prepared=prepared, mix=prepared.mix, dry=prepared.dry, wet=prepared.wet, gain=gain)

    def with_effect(self, prepared: Prepared) -> Levels:
        """Return the levels that another effect defines, with this gain, bypass and mute."""
        return replace(self, prepared=prepared, mix=prepared.mix, dry=prepared.dry, wet=prepared.wet)

    def with_response(self, prepared: Prepared) -> Levels:
        """Return these levels for another response: the same mix at the same loudness, or the same wet and dry."""
        if self.mix is None:
            return replace(self, prepared=prepared)
        dry, wet = prepared.levels(self.mix)
        return replace(self, prepared=prepared, dry=dry, wet=wet)

    def with_mix(self, mix: float | None) -> Levels:
        """Return levels with another mix, 0 to 1."""
        share = in_range("mix", mix, 0, 1)
        dry, wet = self.prepared.levels(share)
        self._check_dry(dry)
        return replace(self, mix=share, dry=dry, wet=wet)

    def with_wet(self, db: float) -> Levels:
        """Return levels with another wet level in dB, and no mix."""
        return replace(self, wet=as_amplitude("wet", db), mix=None)

    def with_dry(self, db: float) -> Levels:
        """Return levels with another dry level in dB, and no mix."""
        dry = as_amplitude("dry", db)
        self._check_dry(dry)
        return replace(self, dry=dry, mix=None)

    def with_gain(self, db: float) -> Levels:
        """Return levels with another gain in dB."""
        return replace(self, gain=as_amplitude("gain", db))

    def with_bypass(self, on: bool) -> Levels:
        """Return levels with bypass on or off."""
        bypass = as_switch("bypass", on)
        self._check_dry(float(bypass))
        return replace(self, bypass=bypass)

    def with_mute(self, on: bool) -> Levels:
        """Return levels with mute on or off."""
        return replace(self, mute=as_switch("mute", on))

    def paths(self) -> PathLevels:
        """Return the levels of the two paths."""
        scale = self.prepared.dry_scale
        if self.bypass:
            return PathLevels(scale, 0.0, not self.mute)
        return PathLevels(self.gain * scale * self.dry, self.gain * self.wet, not self.mute)

    def _check_dry(self, level: float) -> None:
        wiring = self.prepared.response.wiring
        check_dry(level, wiring.inputs, wiring.outputs)


Value = TypeVar("Value")


class LevelsOwner(Protocol):
    """An object whose levels a `LevelAttribute` reads and changes."""

    @property
    def levels(self) -> Levels:
        """The present levels."""
        ...

    def set_levels(self, change: Callable[[Levels], Levels]) -> None:
        """Replace the levels by those that `change` returns for them."""
        ...


class LevelAttribute(Generic[Value]):
    """An attribute that reads and changes one of its owner's levels.

    Parameters
    ----------
    read : callable
        Returns the value from `Levels`.
    change : callable
        Returns new `Levels` with another value.
    doc : str
    """

    def __init__(
        self, read: Callable[[Levels], Value], change: Callable[[Levels, Value], Levels], doc: str
    ) -> None:
        self._read, self._change, self.__doc__ = read, change, doc

    def __get__(self, owner: LevelsOwner | None, _type: type) -> Value:
        value: Any = self if owner is None else self._read(owner.levels)
        return value  # type: ignore[no-any-return]

    def __set__(self, owner: LevelsOwner, value: Value) -> None:
        owner.set_levels(lambda levels: self._change(levels, value))
