"""The settings of a rendering: ranges, contradictions, and defaults that agree with `process_file`."""

import inspect
import math
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pytest

from reverb import process_file
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
        ({"floor_db": math.nan}, "floor_db is nan dB; expected a number up to 0 dB"),
        ({"floor_db": "-60"}, "floor_db is '-60'; expected a number up to 0 dB"),
        ({"normalize": "loud"}, "normalize is 'loud'; expected 'none' or 'peak'"),
        ({"gain": math.nan}, "gain is nan dB; expected a number up to 120 dB"),
        ({"gain": 121}, "gain is 121; expected a number up to 120 dB"),
        ({"gain": None}, "gain is None"),
        ({"loudness": 3}, "loudness is 3; expected a number from -70 to 0 LUFS"),
        ({"loudness": math.nan}, "loudness is nan LUFS"),
        ({"ceiling": 1}, "ceiling is 1; expected a number from -60 to 0 dBTP"),
        ({"container": "SHN"}, "format 'SHN'; expected one of AIFF"),
        ({"container": 3}, "format is 3; expected one of AIFF"),
        ({"subtype": 16}, "subtype is 16; expected a name"),
        (
            {"loudness": -16, "match_loudness": True},
            "normalize, match_loudness and loudness all set the level",
        ),
        ({"normalize": "peak", "match_loudness": True}, "give one of them"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint):
        RenderSettings(**values)


@pytest.mark.parametrize(
    "values",
    [
        *({"tail": False}, {"dither": None}, {"dither": False}, {"floor_db": 0}, {"floor_db": -math.inf}),
        *({"gain": -math.inf}, {"gain": 120}, {"container": "flac"}, {"loudness": -70}, {"ceiling": -60}),
    ],
)
def test_allowed_values_are_kept(values: dict[str, Any]) -> None:
    settings = RenderSettings(**values)
    assert {name: getattr(settings, name) for name in values} == values


def test_numbers_become_plain_floats() -> None:
    values: dict[str, Any] = {"gain": np.float32(-3), "loudness": np.int64(-16)}
    settings = RenderSettings(**values)
    assert {type(value) for value in (settings.gain, settings.loudness)} == {float}


def test_process_file_has_the_same_parameters_and_defaults() -> None:
    parameters = inspect.signature(process_file).parameters
    given = {field.name: parameters[field.name].default for field in fields(RenderSettings)}
    assert given == asdict(RenderSettings())


@pytest.mark.parametrize(
    ("values", "first_pass", "loudness"),
    [
        ({}, False, False),
        ({"gain": -3}, False, False),
        ({"normalize": "peak"}, True, False),
        ({"match_loudness": True}, True, True),
        ({"loudness": -16}, True, True),
        ({"ceiling": -1}, True, True),
    ],
)
def test_only_levels_that_depend_on_the_output_need_a_first_pass(
    values: dict[str, Any], first_pass: bool, loudness: bool
) -> None:
    settings = RenderSettings(**values)
    assert (settings.needs_first_pass, settings.needs_loudness) == (first_pass, loudness)
