"""Where the faders of a session stand: either a mix, or wet and dry by themselves; and gain, bypass, mute."""

import math
from typing import Any, Generic, TypeVar

from reverb.errors import ParameterError
from reverb.levels import from_db, to_db
from reverb.live.convolver import check_dry
from reverb.live.prepare import LOUDEST_DB, Prepared
from reverb.live.processor import Levels


class Faders:
    """The faders, in the units of people.

    Attributes
    ----------
    gain : float
        Of the whole, in dB.
    mute : bool

    Raises
    ------
    ParameterError
        By whatever would let a dry sound be heard, where fewer channels come out than go in.
    """

    def __init__(self, prepared: Prepared, gain: float = 0.0) -> None:
        self._bypass = self.mute = False
        self._gain = _linear("gain", gain)
        self.adopt(prepared)

    def adopt(self, prepared: Prepared) -> None:
        """Stand where an effect asks for."""
        self._law, self._scale, self._wiring = prepared.law, prepared.dry_scale, prepared.response.wiring
        self._mix, self._dry, self._wet = prepared.mix, prepared.dry, prepared.wet

    def follow(self, prepared: Prepared) -> None:
        """Stay, for another response: the same mix at the same loudness, or the same levels."""
        self._law, self._scale, self._wiring = prepared.law, prepared.dry_scale, prepared.response.wiring
        if self._mix is not None:
            self._dry, self._wet = self._law.levels(self._mix)

    @property
    def mix(self) -> float | None:
        """Share of the room, 0 to 1; None while wet and dry stand by themselves."""
        return self._mix

    @mix.setter
    def mix(self, value: float) -> None:
        dry, wet = self._law.levels(value)
        self._check_dry(dry)
        self._mix, self._dry, self._wet = float(value), dry, wet

    @property
    def wet(self) -> float:
        """Level of the wet path in dB."""
        return to_db(self._wet)

    @wet.setter
    def wet(self, db: float) -> None:
        self._wet, self._mix = _linear("wet", db), None

    @property
    def dry(self) -> float:
        """Level of the dry path in dB."""
        return to_db(self._dry)

    @dry.setter
    def dry(self, db: float) -> None:
        dry = _linear("dry", db)
        self._check_dry(dry)
        self._dry, self._mix = dry, None

    @property
    def gain(self) -> float:
        """Level of the whole in dB."""
        return to_db(self._gain)

    @gain.setter
    def gain(self, db: float) -> None:
        self._gain = _linear("gain", db)

    @property
    def bypass(self) -> bool:
        """Whether the dry sound is heard alone, as it came in."""
        return self._bypass

    @bypass.setter
    def bypass(self, on: bool) -> None:
        self._check_dry(float(on))
        self._bypass = on

    def _check_dry(self, level: float) -> None:
        if level:
            check_dry(self._wiring.inputs, self._wiring.outputs)

    def levels(self) -> Levels:
        """Return them as linear levels of the two paths."""
        if self._bypass:
            return Levels(self._scale, 0.0, not self.mute)
        return Levels(self._gain * self._scale * self._dry, self._gain * self._wet, not self.mute)


_T = TypeVar("_T")


class Fader(Generic[_T]):
    """An attribute of what has a `desk`: one of the desk's faders, heard as soon as it is set."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, _type: type) -> _T:
        value: Any = self if owner is None else getattr(owner.desk.faders, self._name)
        return value  # type: ignore[no-any-return]

    def __set__(self, owner: Any, value: _T) -> None:
        owner.desk.move(self._name, value)


def _linear(name: str, db: float) -> float:
    if math.isnan(db) or db > LOUDEST_DB:
        raise ParameterError(f"{name} {db} dB; expected at most {LOUDEST_DB:g} dB")
    return from_db(db)
