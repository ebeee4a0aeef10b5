"""Convert between mono, stereo and true stereo."""

import numpy as np

from reverb.arrays import Audio
from reverb.choices import LAYOUTS as LAYOUTS
from reverb.choices import Layout as Layout
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse, derived, owning
from reverb.responses.shape import MONO, STEREO, TRUE_STEREO


def to_layout(response: ImpulseResponse, layout: Layout) -> ImpulseResponse:
    """Convert between mono, stereo and true stereo.

    =============  ===========================================================================================
    to             what comes out
    =============  ===========================================================================================
    mono           the mean of both outputs, each input at its level: stereo (L + R) / 2, true stereo the sum
                   of all four over 2
    stereo         from mono, both sides the same; from true stereo what a source in the middle gives:
                   (LL + RL) / √2 and (LR + RR) / √2
    true-stereo    from stereo and mono, LL and RR with silence between: it sounds as before
    =============  ===========================================================================================

    Raises
    ------
    ParameterError
        If the layout is none of these.
    InvalidAudioError
        If the response is of another layout than these.
    """
    if layout not in LAYOUTS:
        raise ParameterError(f"layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
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


def _to_stereo(h: Audio) -> Audio:
    if h.shape[1] == 1:
        return np.repeat(h, 2, axis=1)
    return np.stack([h[:, 0] + h[:, 2], h[:, 1] + h[:, 3]], axis=1) * h.dtype.type(np.sqrt(0.5))


def true_stereo(left: ImpulseResponse, right: ImpulseResponse) -> ImpulseResponse:
    """Make true stereo from two stereo recordings of a room, one with the source on the left, one on the right.

    The right one is brought to the left one's sample rate; both keep their time zero, the shorter gets silence.

    Raises
    ------
    InvalidAudioError
        If either is not stereo.
    """
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
