"""Equiripple design: its error alternates; the taps are those of SciPy where that converges, and reach further."""

import numpy as np
import pytest
from scipy.signal import remez

from reverb.effects.design.remez import equiripple
from reverb.effects.design.specify import Specification, design, measure
from reverb.effects.filters import BandPass, BandStop, Filter, HighPass, LowPass
from tests.signals import Signal

Bands = list[tuple[float, float]]


def _errors(taps: Signal, bands: Bands, gains: list[float], weights: list[float]) -> list[Signal]:
    """The weighted error in each band, by the definition of the transform."""
    degree = len(taps) // 2
    errors = []
    for (low, high), gain, weight in zip(bands, gains, weights, strict=True):
        places = np.linspace(low, high, 4001)
        actual = taps[degree] + 2 * np.cos(np.outer(places, np.arange(1, degree + 1))) @ taps[degree + 1 :]
        errors.append(weight * (actual - gain))
    return errors


CASES: dict[str, tuple[int, Bands, list[float], list[float]]] = {
    "low-pass": (61, [(0, 0.8), (1.0, np.pi)], [1, 0], [1, 30]),
    "high-pass": (41, [(0, 1.2), (1.5, np.pi)], [0, 1], [5, 1]),
    "band-pass": (101, [(0, 0.4), (0.5, 1.4), (1.5, np.pi)], [0, 1, 0], [1, 1, 1]),
    "band-stop": (87, [(0, 1.0), (1.15, 1.9), (2.05, np.pi)], [1, 0, 1], [1, 10, 1]),
    "tiny stop band": (377, [(0, 0.008), (0.07, np.pi)], [0, 1], [1, 0.01]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_error_alternates_as_chebyshevs_theorem_says(case: str) -> None:
    count, bands, gains, weights = CASES[case]
    taps = equiripple(count, bands, gains, weights)
    assert taps is not None
    assert np.abs(taps - taps[::-1]).max() < 1e-12
    errors = _errors(taps, bands, gains, weights)
    level = max(float(np.abs(error).max()) for error in errors)
    # Nearly as large as the largest, with signs that alternate, at two more places than the polynomial has degrees.
    signs = np.concatenate([np.sign(error[np.abs(error) > 0.97 * level]) for error in errors])
    assert np.count_nonzero(np.diff(signs)) + 1 >= count // 2 + 2


@pytest.mark.parametrize("case", [case for case in CASES if "tiny" not in case])
def test_scipy_finds_the_same_filter(case: str) -> None:
    count, bands, gains, weights = CASES[case]
    taps = equiripple(count, bands, gains, weights)
    borders = [border for band in bands for border in band]
    expected = remez(count, borders, gains, weight=weights, fs=2 * np.pi, grid_density=64)
    assert taps is not None
    assert np.abs(taps - expected).max() < 2e-3 * max(
        float(np.abs(error).max()) for error in _errors(expected, bands, gains, [1.0] * len(bands))
    )


# SciPy's remez gives up on each of these, with these taps and with all numbers of taps up to some tens more.
HARD: list[tuple[Filter, int]] = [
    (HighPass(77.8, transition=75.1, attenuation=120, method="equiripple"), 8000),
    (BandStop(494, 947, transition=178, attenuation=100, method="equiripple"), 8000),
    (BandStop(2344, 6073, transition=3138, attenuation=120, method="equiripple"), 44_100),
    (BandPass(2148, 4005, transition=1688, attenuation=120, ripple=0.01, method="equiripple"), 96_000),
    (LowPass(900, transition=300, attenuation=90, method="equiripple"), 44_100),
]


@pytest.mark.parametrize(("effect", "rate"), HARD)
def test_hard_specifications_are_met(effect: Filter, rate: int) -> None:
    spec = effect.specification(rate)
    reached = measure(design(spec, "equiripple"), spec)
    assert reached.attenuation >= spec.attenuation
    assert reached.ripple <= 20 * np.log10(1 + spec.deviations[0]) * 1.000001


def test_what_cannot_be_settled_is_none() -> None:
    assert equiripple(1201, [(0, 0.0001), (3.1, 3.1001)], [1, 0], [1, 1e9]) is None


def test_the_gain_does_not_rise_between_the_bands() -> None:
    spec = Specification("bandpass", (3000.0, 9000.0), 1000.0, 60.0, 0.1, 48_000)
    assert 20 * np.log10(np.abs(np.fft.rfft(design(spec, "equiripple"), 1 << 15)).max()) < 0.11
