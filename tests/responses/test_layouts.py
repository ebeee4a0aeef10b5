"""Layouts: their names, their wirings, and the allowed size of a response."""

import numpy as np
import pytest

from reverb.engine import routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.layouts import (
    MAX_SAMPLES,
    MONO,
    STEREO,
    TRUE_STEREO,
    as_columns,
    dtype_within_limit,
    layout_name,
    parse_layout,
    usual_wiring,
)
from reverb.responses.response import ImpulseResponse


@pytest.mark.parametrize(
    ("text", "channels"),
    [("mono", 1), ("stereo", 2), ("true-stereo", 4), ("parallel", 3), ("2x4", 8), ("2×4", 8), ("2X4", 8)],
)
def test_a_layout_has_its_name_again(text: str, channels: int) -> None:
    wiring = parse_layout(text, channels)
    assert wiring.responses == channels
    assert layout_name(wiring) == text.lower().replace("x", "×")


def test_usual_numbers_of_channels_have_a_wiring() -> None:
    assert [usual_wiring(n) for n in (1, 2, 4)] == [MONO, STEREO, TRUE_STEREO]
    assert layout_name(routing.matrix(1, 2)) == "1×2"
    with pytest.raises(InvalidAudioError, match=r"^a file has 6 channels; expected 1 "):
        usual_wiring(6, "a file")


@pytest.mark.parametrize("text", ["surround", "2x", "x2", "0x2", "2x0", "-1x2", "2x257", "", "2x2x2"])
def test_an_unknown_layout_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="expected mono, stereo, true-stereo"):
        ImpulseResponse([1.0], 48_000, wiring=text)


@pytest.mark.parametrize("text", [None, 3, float("nan"), ["mono"]])
def test_a_layout_that_is_not_text_is_refused(text: object) -> None:
    with pytest.raises(ParameterError, match="expected mono, stereo, true-stereo"):
        parse_layout(text, 1)  # type: ignore[arg-type]


def test_large_responses_are_float32_and_larger_ones_refused() -> None:
    assert dtype_within_limit(1000, 2, np.float64, "it") == np.float64
    assert dtype_within_limit(MAX_SAMPLES // 2, 2, np.float64, "it") == np.float32
    with pytest.raises(InvalidAudioError, match=r"^it would have"):
        dtype_within_limit(MAX_SAMPLES, 2, np.float32, "it")


def test_mono_sound_becomes_a_column() -> None:
    assert as_columns([1, 2, 3], "it").shape == (3, 1)
    assert as_columns(np.zeros((3, 2), np.float32), "it").dtype == np.float64
