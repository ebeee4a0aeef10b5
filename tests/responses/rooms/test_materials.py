"""Values per octave by name, number, and mapping."""

import pytest

from reverb.errors import ParameterError, UnknownNameError
from reverb.responses.rooms.materials import CARPET, MATERIALS, octave_times, surface_bands


def test_surfaces_by_name_and_number() -> None:
    assert surface_bands("carpet", MATERIALS) == CARPET
    assert surface_bands("0.3", MATERIALS) == (0.3,) * 7
    assert surface_bands("0.1,0.2,0.3,0.4,0.5,0.6,0.7", MATERIALS)[6] == 0.7
    with pytest.raises(UnknownNameError, match="expected one of stone"):
        surface_bands("marmalade", MATERIALS)
    with pytest.raises(ParameterError, match="has 2 numbers"):
        surface_bands("0.1,0.2", MATERIALS)


def test_decay_times_are_interpolated_between_octaves() -> None:
    assert octave_times(1.5) == pytest.approx((1.5,) * 7)
    times = octave_times({250.0: 2.0, 1000.0: 0.5})
    assert times == pytest.approx((2.0, 2.0, 1.0, 0.5, 0.5, 0.5, 0.5))
    for wrong in ({}, {900.0: 1.0}, {"low": 1.0}, {125.0: None}, None, "2", float("nan"), 0.0, 31.0):
        with pytest.raises(ParameterError, match="expected"):
            octave_times(wrong)  # type: ignore[arg-type]
