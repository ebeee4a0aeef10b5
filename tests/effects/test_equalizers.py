"""Equalizers against the analogue prototypes' closed forms, evaluated by SciPy's polynomials in s."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, freqs, sosfreqz

from reverb.effects.curves import Curve, RiaaCurve, Weighting
from reverb.effects.equalizers import Equalizer, HighCut, HighShelf, LowCut, LowShelf, Notch, Peak, Tilt
from reverb.errors import ParameterError

Array = npt.NDArray[np.float64]
Polynomials = tuple[list[float], list[float]]
RATES = (8000, 44_100, 192_000)


def _db(effect: Equalizer, rate: int, frequencies: Array) -> Array:
    """The gain in dB at frequencies, by the definition of the transform."""
    taps = effect.response(rate).samples[:, 0]
    gain = np.abs(np.exp(-2j * np.pi * np.outer(frequencies / rate, np.arange(len(taps)))) @ taps)
    return 20 * np.log10(np.maximum(gain, 1e-12))


def _prototype(b: list[float], a: list[float], frequency: float, frequencies: Array) -> Array:
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


PROTOTYPES: dict[type[Equalizer], Callable[..., Polynomials]] = {
    Peak: _peak,
    LowShelf: _low_shelf,
    HighShelf: _high_shelf,
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", PROTOTYPES)
def test_shelves_and_peaks_follow_the_prototypes(kind: type[Equalizer], rate: int) -> None:
    @settings(deadline=None, derandomize=True, max_examples=12)
    @given(st.floats(0.002, 0.4), st.floats(-24, 24), st.floats(0.3, 8))
    def holds(place: float, gain: float, q: float) -> None:
        effect = kind(place * rate, gain, q)  # type: ignore[call-arg]
        frequencies = np.geomspace(0.0005, 0.4, 60) * rate
        expected = _prototype(*PROTOTYPES[kind](effect), place * rate, frequencies)
        assert np.abs(_db(effect, rate, frequencies) - expected).max() <= 0.021

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
    assert np.abs(_db(effect, 48_000, frequencies) - wanted).max() <= 0.021
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
    gains = _db(Tilt(3), 48_000, np.array([20.0, 1000.0, 23_000.0]))
    assert gains == pytest.approx([-3, 0, 3], abs=0.05)
    b, a = [10 ** (6 / 20), 1], [1, 10 ** (6 / 20)]
    frequencies = np.geomspace(20, 18_000, 50)
    assert _db(Tilt(6, 500), 44_100, frequencies) == pytest.approx(
        _prototype(b, a, 500, frequencies), abs=0.021
    )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("slope", [6, 12, 24, 48])
def test_cuts_are_butterworths(slope: int, rate: int) -> None:
    frequencies = np.geomspace(20, 0.4 * rate, 50)
    for effect, kind in ((LowCut(100, slope), "high"), (HighCut(1500, slope), "low")):
        edge = effect.frequency
        b, a = butter(slope // 6, 1.0, kind, analog=True)
        expected = _prototype(b, a, edge, frequencies)
        heard = expected > -59
        assert np.abs(_db(effect, rate, frequencies) - expected)[heard].max() <= 0.021
        assert _db(effect, rate, frequencies)[~heard].max(initial=-99) < -55


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_a_notch_takes_out_the_hum_and_its_harmonics(rate: int) -> None:
    effect = Notch(50, q=20, harmonics=4)
    hum = np.array([50.0, 100.0, 150.0, 200.0])
    assert _db(effect, rate, hum).max() < -50
    beside = np.array([40.0, 60.0, 75.0, 125.0, 250.0, 1000.0])
    expected = sum(_prototype([1, 0, 1], [1, 1 / (20 * n), 1], 50 * n, beside) for n in range(1, 5))
    assert _db(effect, rate, beside) == pytest.approx(expected, abs=0.021)


# IEC 61672-1:2013, table 3: the weightings at nominal frequencies.
IEC = {
    31.5: (-39.4, -3.0),
    63: (-26.2, -0.8),
    125: (-16.1, -0.2),
    250: (-8.6, 0.0),
    500: (-3.2, 0.0),
    1000: (0.0, 0.0),
    2000: (1.2, -0.2),
    4000: (1.0, -0.8),
    8000: (-1.1, -3.0),
}


@pytest.mark.parametrize("phase", ["minimum", "linear"])
def test_weightings_are_the_standards(phase: str) -> None:
    exact = np.array([1000 * 10 ** (round(10 * math.log10(f / 1000)) / 10) for f in IEC])
    for column, curve in enumerate("AC"):
        gains = _db(Weighting(curve, phase=phase), 48_000, exact)  # type: ignore[arg-type]
        assert gains == pytest.approx([row[column] for row in IEC.values()], abs=0.08)


def test_k_weighting_is_bs_1770s() -> None:
    sos = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
        [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
    ]
    frequencies = np.geomspace(5, 23_000, 60)
    _, gain = sosfreqz(sos, frequencies, fs=48_000)
    assert _db(Weighting("K"), 48_000, frequencies) == pytest.approx(20 * np.log10(np.abs(gain)), abs=0.021)


# IEC 60098: playback, relative to 1 kHz.
RIAA_TABLE = {
    20: 19.27,
    50: 16.95,
    100: 13.09,
    500: 2.65,
    1000: 0.0,
    2000: -2.59,
    5000: -8.21,
    10_000: -13.73,
}


def test_riaa_is_the_standards_and_recording_its_inverse() -> None:
    frequencies = np.array(list(RIAA_TABLE), float)
    played = _db(RiaaCurve(), 96_000, frequencies)
    assert played == pytest.approx(list(RIAA_TABLE.values()), abs=0.03)
    assert _db(RiaaCurve(recording=True), 96_000, frequencies) + played == pytest.approx(0, abs=0.04)


def test_a_curve_goes_through_its_points_and_no_further() -> None:
    points = [(50.0, -6.0), (200.0, 3.0), (201.0, 3.0), (1000.0, 0.0), (8000.0, -12.0)]
    effect = Curve(points)
    gains = _db(effect, 48_000, np.array([20.0, *(f for f, _ in points), 20_000.0]))
    assert gains == pytest.approx([-6, -6, 3, 3, 0, -12, -12], abs=0.11)
    between = _db(effect, 48_000, np.geomspace(10, 23_000, 200))
    assert between.max() < 3.11
    assert between.min() > -12.11
    flat = Curve(((1000, -4),)).response(8000)
    assert flat.samples[:, 0].tolist() == pytest.approx([10 ** (-4 / 20)])


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
        (lambda: Peak(100, 3, phase="zero"), "phase is 'zero'; expected 'linear' or 'minimum' or 'mixed'"),
        (lambda: Peak(100, 3, tolerance=0), "tolerance is 0; expected a number from 0.0001 to 3 dB"),
        (lambda: Notch(50, phase="linear"), "phase 'linear' of a notch; expected minimum.*Use BandStop"),
        (lambda: Notch(50, harmonics=1.5), "harmonics is 1.5; expected a whole number from 1 to 100"),
        (lambda: LowCut(50, 20), "slope 20 dB per octave; expected a multiple of 6, from 6 to 96"),
        (lambda: Weighting("B"), "curve is 'B'; expected 'A' or 'C' or 'K'"),
        (lambda: Curve(()), "points: 0 of them; expected 1 to 65536"),
        (lambda: Curve(((100, 0, 1),)), "points: .*expected pairs of Hz and dB"),  # type: ignore[arg-type]
        (
            lambda: Curve(((100, 0), (100, 1))),
            "points: 100 Hz after 100 Hz; expected frequencies above 0 Hz that rise",
        ),
        (lambda: Curve(((100, 99),)), "points: gain at 100 Hz is 99; expected a number from -200 to 60 dB"),
        (lambda: Peak(0.01, 40, 1000).response(8000), "tolerance 0.02 dB takes more than .* taps.*a lower q"),
    ],
)
def test_nonsense_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()
