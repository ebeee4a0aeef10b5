"""An effect at a stated level, whatever is in it."""

from __future__ import annotations

from dataclasses import dataclass

from reverb.effects.effect import Effect, HasResponse
from reverb.errors import ParameterError
from reverb.responses.level import LEVELS, Level, normalize
from reverb.responses.response import ImpulseResponse


@dataclass(frozen=True, repr=False)
class Levelled(Effect):
    """An effect scaled so that its level is stated, and effects can be compared by ear.

    Parameters
    ----------
    effect : effect
    level : {'loudness', 'energy', 'peak', 'none'}
        ``loudness``: pink noise is as loud after it as before; see `reverb.responses.level.level_gain`.
    """

    effect: HasResponse
    level: Level = "loudness"

    def __post_init__(self) -> None:
        if not isinstance(self.effect, HasResponse):
            raise ParameterError(
                f"{self.effect!r} is no effect; expected filters, reverbs or impulse responses"
            )
        if self.level not in LEVELS:
            raise ParameterError(f"level {self.level!r}; expected one of {', '.join(LEVELS)}")

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the effect's response at `sample_rate` Hz, scaled.

        Raises
        ------
        InvalidAudioError
            If the effect is silent.
        """
        return normalize(self.effect.response(sample_rate), self.level)
