"""Edits of a response in time, level and layout.

Pure functions from response to response. Times are in seconds. The onset is the first frame within
20 dB of the peak (ISO 3382-1). All channels are shifted alike.
See `tail` for tails, `decay.shaping` for decay times, `stretch` for time stretching, and `reverb.effects.edits` for
tone and width.
"""

import math

import numpy as np

from reverb.arrays import Array, Audio
from reverb.checks import in_range, one_of
from reverb.choices import GAIN_MODES, LEVELS, GainMode, Layout
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.responses.decay.decay import energy_decay, onset
from reverb.responses.layouts import LAYOUTS, MONO, STEREO, TRUE_STEREO
from reverb.responses.level import normalize, require_audible
from reverb.responses.response import ImpulseResponse, check_response, derived, owning

LEAD_SECONDS = 0.0005
"""Length kept before the onset, for the rise of the direct sound."""
CUT_FADE_SECONDS = 0.010
"""Length of the fade before a cut."""
MAX_CROSSFADE_SECONDS = 0.010
"""Longest crossfade between early and late sound."""
_MAX_SECONDS = 120.0
_MAX_EARLY_LATE_DB = 60.0


def trim_head(
    response: ImpulseResponse, threshold_db: float = -20.0, lead: float = LEAD_SECONDS
) -> ImpulseResponse:
    """Cut the frames before the sound starts.

    The cut first shortens the `latency`, then the delay of the sound after time zero.

    Parameters
    ----------
    response : ImpulseResponse
    threshold_db : float
        Level re the peak at which the sound starts, −120 to −1 dB; −20 is the onset of ISO 3382-1.
    lead : float
        Seconds kept before the start, faded in.
    """
    check_response(response)
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
    """Cut, with a short fade, where the energy of the rest falls below a level.

    Parameters
    ----------
    response : ImpulseResponse
    level_db : float
        Energy of the rest re the whole, −200 to −10 dB.
    """
    check_response(response)
    level_db = in_range("level of the tail's end", level_db, -200, -10, "dB")
    remaining = np.cumsum((response.samples[::-1].astype(np.float64) ** 2).sum(axis=1))[::-1]
    loud = np.flatnonzero(remaining > 10 ** (level_db / 10) * remaining[0])
    return _cut(response, int(loud[-1]) + 1 if len(loud) else 1)


