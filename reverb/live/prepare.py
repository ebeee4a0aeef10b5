"""From an effect to what a live convolver needs: one response in the session's channels, wet beside dry.

Wet and dry stay apart for a `Reverb`, so that both may be moved while it plays. Every other effect is wet only.
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
    """An effect, ready for a session.

    Attributes
    ----------
    response : ImpulseResponse
        The wet path, inputs × outputs of the session.
    dry_scale : float
        What the dry path is scaled by: a mono input is spread over a wide room with equal power.
    levels : callable
        Takes a mix of 0 to 1 and returns the linear levels of dry and wet, as `Reverb.levels` does.
    mix : float or None
        The effect's own, None for wet and dry levels.
    dry, wet : float
        The effect's own linear levels.
    """

    response: ImpulseResponse
    dry_scale: float
    levels: Callable[[float], tuple[float, float]]
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
    mix, dry, wet, levels = None, 0.0, 1.0, constant_power
    if isinstance(effect, Reverb):
        response, levels = effect.wet_response(sample_rate), partial(_beside, effect)
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


def _beside(effect: Reverb, mix: float | None = None) -> tuple[float, float]:
    """Return the linear levels of dry and wet, the latter of a room that has been brought to its level."""
    dry, wet = effect.levels(mix)
    return dry, wet / effect.level_gain


def width(effect: HasResponse, sample_rate: int, inputs: int) -> int:
    """Return how many outputs an effect has for so many inputs."""
    return fold(effect, sample_rate, inputs).wiring.outputs


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
