"""Phases: the magnitude is kept, and the energy comes around time zero, early, or in between."""

import numpy as np
import pytest

from reverb.choices import PHASES, Phase
from reverb.effects.design.phases import (
    Zeros,
    impulse_response,
    magnitudes,
    minimum_phase_taps,
    mixed_phase_taps,
)
from reverb.effects.design.specify import Specification, design
from tests.effects.transforms import gain_at
from tests.signals import Signal, gaussian

RATE = 48_000
TAPS = design(Specification("lowpass", (6000.0,), 2000.0, 60.0, None, RATE))
FREQUENCIES = np.linspace(0, RATE / 2, 501)


@pytest.mark.parametrize("phase", ["minimum", "mixed"])
def test_the_magnitude_is_kept(phase: Phase) -> None:
    taps = minimum_phase_taps(TAPS) if phase == "minimum" else mixed_phase_taps(TAPS)[0]
    difference = gain_at(taps, FREQUENCIES, RATE) - gain_at(TAPS, FREQUENCIES, RATE)
    assert np.abs(difference).max() < 1e-3


def test_mixed_phase_lies_between_the_others() -> None:
    mixed, zero = mixed_phase_taps(TAPS)
    assert (len(mixed), zero) == (len(TAPS) + len(TAPS) // 2, len(TAPS) // 2)
    before = [(taps[:start] ** 2).sum() / (taps**2).sum() for taps, start in ((mixed, zero), (TAPS, zero))]
    assert 0 < before[0] < before[1] / 2


def _decaying_spectrum(size: int) -> Signal:
    return 1 / (1 + np.linspace(0, 3, size // 2 + 1) ** 2)


@pytest.mark.parametrize("phase", PHASES)
def test_a_response_has_its_magnitude_and_its_time_zero(phase: Phase) -> None:
    magnitude = _decaying_spectrum(1024)
    response, zero = impulse_response(magnitude, phase)
    assert np.abs(np.abs(np.fft.rfft(response)) - magnitude).max() < 1e-6
    assert zero == (0 if phase == "minimum" else 512)
    early = (response[:zero] ** 2).sum() / (response**2).sum()
    assert (early > 0) == (phase != "minimum")
    if phase == "linear":
        assert np.abs(response[1:] - response[1:][::-1]).max() < 1e-12


def test_a_zero_in_the_magnitude_turns_the_phase_at_once() -> None:
    # 1 − z⁻¹ has a zero at 0 Hz, and is its own response of minimum phase.
    angles = np.linspace(0, np.pi, 513)
    gain = 2 * np.sin(angles / 2)
    zeros = Zeros(gain, np.pi / 2 - angles / 2, np.ones(513))
    response, _ = impulse_response(gain, "minimum", zeros)
    expected = np.zeros(1024)
    expected[:2] = 1.0, -1.0
    # The phase of the real bin at the Nyquist frequency is exact as well.
    assert np.abs(response - expected).max() < 1e-9


@pytest.mark.parametrize("points", [1 << 10, 1 << 18])
def test_magnitudes_in_parts_are_those_of_one_transform(points: int) -> None:
    taps = gaussian(300)
    expected = np.abs(np.fft.fft(taps, points))
    seen = 0
    for frequencies, magnitude in magnitudes(taps, points):
        bins = np.rint(frequencies * points).astype(int) % points
        assert np.abs(magnitude - expected[bins]).max() < 1e-9
        seen += len(bins)
    assert seen > points // 2
