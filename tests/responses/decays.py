"""Synthetic decays for the tests of responses, and the decay times of results."""

import numpy as np

from reverb.responses.acoustics import measure
from reverb.responses.response import ImpulseResponse

RATE = 24_000


def decay(
    seconds: float, rt60: float, channels: int = 1, floor_db: float = -np.inf, seed: int = 1
) -> ImpulseResponse:
    """Exponentially decaying noise at 24 kHz on a floor of steady noise."""
    frames = round(seconds * RATE)
    rng = np.random.default_rng(seed)
    envelope = 10 ** (-3 * np.arange(frames) / (rt60 * RATE))[:, np.newaxis]
    clean = envelope * rng.standard_normal((frames, channels))
    return ImpulseResponse(clean + 10 ** (floor_db / 20) * rng.standard_normal(clean.shape), RATE, "noise")


def t30(response: ImpulseResponse) -> dict[float, float]:
    """T30 per octave, by the nominal center in Hz."""
    return {b.centre or 0: b.t30.seconds for b in measure(response.samples, response.sample_rate).mean}


def broadband_t30(response: ImpulseResponse) -> float:
    """T30 of the whole range."""
    return measure(response.samples, response.sample_rate, bands="broadband").mean[0].t30.seconds
