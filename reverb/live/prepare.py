"""From an effect to what a live convolver needs: one response in the session's channels, wet beside dry.

Wet and dry stay apart for a `Reverb`, so that both may be moved while it plays. Every other effect is wet only.
"""

import math
from dataclasses import dataclass

from reverb.effects.effect import Chain, HasResponse, Parallel, fold
from reverb.effects.levelled import Levelled
from reverb.effects.reverb import Reverb
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.live.convolver import check_dry
from reverb.responses.level import Blend, blend, level_gain, require_audible
from reverb.responses.response import ImpulseResponse, derived

LOUDEST_DB = 60.0
_WIDE = 1.5


@dataclass(frozen=True)
class MixLaw:
    """How a mix becomes levels of the dry and the wet path, as `Reverb` has it.

    With m the mix: dry ``c · cos(mπ/2)``, wet ``c · sin(mπ/2)``; c keeps the loudness of pink noise, by what `blend`
    measured once, so that a mix may move.

    Attributes
    ----------
    parts : Blend or None
        Of the response beside the dry sound; None lets c be 1.
    gain : float
        What the response has been brought to its level with.
    """

    parts: Blend | None = None
    gain: float = 1.0

    def levels(self, mix: float) -> tuple[float, float]:
        """Return the linear levels of dry and wet for a mix of 0 to 1."""
        if not 0.0 <= mix <= 1.0:
            raise ParameterError(f"mix {mix}; expected 0 (dry) to 1 (wet)")
        dry, wet = math.cos(mix * math.pi / 2) if mix < 1.0 else 0.0, math.sin(mix * math.pi / 2)
        if self.parts is None:
            return dry, wet
        constant = 1.0 / math.sqrt(self.parts.ratio(dry, self.gain * wet))
        return constant * dry, constant * wet


@dataclass(frozen=True)
class Prepared:
    """An effect, ready for a session.

    Attributes
    ----------
    response : ImpulseResponse
        The wet path, inputs × outputs of the session.
    dry_scale : float
        What the dry path is scaled by: a mono input is spread over a wide room with equal power.
    law : MixLaw
    mix : float or None
        Where the effect asks for a mix.
    dry, wet : float
        Linear levels that the effect asks for.
    """

    response: ImpulseResponse
    dry_scale: float
    law: MixLaw
    mix: float | None
    dry: float
    wet: float

    @property
    def latency(self) -> int:
        """Frames by which the wet path comes late: half the length of a linear-phase filter."""
        return self.response.latency


def prepare(effect: HasResponse, sample_rate: int, inputs: int, outputs: int) -> Prepared:
    """Return an effect in the channels of a session.

    Parameters
    ----------
    effect : Effect or ImpulseResponse
    sample_rate : int
        In Hz.
    inputs, outputs : int
        Channels of the session. A response with one output goes to all; to a single output, several are summed at
        equal power.

    Raises
    ------
    InvalidAudioError
        If the response's channels do not suit the session's.
    ParameterError
        If there is to be a dry sound, and fewer channels come out than go in.
    """
    mix, dry, level = None, 0.0, 1.0
    if isinstance(effect, Reverb):
        law = _law(effect)
        # A predelay may hold the resampler's ringing; otherwise it goes.
        room = effect.room
        wet = _at_once(room.response(sample_rate).delay(effect.predelay), 0, room.sample_rate) * law.gain
        mix = effect.mix
        dry, level = (
            (from_db(effect.dry or 0.0), from_db(effect.wet or 0.0)) if mix is None else law.levels(mix)
        )
    else:
        law, wet = MixLaw(), causal(effect, sample_rate)
    if dry:
        check_dry(inputs, outputs)
    return Prepared(
        _to_outputs(fold(wet, sample_rate, inputs), outputs),
        wet.spread(inputs) if outputs > 1 else 1.0,
        law,
        mix,
        dry,
        level,
    )


def causal(effect: HasResponse, sample_rate: int) -> ImpulseResponse:
    """Return an effect's response without the ringing that a resampler puts before a room's time zero.

    Keeping it would delay everything by two milliseconds. Between 44.1 and 48 kHz what goes lies at the edge of the
    band: octave levels up to 16 kHz change by less than 0.1 dB. At twice the rate and more the direct sound itself is
    as wide as a sample of the room's own rate, so that much is kept, and the room comes 20 µs later: then
    they change by less than 0.2 dB up to 8 kHz and 0.8 dB at 16 kHz. What a linear-phase filter is late by stays: it
    is the filter.
    """
    if isinstance(effect, Chain):
        whole = causal(effect.effects[0], sample_rate)
        for part in effect.effects[1:]:
            whole = whole >> causal(part, sample_rate)
        return whole
    if isinstance(effect, Parallel):
        whole = causal(effect.effects[0], sample_rate)
        for part in effect.effects[1:]:
            whole = whole + causal(part, sample_rate)
        return whole
    if isinstance(effect, Levelled):
        whole = causal(effect.effect, sample_rate)
        return whole * level_gain(whole, effect.level)
    if isinstance(effect, Reverb):
        return _at_once(effect.response(sample_rate), 0, effect.room.sample_rate)
    if isinstance(effect, ImpulseResponse):
        resampled = effect.response(sample_rate)
        own = round(effect.latency * sample_rate / effect.sample_rate)
        return _at_once(resampled, own, effect.sample_rate)
    return effect.response(sample_rate)


def width(effect: HasResponse, sample_rate: int, inputs: int) -> int:
    """Return how many outputs an effect has for so many inputs."""
    return fold(effect, sample_rate, inputs).wiring.outputs


def _at_once(response: ImpulseResponse, latency: int, own_rate: int) -> ImpulseResponse:
    """Return a resampled response with no more frames before time zero than `latency`."""
    ratio = response.sample_rate / own_rate
    kept = round(ratio) if ratio >= _WIDE else 0
    ringing = response.latency - latency - kept
    if response.latency <= latency:
        return response
    return derived(response, response.samples[max(0, ringing) :], latency=latency)


def _law(effect: Reverb) -> MixLaw:
    """Return the law of a reverb's mix, measured at its room's own rate."""
    room = effect.room
    if effect.level == "none":
        return MixLaw()
    parts = blend(room, effect.predelay)
    if effect.level == "loudness":
        return MixLaw(parts, 1.0 / require_audible(math.sqrt(parts.wet), room))
    return MixLaw(parts, level_gain(room, effect.level))


def _to_outputs(response: ImpulseResponse, outputs: int) -> ImpulseResponse:
    """Return a response for exactly so many outputs."""
    wiring = response.wiring
    if wiring.outputs == outputs:
        return response
    if wiring.outputs == 1:
        paths = tuple(Path(p.input, o, p.response) for p in wiring.paths for o in range(outputs))
        return derived(response, wiring=Routing(wiring.inputs, outputs, paths))
    if outputs == 1:
        paths = tuple(Path(p.input, 0, p.response) for p in wiring.paths)
        scaled = response * (1.0 / math.sqrt(wiring.outputs))
        return derived(scaled, wiring=Routing(wiring.inputs, 1, paths))
    raise InvalidAudioError(
        f"{response.name or 'the effect'} ({response.layout}) gives {wiring.outputs} channels; "
        f"the output has {outputs}. Choose a response with {outputs} outputs"
    )
