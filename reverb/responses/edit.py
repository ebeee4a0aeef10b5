"""Edits of a response in time and level: trims, fades, reversal, pre-delay, attack, early against late, gain.

Pure functions from response to response. Times are in seconds. The sound starts at the onset, the first frame within
20 dB of the peak (ISO 3382-1). Channels are never shifted against each other.
Tails are in `tail`, decay times in `decay.shaping`, time stretching in `stretch`, layouts in `layouts`, tone in
`reverb.effects.edits`.
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio
from reverb.checks import in_range, one_of
from reverb.choices import GAIN_MODES as GAIN_MODES
from reverb.choices import GainMode as GainMode
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.responses.acoustics import energy_decay
from reverb.responses.direct_sound import onset
from reverb.responses.level import LEVELS, normalize, require_audible
from reverb.responses.response import ImpulseResponse, derived

Array: TypeAlias = npt.NDArray[np.float64]

LEAD = 0.0005
"""Seconds that are kept before the onset, for the rise of the direct sound."""
CUT_FADE = 0.010
"""Seconds of fade before a cut."""
CROSSFADE = 0.010
"""Seconds over which early and late meet, at most."""
_LONGEST = 120.0


def trim_head(response: ImpulseResponse, threshold_db: float = -20.0, lead: float = LEAD) -> ImpulseResponse:
    """Cut the frames before the sound starts.

    Time zero moves with the cut: frames of `latency` are used up first, then the sound's own delay.

    Parameters
    ----------
    response : ImpulseResponse
    threshold_db : float
        Level below the peak at which sound starts, −120 to −1 dB; −20 is the onset of ISO 3382-1.
    lead : float
        Seconds kept before it, faded in.
    """
    threshold_db = in_range("threshold", threshold_db, -120, -1, "dB")
    kept = round(_seconds(lead, "lead") * response.sample_rate)
    size = np.abs(response.samples).max(axis=1)
    start = int(np.argmax(size >= from_db(threshold_db) * size.max()))
    cut = max(start - kept, 0)
    if cut == 0:
        return response
    samples = response.samples[cut:].copy()
    rise = np.sin(np.linspace(0, np.pi / 2, start - cut, endpoint=False)) ** 2
    samples[: start - cut] *= rise[:, np.newaxis].astype(samples.dtype)
    return derived(response, samples, latency=max(response.latency - cut, 0))


def trim_tail(response: ImpulseResponse, level_db: float = -90.0) -> ImpulseResponse:
    """Cut where the energy still to come is `level_db` below the whole, with a short fade.

    Parameters
    ----------
    response : ImpulseResponse
    level_db : float
        −200 to −10 dB.
    """
    level_db = in_range("level of the tail's end", level_db, -200, -10, "dB")
    remaining = np.cumsum((response.samples[::-1].astype(np.float64) ** 2).sum(axis=1))[::-1]
    loud = np.flatnonzero(remaining > 10 ** (level_db / 10) * remaining[0])
    return _cut(response, int(loud[-1]) + 1 if len(loud) else 1)


def set_length(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Cut a response to a length with a short fade, or pad it with silence."""
    frames = round(_seconds(seconds, "length") * response.sample_rate)
    if frames <= response.latency:
        raise ParameterError(
            f"length {seconds:g} s; this response's time zero lies at {response.latency} frames, expected more"
        )
    if frames <= response.frames:
        return _cut(response, frames)
    return derived(response, np.pad(response.samples, ((0, frames - response.frames), (0, 0))))


def cut_noise(response: ImpulseResponse) -> ImpulseResponse:
    """Cut where the last channel sinks into its noise floor (Lundeby et al. 1995), with a short fade.

    Raises
    ------
    InvalidAudioError
        If no decay rises above the noise.
    """
    ends = []
    for channel in response.samples.T.astype(np.float64):
        if channel.any():
            floor = energy_decay(np.ascontiguousarray(channel), response.sample_rate).floor
            if floor.buried:
                raise InvalidAudioError(
                    "no decay rises above the noise of the impulse response; nothing to cut"
                )
            ends.append(onset(channel) + floor.knee)
    return _cut(response, min(max(ends, default=response.frames), response.frames))


