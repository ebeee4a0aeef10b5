"""The reverb: an impulse response beside the dry sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from reverb.audiofiles.files import PathLike
from reverb.checks import in_range, one_of
from reverb.effects._repr import call, written
from reverb.effects.effect import Effect, HasResponse, check_parts
from reverb.effects.stereo import WIDEST, Width
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.responses.level import LEVELS, Blend, Level, blend, level_gain, require_audible
from reverb.responses.response import ImpulseResponse, derived, unit, without_ringing

DEFAULT_MIX = 0.3
LONGEST_PREDELAY = 10.0
LOUDEST_PATH_DB = 60.0
LOWEST_CUT, HIGHEST_CUT = 1.0, 1e6
_KEPT = 8  # rooms as they sound: seconds of work each where the decay is changed


@dataclass(frozen=True, repr=False)
class Reverb(Effect):
    """A room around the sound.

    Either `mix` says how much of the room there is, at a loudness that stays the same, or `wet` and `dry`
    give the levels of both paths. The response is first brought to `level`, so that rooms can be swapped
    without a jump. The dry sound of one input goes to every output of the room, also where these are no loudspeakers:
    give B-format rooms ``mix=1`` and encode the dry sound by yourself.

    Parameters
    ----------
    impulse_response : ImpulseResponse, str or path-like
        A name of the library (``"church"``) or a file is loaded at once.
    mix : float, optional
        0 (dry) to 1 (wet); 0.3 where neither `wet` nor `dry` is given. With m the mix, h the levelled response
        and δ the dry path: ``c · (cos(mπ/2) · δ + sin(mπ/2) · h)``, where c makes the loudness of pink noise after
        the whole equal to that before it: ``c = (1 + sin(mπ) · ρ)^(-1/2)`` with ρ the coherence of h and δ (`blend`).
    predelay : float
        Seconds between the dry sound and the room, 0 to 10.
    wet, dry : float, optional
        Levels in dB, up to 60, −inf for none; 0 where only the other is given.
    level : {'loudness', 'energy', 'peak', 'none'}
        What the response is brought to before it is mixed (`normalize`).
    decay : float
        How many times as long every band of the room takes to fall, 1/8 to 8 (`scale_decay`).
    low_cut, high_cut : float, optional
        Of the room alone: −3 dB points in Hz, 12 dB per octave (`LowCut`, `HighCut`).
    width : float
        Of the room alone: 0 mono, 1 as it is, at most 4 (`Width`).

    Raises
    ------
    ParameterError
        If a value is out of range, or `mix` stands beside `wet` or `dry`.
    InvalidAudioError
        When the response is asked for: if a decay is to change and the room has none; if a room of several inputs
        has not as many outputs, and there is to be a dry sound.

    Examples
    --------
    >>> Reverb("hall", mix=0.25, predelay=0.02).response(48_000).layout
    'stereo'
    """

    impulse_response: ImpulseResponse | PathLike
    mix: float | None = None
    predelay: float = 0.0
    wet: float | None = None
    dry: float | None = None
    level: Level = "loudness"
    decay: float = 1.0
    low_cut: float | None = None
    high_cut: float | None = None
    width: float = 1.0

    def __post_init__(self) -> None:
        given = self.impulse_response
        if not isinstance(given, ImpulseResponse):
            from reverb.store.library import as_response

            object.__setattr__(self, "impulse_response", as_response(given))
        if self.wet is None and self.dry is None:
            object.__setattr__(self, "mix", DEFAULT_MIX if self.mix is None else self.mix)
        elif self.mix is not None:
            raise ParameterError("mix stands beside wet or dry; give either mix, or wet and dry in dB")
        if self.mix is not None:
            in_range("mix", self.mix, 0.0, 1.0)
        in_range("predelay", self.predelay, 0.0, LONGEST_PREDELAY, "s")
        for name, db in (("wet", self.wet), ("dry", self.dry)):
            if db is not None:
                in_range(name, db, -math.inf, LOUDEST_PATH_DB, "dB")
        one_of("level", self.level, LEVELS)
        if in_range("decay", self.decay, 0.0, math.inf) != 1.0:
            from reverb.responses.decay.shaping import check_change

            check_change(self.decay)
        for name, hz in (("low_cut", self.low_cut), ("high_cut", self.high_cut)):
            if hz is not None:
                in_range(name, hz, LOWEST_CUT, HIGHEST_CUT, "Hz")
        in_range("width", self.width, 0.0, WIDEST)

    def __repr__(self) -> str:
        room = self.impulse_response
        assert isinstance(room, ImpulseResponse)
        # The name or the path is enough, as the room is loaded from it; a layout needs `impulse`.
        plain = room.origin is not None and room.origin[1] is None
        return call(self, impulse_response=repr(room.origin[0]) if plain and room.origin else written(room))

    @property
    def room(self) -> ImpulseResponse:
        """The room as it sounds, decay, cuts and width applied, at its own rate and level."""
        room = self.impulse_response
        assert isinstance(room, ImpulseResponse)
        if (self.decay, self.low_cut, self.high_cut, self.width) == (1.0, None, None, 1.0):
            return room
        return _changed(room, self.decay, self.low_cut, self.high_cut, self.width)

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the impulse response, as it was given."""
        assert isinstance(self.impulse_response, ImpulseResponse)
        return (self.impulse_response,)

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return the reverb with another impulse response."""
        check_parts(self, parts)
        if not isinstance(parts[0], ImpulseResponse):
            raise ParameterError(f"{parts[0]!r} is no room; expected an ImpulseResponse")
        return replace(self, impulse_response=parts[0])

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return dry path and room as one response at `sample_rate` Hz."""
        room = self.room
        dry_gain, wet_gain = self.levels()
        whole = room.response(sample_rate).delay(self.predelay) * wet_gain
        # Without a dry path a room may have any number of inputs and outputs.
        if dry_gain != 0.0:
            inputs, outputs = room.wiring.inputs, room.wiring.outputs
            if 1 != inputs != outputs:
                raise InvalidAudioError(
                    f"{room.name or 'the room'} ({room.layout}) takes {inputs} channels and gives {outputs}, so a dry "
                    "sound has no place for each; give mix=1 or dry=-inf, or a room with as many outputs as inputs"
                )
            whole = derived(unit(sample_rate, whole.samples.dtype) * dry_gain + whole, name=room.name)
        return without_ringing(whole, 0, room.sample_rate) if causal else whole

    def wet_response(self, sample_rate: int) -> ImpulseResponse:
        """Return the room alone, causal, after the predelay and at its level, for a dry sound beside it."""
        room = self.room
        late = room.response(sample_rate).delay(
            self.predelay
        )  # the predelay can hold the resampler's ringing
        return without_ringing(late, 0, room.sample_rate) * self.level_gain

    def levels(self, mix: float | None = None) -> tuple[float, float]:
        """Return the linear gains of the dry path and of the room as it sounds, before it is brought to its level.

        Parameters
        ----------
        mix : float, optional
            0 (dry) to 1 (wet); by default the reverb's own mix, or its `wet` and `dry`.

        Raises
        ------
        ParameterError
            If the mix is out of range.
        InvalidAudioError
            If the room is silent, and has to be brought to a level.

        Examples
        --------
        >>> Reverb("hall", level="none").levels(1.0)
        (0.0, 1.0)
        """
        if mix is None and self.mix is None:
            return from_db(self.dry or 0.0), from_db(self.wet or 0.0) * self.level_gain
        dry, wet = constant_power(self.mix if mix is None else mix)
        if self.level == "none":
            return dry, wet
        power = self._power
        if self.level == "loudness":
            wet /= require_audible(math.sqrt(power.wet), self.room)
        else:
            wet *= self.level_gain
        constant = 1.0 / math.sqrt(power.ratio(dry, wet))
        return constant * dry, constant * wet

    @cached_property
    def level_gain(self) -> float:
        """The linear gain that brings the room to its level, measured at its own rate: the same at every rate."""
        return level_gain(self.room, self.level)

    @cached_property
    def _power(self) -> Blend:
        return blend(self.room, self.predelay)


def constant_power(mix: Any) -> tuple[float, float]:
    """Return the linear gains of dry and wet, ``cos(mix π/2)`` and ``sin(mix π/2)``, for a mix of 0 to 1."""
    angle = in_range("mix", mix, 0.0, 1.0) * math.pi / 2
    return math.cos(angle) if mix < 1.0 else 0.0, math.sin(angle)


@lru_cache(maxsize=_KEPT)
def _changed(
    room: ImpulseResponse, decay: float, low_cut: float | None, high_cut: float | None, width: float
) -> ImpulseResponse:
    from reverb.effects.equalizers import HighCut, LowCut  # late: most rooms sound as they are

    changed = _decayed(room, decay)
    for wanted, effect in ((low_cut, LowCut), (high_cut, HighCut)):
        if wanted is not None:
            changed = changed >> effect(wanted).response(room.sample_rate)
    if width != 1.0:
        changed = changed >> Width(width).response(room.sample_rate)
    return derived(changed, changed.samples.astype(room.samples.dtype), name=room.name)


@lru_cache(maxsize=_KEPT)
def _decayed(room: ImpulseResponse, decay: float) -> ImpulseResponse:
    from reverb.responses.decay.shaping import scale_decay

    return scale_decay(room, decay)
