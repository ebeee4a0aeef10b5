"""Designs by every method and phase, against their specification by the definition of the transform."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reverb.choices import METHODS, Method, Phase
from reverb.effects.filters import BandPass, BandStop, Filter, HighPass, LowPass
from reverb.errors import ParameterError
from tests.effects.transforms import gain_at
from tests.signals import Signal

RATES = (8000, 44_100, 96_000, 192_000)


def _low_pass(rate: int, cutoff: float, width: float, **more: Any) -> tuple[Filter, Signal, Signal]:
    spec = LowPass(cutoff * rate, transition=width * rate, **more)
    passing = np.linspace(0, (cutoff - width / 2) * rate, 801)
    return spec, passing, np.linspace((cutoff + width / 2) * rate, rate / 2, 801)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("cutoff", "width"), [(0.05, 0.05), (0.24, 0.04), (0.42, 0.1)])
def test_ripple_and_attenuation_are_reached(method: Method, rate: int, cutoff: float, width: float) -> None:
    spec, passing, stopping = _low_pass(rate, cutoff, width, attenuation=70, ripple=0.02, method=method)
    report = spec.report(rate)
    taps = spec.response(rate).samples[:, 0]
    assert len(taps) == report.taps
    assert -20 * np.log10(gain_at(taps, stopping, rate).max()) >= 69.99
    assert np.abs(20 * np.log10(gain_at(taps, passing, rate))).max() <= 0.02001
    # The report says what the transform finds, at the band's borders and between.
    assert report.attenuation == pytest.approx(-20 * np.log10(gain_at(taps, stopping, rate).max()), abs=0.3)
    assert report.ripple <= 0.02


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spec", [HighPass, BandPass, BandStop])
def test_other_kinds_are_met_by_every_method(spec: type[Filter], method: Method) -> None:
    edges = (2000.0,) if spec is HighPass else (2000.0, 5000.0)
    effect = spec(*edges, transition=900, attenuation=60, method=method)
    report = effect.report(32_000)
    assert report.attenuation is not None
    assert report.attenuation >= 60
    assert report.ripple < 0.06


@pytest.mark.parametrize("rate", [8000, 48_000, 192_000])
@pytest.mark.parametrize("attenuation", [40, 80, 110])
def test_mixed_phase_meets_the_attenuation_with_less_pre_ringing(rate: int, attenuation: float) -> None:
    spec, passing, stopping = _low_pass(rate, 0.2, 0.03, attenuation=attenuation, phase="mixed")
    mixed = spec.response(rate)
    taps = mixed.samples[:, 0]
    assert -20 * np.log10(gain_at(taps, stopping, rate).max()) >= attenuation - 0.05
    assert np.abs(gain_at(taps, passing, rate) - 1).max() <= 10 ** (-(attenuation - 5) / 20)
    linear = _low_pass(rate, 0.2, 0.03, attenuation=attenuation)[0].report(rate)
    assert spec.report(rate).pre_ringing_seconds <= 0.85 * linear.pre_ringing_seconds
    assert spec.report(rate).pre_ringing < linear.pre_ringing - 3
    assert mixed.latency == pytest.approx(linear.latency, rel=0.15)


@pytest.mark.parametrize("phase", ["minimum", "mixed"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("attenuation", "ripple"), [(25, 0.01), (60, 0.5), (110, 0.001)])
def test_every_phase_of_every_method_is_to_specification(
    method: Method, phase: Phase, attenuation: float, ripple: float
) -> None:
    rate = 44_100
    spec, passing, stopping = _low_pass(
        rate, 0.1, 0.04, attenuation=attenuation, ripple=ripple, method=method, phase=phase
    )
    taps = spec.response(rate).samples[:, 0]
    assert -20 * np.log10(gain_at(taps, stopping, rate).max()) >= attenuation - 0.001
    assert np.abs(20 * np.log10(gain_at(taps, passing, rate))).max() <= 1.001 * ripple


def test_equiripple_takes_the_fewest_taps() -> None:
    counts = {
        method: LowPass(1000, transition=300, attenuation=80, method=method).report(48_000).taps
        for method in METHODS
    }
    assert counts["equiripple"] < counts["kaiser"] < counts["least-squares"]


def test_the_report_tells_delay_and_pre_ringing() -> None:
    linear = LowPass(1000).report(48_000)
    assert linear.latency == (linear.taps - 1) // 2
    assert linear.delay == pytest.approx(linear.latency / 48_000)
    assert linear.pre_ringing > -20
    minimum = LowPass(1000, phase="minimum").report(48_000)
    assert (minimum.latency, minimum.taps) == (0, linear.taps)
    assert minimum.pre_ringing < linear.pre_ringing - 40
    assert minimum.delay < 0.2 * linear.delay
    assert f"{linear.taps} taps at 48000 Hz" in str(linear)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: LowPass(100, method="butter"),  # type: ignore[arg-type]
            "method is 'butter'; expected 'kaiser' or 'least-squares' or 'equiripple'",
        ),
        (lambda: LowPass(100, ripple=0), "ripple is 0; expected a number from 1e-06 to 3 dB"),
        (lambda: LowPass(100, ripple=math.nan), "ripple is nan dB; expected a number from"),
        (
            lambda: LowPass(100, method="equiripple").report(48_000),
            "at most 2047 are built.*or the method kaiser",
        ),
        (
            lambda: LowPass(9000, attenuation=150, method="equiripple").report(48_000),
            "expected at most 140 dB.*Use the method kaiser",
        ),
    ],
)
def test_what_a_method_cannot_do_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()