def _cut(response: ImpulseResponse, frames: int) -> ImpulseResponse:
    frames = max(frames, response.latency + 1)
    if frames >= response.frames:
        return response
    cut = derived(response, response.samples[:frames])
    return fade_out(cut, min(CUT_FADE, 0.25 * cut.seconds))


def fade_in(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Fade in over the first `seconds`, from the first frame on, along a squared sine."""
    frames = min(round(_seconds(seconds, "fade") * response.sample_rate), response.frames)
    gain = np.ones(response.frames)
    gain[:frames] = np.sin(np.linspace(0, np.pi / 2, frames, endpoint=False)) ** 2
    return _scaled(response, gain)


def fade_out(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Fade out over the last `seconds`, to silence after the last frame, along a squared cosine."""
    frames = min(round(_seconds(seconds, "fade") * response.sample_rate), response.frames)
    gain = np.ones(response.frames)
    gain[response.frames - frames :] = np.cos(np.linspace(0, np.pi / 2, frames + 1)[1:]) ** 2
    return _scaled(response, gain)


def reverse(response: ImpulseResponse) -> ImpulseResponse:
    """Reverse a response in time: the sound swells and ends abruptly; time zero is the first frame."""
    return derived(response, response.samples[::-1].copy(), latency=0)


def predelay(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Put silence before the response, rounded to the nearest frame."""
    return response.delay(_seconds(seconds, "pre-delay"))


def attack(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Fade in over `seconds` from the onset, along a squared sine: direct sound and early part get quieter."""
    start, frames = onset(_float(response)), round(_seconds(seconds, "attack") * response.sample_rate)
    ramp = np.clip((np.arange(response.frames) - start + 1) / (frames + 1), 0, 1)
    return _scaled(response, np.sin(np.pi / 2 * ramp) ** 2) if frames else response


def balance(
    response: ImpulseResponse, early_db: float = 0.0, late_db: float = 0.0, split: float = 0.080
) -> ImpulseResponse:
    """Change the level of early and late sound.

    Parameters
    ----------
    response : ImpulseResponse
    early_db, late_db : float
        In dB, −inf to 60.
    split : float
        Seconds after the onset at which early ends, 0.001 to 1; the two meet around it within 10 ms.
    """
    for db in (early_db, late_db):
        if math.isnan(db) or db > 60:
            raise ParameterError(f"level {db} dB; expected a number up to 60")
    split = in_range("split", split, 0.001, 1, "s")
    width = min(CROSSFADE, split)
    seconds = (np.arange(response.frames) - onset(_float(response))) / response.sample_rate
    late = np.sin(np.pi / 2 * np.clip((seconds - split) / width + 0.5, 0, 1)) ** 2
    return _scaled(response, from_db(early_db) * (1 - late) + from_db(late_db) * late)


def set_gain(response: ImpulseResponse, mode: GainMode) -> ImpulseResponse:
    """Bring a response to a stated level.

    Parameters
    ----------
    response : ImpulseResponse
    mode : {'none', 'peak', 'energy', 'loudness', 'peak-safe'}
        The first four as `normalize`. ``peak-safe``: for each output the absolute samples of all paths to it sum to at
        most 1, so an input within ±1 gives an output within ±1, whatever it is.
    """
    one_of("gain mode", mode, GAIN_MODES)
    if mode in LEVELS:
        return normalize(response, mode)
    return response * (1.0 / require_audible(largest_output(response), response))


def largest_output(response: ImpulseResponse) -> float:
    """Return the largest sample that an input within ±1 can give: an output's sum of absolute samples."""
    sums = np.abs(response.samples.astype(np.float64)).sum(axis=0)
    outputs = np.zeros(response.wiring.outputs)
    for path in response.wiring.paths:
        outputs[path.output] += sums[path.response]
    return float(outputs.max())


def _seconds(value: float, what: str) -> float:
    return in_range(what, value, 0, _LONGEST, "s")


def _float(response: ImpulseResponse) -> Array:
    return response.samples.astype(np.float64)


def _scaled(response: ImpulseResponse, gain: Array) -> ImpulseResponse:
    samples: Audio = response.samples * gain[:, np.newaxis].astype(response.samples.dtype)
    return derived(response, samples)
