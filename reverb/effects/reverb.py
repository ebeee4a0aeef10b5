"""The reverb: a room's impulse response, mixed with the dry sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from reverb.audiofiles.files import PathLike
from reverb.checks import flag, in_range, one_of
from reverb.choices import LEVELS, Level
from reverb.effects.effect import MAX_WIDTH, Effect, HasResponse, call_expression, check_parts, expression
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.responses.level import Blend, blend, level_gain, require_audible
from reverb.responses.response import ImpulseResponse, derived, unit, without_ringing

DEFAULT_MIX = 0.3
MAX_PREDELAY_SECONDS = 10.0
_MAX_PATH_DB = 60.0
_MIN_CUT_HZ, _MAX_CUT_HZ = 1.0, 1e6
_CACHED_ROOMS = 8  # a changed decay takes seconds of work


@dataclass(frozen=True, repr=False)
class Reverb(Effect):
    """A room around the sound.

    Either `mix` sets the share of the room, at constant loudness, or `wet` and `dry` set the levels of both paths. The
    response is first brought to `level`, so that rooms can be exchanged without a jump in loudness. The dry sound of a
    single input goes to every output of the room, even if the outputs are not loudspeakers: for a B-format room, use
    ``mix=1`` and encode the dry sound separately.

    Parameters
    ----------
    impulse_response : ImpulseResponse, str or path-like
        A response, the name of one in the library (``"church"``), or a file. Names and files are loaded immediately.
    mix : float, optional
        0 (dry) to 1 (wet), by default 0.3 if neither `wet` nor `dry` is given. With m the mix, h the leveled response
        and δ the dry path: ``c · (cos(mπ/2) · δ + sin(mπ/2) · h)``, where c keeps the loudness of pink noise:
        ``c = (1 + sin(mπ) · ρ)^(-1/2)`` with ρ the coherence of h and δ (`blend`).
    predelay : float
        Seconds between the dry sound and the room, 0 to 10.
    wet, dry : float, optional
        Levels in dB, up to 60; −inf removes the path. 0 if only the other one is given.
    level : {'loudness', 'energy', 'peak', 'none'}
        Level of the response before it is mixed (`normalize`).
    decay : float
        Factor of the decay time in every band of the room, 1/8 to 8 (`scale_decay`).
    low_cut, high_cut : float, optional
        −3 dB points of filters for the room only, in Hz, 12 dB per octave (`LowCut`, `HighCut`).
    width : float
        Stereo width of the room only: 0 is mono, 1 leaves it, at most 4 (`Width`).

    Raises
    ------
    ParameterError
        If a value is out of range, or `mix` is given together with `wet` or `dry`.
    InvalidAudioError
        From `response`: if `decay` is not 1 and the room has no measurable decay; if there is a dry sound, and the room
        has several inputs but a different number of outputs.

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
            raise ParameterError(
                "mix is given together with wet or dry; expected either mix, or wet and dry in dB"
            )
        if self.mix is not None:
            in_range("mix", self.mix, 0.0, 1.0)
        in_range("predelay", self.predelay, 0.0, MAX_PREDELAY_SECONDS, "s")
        for name, db in (("wet", self.wet), ("dry", self.dry)):
            if db is not None:
                in_range(name, db, -math.inf, _MAX_PATH_DB, "dB")
        one_of("level", self.level, LEVELS)
        if in_range("decay", self.decay, 0.0, math.inf) != 1.0:
            from reverb.responses.decay.shaping import check_change

            check_change(self.decay)
        for name, hz in (("low_cut", self.low_cut), ("high_cut", self.high_cut)):
            if hz is not None:
                in_range(name, hz, _MIN_CUT_HZ, _MAX_CUT_HZ, "Hz")
        in_range("width", self.width, 0.0, MAX_WIDTH)

    def __repr__(self) -> str:
        room = self._given
        # The constructor loads a name or path; together with a layout it takes `impulse`.
        loadable = room.origin is not None and room.origin[1] is None
        text = repr(room.origin[0]) if loadable and room.origin else expression(room)
        return call_expression(self, impulse_response=text)

    @property
    def _given(self) -> ImpulseResponse:
        assert isinstance(self.impulse_response, ImpulseResponse)  # loaded by the constructor
        return self.impulse_response

    @property
    def room(self) -> ImpulseResponse:
        """The room with decay, cuts and width applied, at its own sample rate and level."""
        if (self.decay, self.low_cut, self.high_cut, self.width) == (1.0, None, None, 1.0):
            return self._given
        return _changed(self._given, self.decay, self.low_cut, self.high_cut, self.width)

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the impulse response, without the changes to its decay, cuts and width."""
        return (self._given,)

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return the reverb with another impulse response."""
        check_parts(self, parts)
        if not isinstance(parts[0], ImpulseResponse):
            raise ParameterError(f"{parts[0]!r} is no room; expected an ImpulseResponse")
        return replace(self, impulse_response=parts[0])

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the dry path and the room as one response at `sample_rate` Hz."""
        room = self.room
        dry_gain, wet_gain = self.levels()
        mixed = room.response(sample_rate).delay(self.predelay) * wet_gain
        # Only a dry path restricts the number of inputs and outputs.
        if dry_gain != 0.0:
            inputs, outputs = room.wiring.inputs, room.wiring.outputs
            if 1 != inputs != outputs:
                raise InvalidAudioError(
                    f"{room.name or 'the room'} ({room.layout}) has {inputs} inputs and {outputs} outputs, so a dry "
                    "sound has no place for each; give mix=1 or dry=-inf, or a room with as many outputs as inputs"
                )
            mixed = derived(unit(sample_rate, mixed.samples.dtype) * dry_gain + mixed, name=room.name)
        return without_ringing(mixed, 0, room.sample_rate) if flag("causal", causal) else mixed

    def wet_response(self, sample_rate: int) -> ImpulseResponse:
        """Return the causal response of the wet path alone: the room after the predelay, at its level."""
        room = self.room
        # Delayed first: a predelay leaves time for the resampler's ringing, which is otherwise cut off.
        late = room.response(sample_rate).delay(self.predelay)
        return without_ringing(late, 0, room.sample_rate) * self.level_gain

    def levels(self, mix: float | None = None) -> tuple[float, float]:
        """Return the linear gains of the dry path and of the room.

        The room's gain includes the one that brings it to its level.

        Parameters
        ----------
        mix : float, optional
            0 (dry) to 1 (wet); by default the reverb's own mix, or its `wet` and `dry`.

        Raises
        ------
        ParameterError
            If the mix is out of range.
        InvalidAudioError
            If the room is silent and is to be brought to a level.

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
        """The linear gain that brings the room to its level; measured at its own rate, so the same at every rate."""
        return level_gain(self.room, self.level)

    @cached_property
    def _power(self) -> Blend:
        return blend(self.room, self.predelay)


