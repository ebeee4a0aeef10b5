"""Taps for a magnitude: within the tolerance by the definition of the transform, few, and with exact zeros."""

import numpy as np
import pytest

from reverb.choices import PHASES, Phase
from reverb.effects.design.magnitude import approximate, deviation
from reverb.errors import ParameterError
from tests.effects.transforms import gain_at
from tests.signals import Signal

RATE = 48_000
FREQUENCIES = np.geomspace(5, 23_900, 400)


def _bump(frequencies: Signal) -> Signal:
    """A gain of 6 dB around 2 kHz, an octave wide."""
    octaves = np.log2(np.maximum(frequencies, 1.0) / 2000)
    bump: Signal = 10 ** (6 * np.exp(-(octaves**2)) / 20)
    return bump


def _notch(frequencies: Signal) -> Signal:
    ratio = frequencies / 1000
    below = np.abs(1 - ratio * ratio)
    gain: Signal = below / np.hypot(below, ratio / 2)
    return gain


@pytest.mark.parametrize("tolerance", [0.01, 0.5])
@pytest.mark.parametrize("phase", PHASES)
def test_the_tolerance_is_kept_and_the_deviation_told(phase: Phase, tolerance: float) -> None:
    taps, latency, told = approximate(_bump, RATE, phase, tolerance)
    error = np.abs(gain_at(taps, FREQUENCIES, RATE) / _bump(FREQUENCIES) - 1)
    assert 20 * np.log10(1 + error.max()) <= 1.001 * told
    assert told <= tolerance
    assert told == pytest.approx(deviation(taps, _bump, RATE), rel=0.05)
    assert (latency == 0) == (phase == "minimum")


def test_more_tolerance_takes_fewer_taps() -> None:
    counts = [len(approximate(_bump, RATE, "minimum", tolerance).taps) for tolerance in (0.001, 0.1, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0] / 2


def test_a_magnitude_with_a_zero_is_followed_beside_it() -> None:
    taps = approximate(_notch, RATE, "minimum", 0.02, zeros=[1000.0]).taps
    assert gain_at(taps, np.array([1000.0]), RATE)[0] < 1e-3
    beside = np.array([200.0, 800.0, 1300.0, 9000.0])
    assert np.abs(20 * np.log10(gain_at(taps, beside, RATE) / _notch(beside))).max() < 0.021


def test_a_curve_that_is_too_fine_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"takes more than .* taps.*expected a smoother curve"):
        approximate(lambda hz: 1.0 + (np.floor(hz * 500) % 2), 8000, "linear", 1e-4, resolution=0.01)
