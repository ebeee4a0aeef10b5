"""Effects that change the level alone: a gain, and an effect brought to a stated level."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reverb.checks import in_range, one_of
from reverb.choices import LEVELS, Level
from reverb.effects.effect import Effect, HasResponse, Step, check_effect, check_parts, response_of, steps_of
from reverb.levels import from_db, to_db
from reverb.responses.level import level_gain, normalize
from reverb.responses.response import ImpulseResponse, derived, unit

_MAX_DB = 120.0


@dataclass(frozen=True, repr=False)
class Gain(Effect):
    """A change of level.

    Parameters
    ----------
    db : float
        In dB, at most 120; ``-inf`` is silence.

    Examples
    --------
    >>> Gain(20).response(48_000).samples.tolist()
    [[10.0]]
    """

    db: float

    def __post_init__(self) -> None:
        in_range("gain", self.db, -math.inf, _MAX_DB, "dB")

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return a unit impulse at this level."""
        return derived(unit(sample_rate) * from_db(self.db), name="gain")


@dataclass(frozen=True, repr=False)
class Leveled(Effect):
    """An effect scaled to a stated level, so that effects can be compared by ear.

    Parameters
    ----------
    effect : effect or ImpulseResponse
    level : {'loudness', 'energy', 'peak', 'none'}
        ``loudness``: pink noise is as loud after it as before; see `reverb.responses.level.level_gain`.

    Examples
    --------
    >>> Leveled(Gain(20), "peak").response(48_000).samples.tolist()
    [[1.0]]
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
