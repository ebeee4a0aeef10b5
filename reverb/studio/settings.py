"""The page's settings as one value, the effect that they describe, and a preset of that effect."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from reverb.checks import in_range, one_of
from reverb.effects.effect import Effect
from reverb.effects.gain import Gain
from reverb.effects.reverb import DEFAULT_MIX, Reverb
from reverb.responses.response import ImpulseResponse
from reverb.store.presets import FORMAT

_OPTIONAL = ("low_cut", "high_cut")
_MAX_VALUE = 1e6  # beyond the range of every setting


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of the page's knobs.

    Parameters
    ----------
    mix : float
        0 (dry) to 1 (room).
    predelay_ms : float
        Delay of the room.
    decay : float
        Factor of the room's decay time.
    low_cut, high_cut : float or None
        Cut-off frequencies of the room in Hz; None for no cut.
    width : float
        Stereo width of the room: 0 is mono, 1 unchanged.
    level_db : float
        Gain of the output.

    Notes
    -----
    Ranges are those of `Reverb` and `Gain`, which raise ParameterError when `effect` makes them.
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
        """Return the settings in a JSON object.

        Raises
        ------
        ParameterError
            If a name is unknown, or a value is not a finite number.
        """
        known = [field.name for field in fields(cls)]
        for name, value in values.items():
            one_of("setting", name, known)
            if value is not None or name not in _OPTIONAL:
                in_range(name, value, -_MAX_VALUE, _MAX_VALUE)
        return cls(**values)

    def reverb(self, room: ImpulseResponse) -> Reverb:
        """Return the reverb, without the output's gain."""
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
        """Return the effect, the output's gain included."""
        reverb = self.reverb(room)
        return reverb >> Gain(self.level_db) if self.level_db else reverb

    def preset(self, room: str, description: str) -> str:
        """Return a preset in TOML from which `reverb.load_chain` loads the same effect.

        Parameters
        ----------
        room : str
            The name of a response in the library, or of a file in the preset's folder.
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
    """Return a value in TOML, whose strings are those of JSON but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
