"""Levels of a session: a mix, or wet and dry set separately; gain, bypass, and mute."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from reverb.checks import in_range, whole
from reverb.levels import from_db
from reverb.live.convolver import check_dry
from reverb.live.prepare import LOUDEST_DB, Prepared
from reverb.live.processor import PathLevels


def linear_level(name: str, db: float) -> float:
    """Return the linear level of a number of decibels: up to 60 dB, −inf for silence.

    Raises
    ------
    ParameterError
        If it is out of range.
    """
    return from_db(in_range(name, db, -np.inf, LOUDEST_DB, "dB"))


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a prepared effect. Immutable: each `with_` method returns new levels, or raises.

    Attributes
    ----------
    prepared : Prepared
    mix : float or None
        Proportion of the wet sound, 0 to 1, at constant loudness; None while wet and dry are set separately.
    dry, wet, gain : float
        Linear levels of the dry path, of the wet path, and of both together.
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
    def of(cls, prepared: Prepared, gain_db: float = 0.0) -> "Levels":
        """Return the levels that an effect defines.

        Raises
        ------
        ParameterError
            If the gain is out of range.
        """
        gain = linear_level("gain", gain_db)
        return cls(prepared=prepared, mix=prepared.mix, dry=prepared.dry, wet=prepared.wet, gain=gain)

    def adopting(self, prepared: Prepared) -> "Levels":
        """Return the levels that another effect defines, with this gain, bypass and mute."""
        return replace(self, prepared=prepared, mix=prepared.mix, dry=prepared.dry, wet=prepared.wet)

    def following(self, prepared: Prepared) -> "Levels":
        """Return these levels for another response: the same mix at the same loudness, or the same wet and dry."""
        if self.mix is None:
            return replace(self, prepared=prepared)
        dry, wet = prepared.levels(self.mix)
        return replace(self, prepared=prepared, dry=dry, wet=wet)

    def with_mix(self, mix: float | None) -> "Levels":
        """Return levels with another mix, 0 to 1."""
        share = in_range("mix", mix, 0, 1)
        dry, wet = self.prepared.levels(share)
        self._check_dry(dry)
        return replace(self, mix=share, dry=dry, wet=wet)

    def with_wet(self, db: float) -> "Levels":
        """Return levels with another wet level in dB, and no mix."""
        return replace(self, wet=linear_level("wet", db), mix=None)

    def with_dry(self, db: float) -> "Levels":
        """Return levels with another dry level in dB, and no mix."""
        dry = linear_level("dry", db)
        self._check_dry(dry)
        return replace(self, dry=dry, mix=None)

    def with_gain(self, db: float) -> "Levels":
        """Return levels with another gain in dB."""
        return replace(self, gain=linear_level("gain", db))

    def with_bypass(self, on: bool) -> "Levels":
        """Return levels with bypass on or off."""
        bypass = _switch("bypass", on)
        self._check_dry(float(bypass))
        return replace(self, bypass=bypass)

    def with_mute(self, on: bool) -> "Levels":
        """Return levels with mute on or off."""
        return replace(self, mute=_switch("mute", on))

    def paths(self) -> PathLevels:
        """Return the levels of the two paths."""
        scale = self.prepared.dry_scale
        if self.bypass:
            return PathLevels(scale, 0.0, not self.mute)
        return PathLevels(self.gain * scale * self.dry, self.gain * self.wet, not self.mute)

    def _check_dry(self, level: float) -> None:
        """Raise ParameterError if a dry sound would lose channels, because fewer come out than go in."""
        if level:
            wiring = self.prepared.response.wiring
            check_dry(wiring.inputs, wiring.outputs)


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


def _switch(name: str, on: bool) -> bool:
    return bool(on) if isinstance(on, bool | np.bool_) else bool(whole(name, on, 0, 1))
