"""Decibels and K-weighting, against closed forms, scipy's freqz and the standard's own figures."""

import math

import numpy as np
import pytest

from reverb.levels import from_db, k_weighting, to_db


@pytest.mark.parametrize(
    ("ratio", "db"), [(1, 0), (10, 20), (0.001, -60), (2, 6.0206), (math.sqrt(0.5), -3.0103)]
)
def test_decibels_of_amplitude(ratio: float, db: float) -> None:
    assert to_db(ratio) == pytest.approx(db, abs=1e-4)
    assert from_db(db) == pytest.approx(ratio, rel=1e-5)


def test_silence_is_minus_infinity() -> None:
    assert to_db(0.0) == -math.inf
    assert from_db(-math.inf) == 0.0


def test_k_weighting_has_the_standards_shape() -> None:
    db = 10 * np.log10(k_weighting([20.0, 100.0, 997.0, 10_000.0]))
    # BS.1770: a full-scale sine of 997 Hz in one channel reads -3.01 LKFS, with the offset of -0.691 dB.
    assert db[2] == pytest.approx(0.691, abs=0.01)
    assert db[3] == pytest.approx(4.0, abs=0.1)  # the head's shelf
    assert db[1] == pytest.approx(-1.1, abs=0.2)
    assert db[0] < -10  # the revised low-frequency roll-off


def test_k_weighting_is_that_of_pyloudnorm() -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    from scipy.signal import freqz

    frequencies = np.geomspace(20, 20_000, 50)
    power = np.ones(50)
    for stage in pyloudnorm.Meter(48_000)._filters.values():
        power *= np.abs(freqz(stage.b, stage.a, frequencies, fs=48_000)[1]) ** 2 * stage.passband_gain**2
    difference = 10 * np.log10(k_weighting(frequencies) / power)
    assert np.abs(difference).max() < 0.1  # pyloudnorm derives its filters anew for each rate
