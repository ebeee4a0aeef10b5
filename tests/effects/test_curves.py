"""Weightings and RIAA against their standards' tables, and curves through points."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import sosfreqz

from reverb.effects.curves import Curve, RiaaCurve, Weighting
from reverb.errors import ParameterError
from tests.effects.transforms import gain_db

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
        gains = gain_db(Weighting(curve, phase=phase), 48_000, exact)  # type: ignore[arg-type]
        assert gains == pytest.approx([row[column] for row in IEC.values()], abs=0.08)


def test_k_weighting_is_bs_1770s() -> None:
    sos = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
        [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
    ]
    frequencies = np.geomspace(5, 23_000, 60)
    _, gain = sosfreqz(sos, frequencies, fs=48_000)
    assert gain_db(Weighting("K"), 48_000, frequencies) == pytest.approx(
        20 * np.log10(np.abs(gain)), abs=0.021
    )


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
    played = gain_db(RiaaCurve(), 96_000, frequencies)
    assert played == pytest.approx(list(RIAA_TABLE.values()), abs=0.03)
    assert gain_db(RiaaCurve(recording=True), 96_000, frequencies) + played == pytest.approx(0, abs=0.04)


def test_a_curve_goes_through_its_points_and_no_further() -> None:
    points = [(50.0, -6.0), (200.0, 3.0), (201.0, 3.0), (1000.0, 0.0), (8000.0, -12.0)]
    effect = Curve(points)
    gains = gain_db(effect, 48_000, np.array([20.0, *(f for f, _ in points), 20_000.0]))
    assert gains == pytest.approx([-6, -6, 3, 3, 0, -12, -12], abs=0.11)
    between = gain_db(effect, 48_000, np.geomspace(10, 23_000, 200))
    assert between.max() < 3.11
    assert between.min() > -12.11
    flat = Curve(((1000, -4),)).response(8000)
    assert flat.samples[:, 0].tolist() == pytest.approx([10 ** (-4 / 20)])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Weighting("B"), "curve is 'B'; expected 'A' or 'C' or 'K'"),  # type: ignore[arg-type]
        (lambda: Curve(()), "points: 0 of them; expected 1 to 65536"),
        (lambda: Curve(((100, 0, 1),)), "points: .*expected pairs of Hz and dB"),  # type: ignore[arg-type]
        (
            lambda: Curve(((100, 0), (100, 1))),
            "points: 100 Hz after 100 Hz; expected frequencies above 0 Hz that rise",
        ),
        (lambda: Curve(((100, 99),)), "points: gain at 100 Hz is 99; expected a number from -200 to 60 dB"),
    ],
)
def test_nonsense_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()