def constant_power(mix: Any) -> tuple[float, float]:
    """Return the linear gains of dry and wet for a mix of 0 to 1: ``cos(mix π/2)`` and ``sin(mix π/2)``."""
    angle = in_range("mix", mix, 0.0, 1.0) * math.pi / 2
    return math.cos(angle) if mix < 1.0 else 0.0, math.sin(angle)


@lru_cache(maxsize=_CACHED_ROOMS)
def _changed(
    room: ImpulseResponse, decay: float, low_cut: float | None, high_cut: float | None, width: float
) -> ImpulseResponse:
    # Imported late, because few rooms need them.
    from reverb.effects.equalizers import HighCut, LowCut
    from reverb.effects.stereo import Width

    changed = _decayed(room, decay)
    for hz, cut in ((low_cut, LowCut), (high_cut, HighCut)):
        if hz is not None:
            changed = changed >> cut(hz).response(room.sample_rate)
    if width != 1.0:
        changed = changed >> Width(width).response(room.sample_rate)
    return derived(changed, changed.samples.astype(room.samples.dtype), name=room.name)


@lru_cache(maxsize=_CACHED_ROOMS)  # on its own, so that moving a cut does not scale the decay again
def _decayed(room: ImpulseResponse, decay: float) -> ImpulseResponse:
    from reverb.responses.decay.shaping import scale_decay

    return scale_decay(room, decay)
