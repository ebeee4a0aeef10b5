"""The preparation of an effect for a session: a wet response in the session's channels, and levels of wet and dry.

The dry path of a `Reverb` is left out of the response, so that both levels can change while it plays. Every other
effect is wet only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from reverb.effects.effect import HasResponse, response_of
from reverb.effects.fold import fold
from reverb.effects.reverb import Reverb, constant_power
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError
from reverb.live.levels import check_dry
from reverb.responses.response import ImpulseResponse, derived


@dataclass(frozen=True)
class Prepared:
    """An effect as a session needs it.

    Attributes
    ----------
    response : ImpulseResponse
        The wet path, inputs × outputs of the session.
    dry_scale : float
        Amplitude ratio of the dry path, below 1 for a mono input, which is spread over a wide room with equal power.
    levels : callable
        Takes a mix of 0 to 1 and returns the amplitude ratios of dry and wet, as `Reverb.levels` does.
    mix : float or None
        The effect's own; None if it sets wet and dry separately.
    dry, wet : float
        The effect's own levels, as amplitude ratios.
    """

    response: ImpulseResponse
    dry_scale: float
    levels: Callable[[float], tuple[float, float]]
    mix: float | None
    dry: float
    wet: float

    @property
    def latency(self) -> int:
        """Frames by which the wet path is late: half the length of a linear-phase filter, otherwise 0."""
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
        If the effect has a dry sound, and fewer channels come out than go in.
    """
    mix, dry, wet, levels = None, 0.0, 1.0, constant_power
    if isinstance(effect, Reverb):
        response, levels = effect.wet_response(sample_rate), partial(_levels, effect)
        mix = effect.mix
        dry, wet = levels() if mix is None else levels(mix)
    else:
        response = response_of(effect, sample_rate, causal=True)
    check_dry(dry, inputs, outputs)
    return Prepared(
        _to_outputs(fold(response, sample_rate, inputs), outputs),
        response.spread(inputs) if outputs > 1 else 1.0,
        levels,
        mix,
        dry,
        wet,
    )


def _levels(effect: Reverb, mix: float | None = None) -> tuple[float, float]:
    """Return the levels of dry and wet, the latter relative to `Reverb.wet_response`, which has the room's level."""
    dry, wet = effect.levels(mix)
    return dry, wet / effect.level_gain


def outputs_of(effect: HasResponse, sample_rate: int, inputs: int) -> int:
    """Return the number of outputs that an effect has for a number of inputs."""
    return fold(effect, sample_rate, inputs).wiring.outputs


def _to_outputs(response: ImpulseResponse, outputs: int) -> ImpulseResponse:
    """Return a response with a given number of outputs."""
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
