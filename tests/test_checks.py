"""The vocabulary of checks: what is allowed comes back, all else is named with what is allowed."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb import checks
from reverb.errors import ParameterError

NO_NUMBERS: list[Any] = [
    None,
    "1",
    "",
    b"1",
    True,
    False,
    1j,
    [1],
    np.ones(2),
    np.array(1.0),
    object(),
    math.nan,
]


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1), np.float64(0)])
def test_numbers_in_range_come_back_as_floats(value: Any) -> None:
    result = checks.in_range("mix", value, 0, 1)
    assert type(result) is float
    assert result == float(value)


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1e-9, 1.0000001, math.inf, -math.inf, 10**400])
def test_what_is_no_number_in_range_is_named(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"^mix is .+; expected a number from 0 to 1 s$"):
        checks.in_range("mix", value, 0, 1, "s")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-math.inf, 60, "a number up to 60 dB"),
        (0, math.inf, "a number of at least 0 dB"),
        (-math.inf, math.inf, "a number dB"),
    ],
)
def test_ranges_may_be_open(low: float, high: float, words: str) -> None:
    with pytest.raises(ParameterError, match=f"wet is nan dB; expected {words}"):
        checks.in_range("wet", math.nan, low, high, "dB")
    assert checks.in_range("wet", high, low, high) == high


@pytest.mark.parametrize("value", [3, 3.0, np.int16(3), np.float32(3)])
def test_whole_numbers_come_back_as_ints(value: Any) -> None:
    result = checks.whole("block_size", value, 1, 65536)
    assert type(result) is int
    assert result == 3


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, 65537, 2.5, math.inf])
def test_what_is_no_whole_number_in_range_is_named(value: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"^block_size is .+; expected a whole number from 1 to 65536 frames$"
    ):
        checks.whole("block_size", value, 1, 65536, "frames")


def test_a_word_is_one_of_those_allowed() -> None:
    allowed = ("crossfade", "spillover")
    assert checks.one_of("mode", "crossfade", allowed) == "crossfade"
    with pytest.raises(
        ParameterError,
        match=r"mode is .crossfad'; did you mean 'crossfade'. expected 'crossfade' or 'spillover'",
    ):
        checks.one_of("mode", "crossfad", allowed)
    for value in (None, 3, ["crossfade"], np.array(["crossfade"]), math.nan):
        with pytest.raises(ParameterError, match=r"mode is .*; expected 'crossfade' or 'spillover'"):
            checks.one_of("mode", value, allowed)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(ParameterError) as error:
        checks.in_range("mix", np.zeros(100_000), 0, 1)
    assert len(str(error.value)) < 300


def test_an_instance_is_of_its_type() -> None:
    assert checks.instance("name", "hall", str) == "hall"
    with pytest.raises(ParameterError, match=r"name is 3; expected a name or a path"):
        checks.instance("name", 3, str, "a name or a path")


@pytest.mark.parametrize("value", [None, 0, 1, 1.0, "yes", np.True_, np.zeros(3)])
def test_a_flag_is_true_or_false(value: Any) -> None:
    assert checks.flag("overwrite", True) is True
    with pytest.raises(ParameterError, match=r"overwrite is .*; expected True or False"):
        checks.flag("overwrite", value)


@pytest.mark.parametrize("value", [None, 3, True, b"in.wav", "", "in\0.wav", ["in.wav"], math.nan])
def test_a_path_is_text_or_a_path(value: Any) -> None:
    assert checks.file_path("source", "in.wav") == checks.file_path("source", Path("in.wav")) == "in.wav"
    with pytest.raises(ParameterError, match=r"source is .*; expected a path, as text or a Path"):
        checks.file_path("source", value)


@pytest.mark.parametrize("value", [*(value for value in NO_NUMBERS if value is not None), 0, -1, 1.5, 4097])
def test_a_number_of_workers_is_whole_and_bounded_or_none(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"^workers is .+; expected a whole number from 1 to 4096$"):
        checks.worker_count(value)
    assert (checks.worker_count(None), checks.worker_count(2.0)) == (None, 2)
