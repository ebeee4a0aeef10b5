"""Doors of the engine: a wrong argument is an error of our tree that says what is expected, asserts or none."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import reverb
from reverb.engine import routing
from reverb.engine.offline.convolver import OverlapAdd
from reverb.engine.routing import Path, Routing, each, matrix
from reverb.errors import InvalidAudioError, ParameterError, ReverbError

ROWS = np.ones((1, 4))
NO_NUMBERS: list[Any] = [None, "2", 1.5, float("nan"), float("inf"), True, [2], -1]

BAD_ROUTINGS: list[Callable[[Any], Any]] = [
    routing.each,
    routing.parallel,
    lambda n: routing.matrix(n, 2),
    lambda n: routing.matrix(2, n),
    lambda n: routing.from_pairs(n, 2, []),
    lambda n: routing.from_pairs(2, n, []),
    lambda n: Routing(n, 1, ()),
    lambda n: Routing(1, 1, (Path(n, 0, 0),)),
    lambda n: Routing(1, 1, (Path(0, n, 0),)),
    lambda n: Routing(1, 1, (Path(0, 0, n),)),
]
BAD_CALLS: dict[str, Callable[[], Any]] = {
    "a path beyond": lambda: Routing(1, 1, (Path(0, 1, 0),)),
    "no path": lambda: Routing(1, 1, ((0, 0, 0),)),  # type: ignore[arg-type]
    "no tuple": lambda: Routing(1, 1, [Path(0, 0, 0)]),  # type: ignore[arg-type]
    "no pairs": lambda: routing.from_pairs(1, 1, 5),  # type: ignore[arg-type]
    "triples": lambda: routing.from_pairs(1, 1, [(0, 0, 0)]),  # type: ignore[list-item]
    "no routing": lambda: OverlapAdd(ROWS, 2),  # type: ignore[arg-type]
    "flat responses": lambda: OverlapAdd([1.0, 2.0], each(1)),
    "no taps": lambda: OverlapAdd(np.ones((1, 0)), each(1)),
    "too few rows": lambda: OverlapAdd(ROWS, matrix(2, 2)),
    "complex": lambda: OverlapAdd(ROWS + 1j, each(1)),
    "NaN": lambda: OverlapAdd(ROWS * np.nan, each(1)),
    "ragged": lambda: OverlapAdd([[1.0], [1.0, 2.0]], each(1)),
    "dtype foo": lambda: OverlapAdd(ROWS, each(1), dtype="foo"),
    "dtype int": lambda: OverlapAdd(ROWS, each(1), dtype=np.int16),
    "dtype None": lambda: OverlapAdd(ROWS, each(1), dtype=None),  # type: ignore[arg-type]
    "flush out": lambda: OverlapAdd(ROWS, each(1)).flush(np.zeros((3, 2))),
    "block": lambda: OverlapAdd(ROWS, matrix(1, 2).__class__(2, 1, (Path(0, 0, 0),))).process(
        np.ones((9, 1))
    ),
    "axes exchanged": lambda: reverb.convolve(np.ones((65, 2)).T, [1.0]),
}


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("make", BAD_ROUTINGS)
def test_numbers_of_channels_are_whole_and_in_range(make: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(ParameterError, match="expected a whole number"):
        make(value)


@pytest.mark.parametrize("name", ["length", "workers", "memory"])
@pytest.mark.parametrize("value", ["2", 1.5, float("nan"), True, [2], -1], ids=repr)
def test_settings_of_the_engine_are_whole_and_in_range(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"{name} is .*; expected a whole number"):
        OverlapAdd(ROWS, each(1), **{name: value})


@pytest.mark.parametrize("call", BAD_CALLS.values(), ids=BAD_CALLS)
def test_wrong_arguments_are_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ReverbError, match=r"expected|hold|did you mean|is no regular"):
        call()


def test_they_are_refused_without_asserts_too() -> None:
    code = """
from tests.engine.test_routing import BAD_CALLS, BAD_ROUTINGS, NO_NUMBERS
from reverb.errors import ReverbError
assert False, "asserts are on"
calls = [*BAD_CALLS.values(), *(lambda make=make, n=n: make(n) for make in BAD_ROUTINGS for n in NO_NUMBERS)]
refused = 0
for call in calls:
    try:
        call()
    except ReverbError:
        refused += 1
print(refused - len(calls))
"""
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "0"


@pytest.mark.parametrize("shape", [(2, 65), (1, 1000), (64, 65)])
def test_exchanged_axes_are_named(shape: tuple[int, int]) -> None:
    with pytest.raises(InvalidAudioError, match=r"x has shape .*\(frames, channels\); did you mean x\.T\?"):
        reverb.convolve(np.ones(shape), [1.0])
    assert reverb.convolve(np.ones(shape).T, [1.0]).shape == shape[::-1]
    assert reverb.convolve(np.ones((2, 64)), [1.0]).shape == (2, 64)


def test_a_short_response_of_many_channels_is_one_where_its_layout_is_given() -> None:
    taps = np.ones((3, 100))
    assert reverb.ImpulseResponse(taps, 48_000, wiring="10x10").channels == 100
    with pytest.raises(InvalidAudioError, match="did you mean"):
        reverb.ImpulseResponse(taps, 48_000)


def test_finish_is_the_old_name_of_flush() -> None:
    one, two = OverlapAdd([[1.0, 0.5]], each(1)), OverlapAdd([[1.0, 0.5]], each(1))
    one.process([[1.0]])
    two.process([[1.0]])
    with pytest.warns(DeprecationWarning, match="flush"):
        old = one.finish()
    np.testing.assert_array_equal(old, two.flush())
