"""Plates: their decay times, dispersion, and plates that cannot be."""

import numpy as np
import pytest

from reverb.errors import ParameterError
from reverb.responses.rooms.plate import Plate, decay_times, plate_of_size, stiffness, synthesize_plate
from tests.responses.decays import t30


def test_a_plate_decays_as_it_should() -> None:
    made = plate_of_size((1.2, 0.7), 0.0005, rt60_low=1.2, rt60_high=0.5, turn=2600)
    response = synthesize_plate(made, 16_000)
    assert response.layout == "stereo"
    for centre in (500.0, 1000.0, 2000.0):
        assert t30(response)[centre] == pytest.approx(float(decay_times(made, centre)), rel=0.06)
    assert synthesize_plate(made, 16_000) == response


def test_plates_out_of_range() -> None:
    with pytest.raises(ParameterError, match="expected sides"):
        plate_of_size((9, 1), 0.0005, rt60_low=2, rt60_high=1, turn=2600)
    with pytest.raises(ParameterError, match="expected 'mono' or 'stereo'"):
        synthesize_plate(Plate(), 16_000, "true-stereo")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 1.0},
        {"size": (1.0, float("nan"))},
        {"thickness": 1.0},
        {"driver": (5.0, 0.5)},
        {"left": (float("nan"), 0.5)},
        {"rt60_low": 0.0},
        {"turn": 0.0},
        {"highest": None},
    ],
)
def test_a_plate_checks_its_values(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="expected"):
        Plate(**wrong)  # type: ignore[arg-type]


def test_the_first_mode_is_that_of_a_simply_supported_plate() -> None:
    made = plate_of_size((0.3, 0.2), 0.005, rt60_low=1, rt60_high=1, turn=2600)
    response = synthesize_plate(made, 8000, "mono")
    first = np.pi / 2 * stiffness(made) * (1 / 0.3**2 + 1 / 0.2**2)
    frequencies = np.fft.rfftfreq(1 << 16, 1 / 8000)
    spectrum = np.abs(np.fft.rfft(response.samples[:, 0], 1 << 16))
    spectrum[frequencies > 1.5 * first] = 0  # the second mode is at 1.9 times the first
    assert frequencies[spectrum.argmax()] == pytest.approx(first, abs=1)