def set_length(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Cut a response to a length in seconds, with a short fade, or pad it with silence."""
    check_response(response)
    frames = round(_seconds(seconds, "length") * response.sample_rate)
    if frames <= response.latency:
        raise ParameterError(
            f"length {seconds:g} s; expected more than the {response.latency} frames before time zero"
        )
    if frames <= response.frames:
        return _cut(response, frames)
    return derived(response, np.pad(response.samples, ((0, frames - response.frames), (0, 0))))


def cut_noise(response: ImpulseResponse) -> ImpulseResponse:
    """Cut, with a short fade, where the last channel reaches its noise floor (Lundeby et al. 1995).

    Raises
    ------
    InvalidAudioError
        If noise hides the decay.
    """
    check_response(response)
    ends = []
    for channel in response.samples.T.astype(np.float64):
        if channel.any():
            floor = energy_decay(np.ascontiguousarray(channel), response.sample_rate).floor
            if floor.buried:
                raise InvalidAudioError(
                    "the impulse response does not decay above its noise; there is nothing to cut"
                )
            ends.append(onset(channel) + floor.knee)
    return _cut(response, min(max(ends, default=response.frames), response.frames))


def _cut(response: ImpulseResponse, frames: int) -> ImpulseResponse:
    frames = max(frames, response.latency + 1)
    if frames >= response.frames:
        return response
    cut = derived(response, response.samples[:frames])
    return fade_out(cut, min(CUT_FADE_SECONDS, 0.25 * cut.seconds))


def fade_in(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Fade in over the first `seconds`, with the shape of a squared sine."""
    check_response(response)
    frames = min(round(_seconds(seconds, "fade") * response.sample_rate), response.frames)
    gain = np.ones(response.frames)
    gain[:frames] = np.sin(np.linspace(0, np.pi / 2, frames, endpoint=False)) ** 2
    return _scaled(response, gain)


def fade_out(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Fade out over the last `seconds`, with the shape of a squared cosine."""
    check_response(response)
    frames = min(round(_seconds(seconds, "fade") * response.sample_rate), response.frames)
    gain = np.ones(response.frames)
    gain[response.frames - frames :] = np.cos(np.linspace(0, np.pi / 2, frames + 1)[1:]) ** 2
    return _scaled(response, gain)


def reverse(response: ImpulseResponse) -> ImpulseResponse:
    """Reverse a response in time: the sound swells and ends abruptly; time zero is the first frame."""
    check_response(response)
    return derived(response, response.samples[::-1].copy(), latency=0)


def predelay(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Add silence before the response, rounded to the nearest frame."""
    check_response(response)
    return response.delay(_seconds(seconds, "pre-delay"))


def attack(response: ImpulseResponse, seconds: float) -> ImpulseResponse:
    """Fade in over `seconds` from the onset, with the shape of a squared sine: the early part becomes quieter."""
    check_response(response)
    start, frames = onset(_float(response)), round(_seconds(seconds, "attack") * response.sample_rate)
    ramp = np.clip((np.arange(response.frames) - start + 1) / (frames + 1), 0, 1)
    return _scaled(response, np.sin(np.pi / 2 * ramp) ** 2) if frames else response


def balance(
    response: ImpulseResponse, early_db: float = 0.0, late_db: float = 0.0, split: float = 0.080
) -> ImpulseResponse:
    """Change the levels of early and late sound.

    Parameters
    ----------
    response : ImpulseResponse
    early_db, late_db : float
        Change in dB, −inf to 60.
    split : float
        End of the early sound in seconds after the onset, 0.001 to 1; the middle of a crossfade of at most 10 ms.
    """
    check_response(response)
    early_db = in_range("early level", early_db, -math.inf, _MAX_EARLY_LATE_DB, "dB")
    late_db = in_range("late level", late_db, -math.inf, _MAX_EARLY_LATE_DB, "dB")
    split = in_range("split", split, 0.001, 1, "s")
    width = min(MAX_CROSSFADE_SECONDS, split)
    seconds = (np.arange(response.frames) - onset(_float(response))) / response.sample_rate
    late = np.sin(np.pi / 2 * np.clip((seconds - split) / width + 0.5, 0, 1)) ** 2
    return _scaled(response, from_db(early_db) * (1 - late) + from_db(late_db) * late)


def set_gain(response: ImpulseResponse, mode: GainMode) -> ImpulseResponse:
    """Scale a response to a given level.

    Parameters
    ----------
    response : ImpulseResponse
    mode : {'none', 'peak', 'energy', 'loudness', 'peak-safe'}
        The first four as in `normalize`. ``peak-safe``: the absolute samples of all paths to an output sum to at
        most 1, so any input within ±1 gives an output within ±1.
    """
    check_response(response)
    one_of("gain mode", mode, GAIN_MODES)
    if mode in LEVELS:
        return normalize(response, mode)
    return response * (1.0 / require_audible(largest_output(response), response))


def largest_output(response: ImpulseResponse) -> float:
    """Return the largest output sample for inputs within ±1: the sum of absolute samples of an output."""
    check_response(response)
    sums = np.abs(response.samples.astype(np.float64)).sum(axis=0)
    outputs = np.zeros(response.wiring.outputs)
    for path in response.wiring.paths:
        outputs[path.output] += sums[path.response]
    return float(outputs.max())


def to_layout(response: ImpulseResponse, layout: Layout) -> ImpulseResponse:
    """Convert between mono, stereo and true stereo.

    =============  ===========================================================================================
    to             result
    =============  ===========================================================================================
    mono           the mean of both outputs, each input at its level: stereo (L + R) / 2, true stereo the sum
                   of all four over 2
    stereo         from mono, both sides the same; from true stereo, the response to a source in the middle:
                   (LL + RL) / √2 and (LR + RR) / √2
    true-stereo    from stereo and mono, LL and RR, with silence in LR and RL: the sound does not change
    =============  ===========================================================================================

    Raises
    ------
    ParameterError
        If the layout is none of these.
    InvalidAudioError
        If the response has another layout.
    """
    check_response(response)
    one_of("layout", layout, LAYOUTS)
    if response.layout not in LAYOUTS:
        raise InvalidAudioError(
            f"a {response.layout} response cannot become {layout}; expected mono, stereo or true stereo"
        )
    if response.layout == layout:
        return response
    h = response.samples
    if layout == "mono":
        return derived(response, h.sum(axis=1, keepdims=True) / h.dtype.type(2), wiring=MONO)
    if layout == "stereo":
        return derived(response, _to_stereo(h), wiring=STEREO)
    pair, silence = (h if h.shape[1] == 2 else np.repeat(h, 2, axis=1)), np.zeros_like(h[:, 0])
    full = np.stack([pair[:, 0], silence, silence, pair[:, 1]], axis=1)
    return derived(response, full, wiring=TRUE_STEREO)


def true_stereo(left: ImpulseResponse, right: ImpulseResponse) -> ImpulseResponse:
    """Return a true-stereo response from two stereo responses of a room, with the source on the left and on the right.

    The right response is resampled to the rate of the left one. They are aligned at time zero, and the shorter one is
    padded with silence.

    Raises
    ------
    InvalidAudioError
        If either is not stereo.
    """
    for part in (left, right):
        check_response(part)
    right = right.response(left.sample_rate)
    for side, part in (("left", left), ("right", right)):
        if part.wiring != STEREO:
            raise InvalidAudioError(
                f"the response of the {side} source is {part.layout}; expected two stereo ones, one per source"
            )
    latency = max(left.latency, right.latency)
    frames = max(part.frames + latency - part.latency for part in (left, right))
    samples = np.zeros((frames, 4), np.result_type(left.samples, right.samples))
    for first, part in ((0, left), (2, right)):
        start = latency - part.latency
        samples[start : start + part.frames, first : first + 2] = part.samples
    return owning(samples, left.sample_rate, left.name, TRUE_STEREO, latency)


def _to_stereo(h: Audio) -> Audio:
    if h.shape[1] == 1:
        return np.repeat(h, 2, axis=1)
    return np.stack([h[:, 0] + h[:, 2], h[:, 1] + h[:, 3]], axis=1) * h.dtype.type(np.sqrt(0.5))


def _seconds(value: float, what: str) -> float:
    return in_range(what, value, 0, _MAX_SECONDS, "s")


def _float(response: ImpulseResponse) -> Array:
    return response.samples.astype(np.float64)


def _scaled(response: ImpulseResponse, gain: Array) -> ImpulseResponse:
    samples: Audio = response.samples * gain[:, np.newaxis].astype(response.samples.dtype)
    return derived(response, samples)
