"""The knobs as one value, and what they stand for: an effect, and the preset that gives the same effect again."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from reverb.effects.effect import Effect, Gain
from reverb.effects.reverb import DEFAULT_MIX, Reverb
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.presets import FORMAT


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the knobs stand.

    Parameters
    ----------
    mix : float
        0 (dry) to 1 (room).
    predelay_ms : float
        Between the dry sound and the room.
    decay : float
        How many times as long the room falls.
    low_cut, high_cut : float or None
        Of the room, in Hz.
    width : float
        Of the room: 0 is mono, 1 as it is.
    level_db : float
        Of the whole.

    Raises
    ------
    ParameterError
        When it becomes an effect: if a value is out of the range that `Reverb` and `Gain` allow.
    """

    mix: float = DEFAULT_MIX
    predelay_ms: float = 0.0
    decay: float = 1.0
    low_cut: float | None = None
    high_cut: float | None = None
    width: float = 1.0
    level_db: float = 0.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Settings":
        """Return the settings that plain values, such as JSON holds, stand for.

        Raises
        ------
        ParameterError
            If there is an unknown name, or a value is no finite number.
        """
        known = [field.name for field in fields(cls)]
        for name, value in values.items():
            if name not in known:
                raise ParameterError(f"setting {name!r}; expected one of {', '.join(known)}")
            off = value is None and name in ("low_cut", "high_cut")
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not off and not (number and math.isfinite(value)):
                raise ParameterError(f"{name} {value!r}; expected a number")
        return cls(**values)

    def reverb(self, room: ImpulseResponse) -> Reverb:
        """Return the reverb in a room, at the level of its mix."""
        return Reverb(
            room,
            mix=self.mix,
            predelay=self.predelay_ms / 1000,
            decay=self.decay,
            low_cut=self.low_cut,
            high_cut=self.high_cut,
            width=self.width,
        )

    def effect(self, room: ImpulseResponse) -> Effect:
        """Return the effect of the whole in a room."""
        reverb = self.reverb(room)
        return reverb >> Gain(self.level_db) if self.level_db else reverb

    def preset(self, room: str, description: str) -> str:
        """Return a preset in TOML that `reverb.load_chain` reads as `effect`.

        Parameters
        ----------
        room : str
            A name of the library, or a file beside the preset.
        description : str
            One line.
        """
        step: dict[str, str | float | None] = {
            "ir": room,
            "mix": self.mix,
            "predelay_ms": self.predelay_ms or None,
            "decay": self.decay if self.decay != 1.0 else None,
            "low_cut": self.low_cut,
            "high_cut": self.high_cut,
            "width": self.width if self.width != 1.0 else None,
        }
        lines = [f"format = {FORMAT}", f"description = {_text(description)}"]
        if self.level_db:
            lines.append(f"gain_db = {self.level_db!r}")
        lines += ["", "[[step]]", 'type = "reverb"']
        lines += [f"{key} = {_text(value)}" for key, value in step.items() if value is not None]
        return "\n".join(lines) + "\n"


def _text(value: str | float) -> str:
    """Return a value as TOML writes it; of texts it shares JSON's basic form, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
