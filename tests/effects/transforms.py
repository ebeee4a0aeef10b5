"""The response of taps by the definition of the transform, independent of the package's own measurements."""

import numpy as np

from reverb.arrays import Audio
from reverb.effects.effect import HasResponse
from tests.signals import Signal


def gain_at(taps: Audio, frequencies: Signal, sample_rate: int) -> Signal:
    """Linear gain of taps at frequencies in Hz."""
    turns = np.outer(frequencies / sample_rate, np.arange(len(taps)))
    gain: Signal = np.abs(np.exp(-2j * np.pi * turns) @ taps)
    return gain


def gain_db(effect: HasResponse, sample_rate: int, frequencies: Signal) -> Signal:
    """Gain of a mono effect in dB at frequencies in Hz."""
    gain = gain_at(effect.response(sample_rate).samples[:, 0], frequencies, sample_rate)
    level: Signal = 20 * np.log10(np.maximum(gain, 1e-12))
    return level
