"""Equalizers against the analog prototypes' closed forms, evaluated by SciPy's polynomials in s."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, freqs

from reverb.effects.equalizers import Equalizer, HighCut, HighShelf, LowCut, LowShelf, Notch, Peak, Tilt
from reverb.errors import ParameterError
from tests.effects.transforms import gain_db
from tests.signals import Signal

Polynomials = tuple[list[float], list[float]]
RATES = (8000, 44_100, 192_000)


def _prototype(b: Sequence[float], a: Sequence[float], frequency: float, frequencies: Signal) -> Signal:
    return 20 * np.log10(np.maximum(np.abs(freqs(b, a, frequencies / frequency)[1]), 1e-12))


def _peak(e: Peak) -> Polynomials:
    A = 10 ** (e.gain_db / 40)
    return [1, A / e.q, 1], [1, 1 / (A * e.q), 1]


def _low_shelf(e: LowShelf) -> Polynomials:
    A = 10 ** (e.gain_db / 40)
    return [A, A * math.sqrt(A) / e.q, A * A], [A, math.sqrt(A) / e.q, 1]


def _high_shelf(e: HighShelf) -> Polynomials:
    A = 10 ** (e.gain_db / 40)
    return [A * A, A * math.sqrt(A) / e.q, A], [1, math.sqrt(A) / e.q, A]


PROTOTYPES: dict[Callable[[float, float, float], Equalizer], Callable[..., Polynomials]] = {
    Peak: _peak,
    LowShelf: _low_shelf,
    HighShelf: _high_shelf,
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", PROTOTYPES)
def test_shelves_and_peaks_follow_the_prototypes(
    kind: Callable[[float, float, float], Equalizer], rate: int
) -> None:
    @settings(deadline=None, derandomize=True, max_examples=12)
    @given(st.floats(0.002, 0.4), st.floats(-24, 24), st.floats(0.3, 8))
    def holds(place: float, gain: float, q: float) -> None:
        effect = kind(place * rate, gain, q)
        frequencies = np.geomspace(0.0005, 0.4, 60) * rate
        expected = _prototype(*PROTOTYPES[kind](effect), place * rate, frequencies)
        assert np.abs(gain_db(effect, rate, frequencies) - expected).max() <= 0.021

    holds()


@pytest.mark.parametrize("phase", ["minimum", "linear", "mixed"])
@pytest.mark.parametrize(
    "effect", [Peak(3000, 9, 2), LowShelf(200, -7), HighShelf(6000, 5), Tilt(4, 800), HighCut(9000, 24)]
)
def test_every_phase_has_the_same_magnitude(effect: Equalizer, phase: str) -> None:
    effect = replace(effect, phase=phase)  # type: ignore[arg-type]
    response = effect.response(48_000)
    assert (response.latency == 0) == (phase == "minimum")
    frequencies = np.geomspace(10, 23_900, 80)
    wanted = 20 * np.log10(effect.magnitude(frequencies))
    assert np.abs(gain_db(effect, 48_000, frequencies) - wanted).max() <= 0.021
    if phase == "linear":
        taps = response.samples[:, 0]
        assert np.abs(taps - taps[::-1]).max() < 1e-12


def test_minimum_phase_turns_as_the_prototype_does() -> None:
    """A phase that is no more than its magnitude demands is the circuit's own, far below the Nyquist frequency."""
    effect = Peak(1000, 6, 1)
    taps = effect.response(192_000).samples[:, 0]
    frequencies = np.geomspace(100, 8000, 40)
    actual = np.exp(-2j * np.pi * np.outer(frequencies / 192_000, np.arange(len(taps)))) @ taps
    expected = freqs(*_peak(effect), frequencies / 1000)[1]
    assert np.abs(np.angle(actual / expected)).max() < 0.01


def test_tilt_turns_about_its_pivot() -> None:
    gains = gain_db(Tilt(3), 48_000, np.array([20.0, 1000.0, 23_000.0]))
    assert gains == pytest.approx([-3, 0, 3], abs=0.05)
    b, a = [10 ** (6 / 20), 1], [1, 10 ** (6 / 20)]
    frequencies = np.geomspace(20, 18_000, 50)
    assert gain_db(Tilt(6, 500), 44_100, frequencies) == pytest.approx(
        _prototype(b, a, 500, frequencies), abs=0.021
    )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("slope", [6, 12, 24, 48])
def test_cuts_are_butterworths(slope: int, rate: int) -> None:
    frequencies = np.geomspace(20, 0.4 * rate, 50)
    cuts: list[tuple[LowCut | HighCut, Literal["high", "low"]]] = [
        (LowCut(100, slope), "high"),
        (HighCut(1500, slope), "low"),
    ]
    for effect, kind in cuts:
        edge = effect.frequency
        b, a = (list(part) for part in butter(slope // 6, 1.0, kind, analog=True))
        expected = _prototype(b, a, edge, frequencies)
        heard = expected > -59
        assert np.abs(gain_db(effect, rate, frequencies) - expected)[heard].max() <= 0.021
        assert gain_db(effect, rate, frequencies)[~heard].max(initial=-99) < -55


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_a_notch_takes_out_the_hum_and_its_harmonics(rate: int) -> None:
    effect = Notch(50, q=20, harmonics=4)
    hum = np.array([50.0, 100.0, 150.0, 200.0])
    assert gain_db(effect, rate, hum).max() < -50
    beside = np.array([40.0, 60.0, 75.0, 125.0, 250.0, 1000.0])
    expected = sum(_prototype([1, 0, 1], [1, 1 / (20 * n), 1], 50 * n, beside) for n in range(1, 5))
    assert gain_db(effect, rate, beside) == pytest.approx(expected, abs=0.021)


def test_the_report_tells_the_deviation() -> None:
    report = Peak(200, 6).report(48_000)
    assert 0 < report.ripple <= 0.02
    assert report.attenuation is None
    fewer = Peak(200, 6, tolerance=0.5).report(48_000)
    assert fewer.taps < report.taps
    assert "attenuation" not in str(fewer)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Peak(0, 3), "frequency is 0; expected a number from 0.001 to 1e\\+06 Hz"),
        (lambda: Peak(math.nan, 3), "frequency is nan Hz"),
        (lambda: Peak(100, 61), "gain_db is 61; expected a number from -60 to 60 dB"),
        (lambda: LowShelf(100, 3, 0), "q is 0; expected a number from 0.05 to 1000"),
        (lambda: HighShelf(100, math.inf), "gain_db is inf dB"),
        (lambda: Peak(100, 3, phase="zero"), "phase is 'zero'; expected 'linear' or 'minimum' or 'mixed'"),  # type: ignore[arg-type]
        (lambda: Peak(100, 3, tolerance=0), "tolerance is 0; expected a number from 0.0001 to 3 dB"),
        (lambda: Notch(50, phase="linear"), "phase 'linear' of a notch; expected minimum.*Use BandStop"),
        (lambda: Notch(50, harmonics=1.5), "harmonics is 1.5; expected a whole number from 1 to 100"),  # type: ignore[arg-type]
        (lambda: LowCut(50, 20), "slope 20 dB per octave; expected a multiple of 6, from 6 to 96"),
        (lambda: Peak(0.01, 40, 1000).response(8000), "tolerance 0.02 dB takes more than .* taps.*a lower q"),
    ],
)
def test_nonsense_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()
