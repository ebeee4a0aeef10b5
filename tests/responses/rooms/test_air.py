"""Absorption of air, against the table of ISO 9613-2 in dB per kilometer."""

import numpy as np
import pytest

from reverb.responses.rooms.air import energy_absorption, speed_of_sound

OCTAVES = (125, 250, 500, 1000, 2000, 4000, 8000)


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"),
    [
        (10, 70, (0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117)),
        (20, 70, (0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6)),
        (15, 20, (0.6, 1.2, 2.7, 8.2, 28.2, 88.8, 202)),
    ],
)
def test_absorption_is_that_of_the_standard(
    temperature: float, humidity: float, expected: tuple[float, ...]
) -> None:
    db_per_km = 1000 * 10 * np.log10(np.e) * energy_absorption(OCTAVES, temperature, humidity)
    np.testing.assert_allclose(db_per_km, expected, rtol=0.02, atol=0.06)


def test_the_speed_of_sound_grows_with_temperature() -> None:
    assert speed_of_sound(20) == pytest.approx(343.2)
    assert speed_of_sound(0) == pytest.approx(331.3, abs=0.1)
