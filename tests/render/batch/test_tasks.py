"""Settings of a batch: wrong values are refused before any file is read."""

from typing import Any

import numpy as np
import pytest

from reverb.errors import ParameterError
from reverb.render.settings import RenderSettings


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"tail": "no"}, "tail is 'no'; expected True or False"),
        ({"tail": None}, "tail is None; expected True or False"),
        ({"tail": np.True_}, "tail is .*True.*; expected True or False"),
        ({"match_loudness": 1}, "match_loudness is 1; expected True or False"),
        ({"dither": "triangular"}, "dither is 'triangular'; expected True, False, or None"),
        ({"floor_db": 3.0}, "floor_db is 3 dB; expected a number up to 0 dB"),
        ({"floor_db": float("nan")}, "floor_db is nan dB; expected a number up to 0 dB"),
        ({"floor_db": "-60"}, "floor_db is '-60'; expected a number up to 0 dB"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint):
        RenderSettings(**values)


@pytest.mark.parametrize(
    "values",
    [{"tail": False}, {"dither": None}, {"dither": False}, {"floor_db": 0}, {"floor_db": -float("inf")}],
)
def test_allowed_values_are_kept(values: dict[str, Any]) -> None:
    settings = RenderSettings(**values)
    assert {name: getattr(settings, name) for name in values} == values
