"""The value: what it holds, that it cannot change, what equals what, and which channels it takes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reverb.arrays import Array
from reverb.engine.routing import Path, Routing, from_pairs
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.layouts import STEREO
from reverb.responses.response import ImpulseResponse, derived, unit
from tests.nulls import null_db
from tests.signals import decaying, noise


def test_it_keeps_a_copy_that_nobody_can_change() -> None:
    samples = decaying(100, 2)
    response = ImpulseResponse(samples, 48_000, "room")
    kept = samples.copy()
    samples[:] = 0
    assert np.array_equal(response.samples, kept)
    with pytest.raises(ValueError, match="read-only"):
        response.samples[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        response.sample_rate = 1  # type: ignore[misc]


class Labeled(np.ndarray[Any, np.dtype[np.float64]]):
    """An array type of somebody else's."""


def _read_only(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _behind_an_older_view() -> tuple[Array, Array]:
    array = decaying(100, 2)
    view = array[:]
    return _read_only(array), view


def _behind_a_memoryview() -> tuple[Array, Array]:
    array = decaying(100, 2)
    memory = memoryview(array)  # type: ignore[arg-type]  # NumPy's arrays do not say that they are buffers
    return _read_only(array), np.asarray(memory)


def _from_a_buffer() -> tuple[Array, Array]:
    buffer = bytearray(decaying(100, 2).tobytes())
    return _read_only(np.frombuffer(buffer).reshape(100, 2)), np.frombuffer(buffer)


def _of_a_subclass() -> tuple[Array, Array]:
    array = decaying(100, 2).copy()
    return _read_only(array.view(Labeled)), array


def _made_writable_again() -> tuple[Array, Array]:
    array = _read_only(decaying(100, 2).copy())
    return array, array


@pytest.mark.parametrize(
    "make",
    [_behind_an_older_view, _behind_a_memoryview, _from_a_buffer, _of_a_subclass, _made_writable_again],
)
@pytest.mark.parametrize("door", ["construct", "replace"])
def test_no_other_way_to_the_samples_changes_a_response(
    make: Callable[[], tuple[Array, Array]], door: str
) -> None:
    given, writable = make()
    response = ImpulseResponse(given, 48_000)
    if door == "replace":
        response = dataclasses.replace(ImpulseResponse([1.0], 48_000), samples=given, wiring=STEREO)
    kept, digest = response.samples.copy(), response.digest
    if not writable.flags.writeable:
        writable.setflags(write=True)
    writable[:] = 7
    assert np.array_equal(response.samples, kept)
    assert response.digest == dataclasses.replace(response).digest == digest
    assert type(response.samples) is np.ndarray


def test_the_samples_cannot_be_made_writable() -> None:
    made = ImpulseResponse(decaying(100, 2), 48_000)
    for response in (made, ImpulseResponse([1.0, 0.5], 48_000), made * 2, made >> made, made + made):
        with pytest.raises(ValueError, match="WRITEABLE"):
            response.samples.setflags(write=True)


def test_a_derived_response_shares_unchanged_samples_and_keeps_no_larger_array() -> None:
    response = ImpulseResponse(decaying(100, 2), 48_000, "room")
    renamed = derived(response, name="hall")
    assert np.shares_memory(renamed.samples, response.samples)
    assert renamed == response
    assert not np.shares_memory(derived(response, response.samples[:10]).samples, response.samples)


def test_a_name_must_be_text_and_a_wiring_a_routing() -> None:
    with pytest.raises(ParameterError, match="name is 3; expected a str"):
        ImpulseResponse([1.0], 48_000, 3)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="wiring is 3; expected a Routing"):
        ImpulseResponse([1.0], 48_000, wiring=3)  # type: ignore[arg-type]


def test_the_callers_array_stays_writable() -> None:
    samples = decaying(10, 2)
    ImpulseResponse(samples, 48_000)
    samples[0] = 1


@pytest.mark.parametrize(
    ("channels", "layout", "inputs", "outputs"),
    [(1, "mono", 1, 1), (2, "stereo", 2, 2), (4, "true-stereo", 2, 2)],
)
def test_the_number_of_channels_says_the_layout(
    channels: int, layout: str, inputs: int, outputs: int
) -> None:
    response = ImpulseResponse(decaying(50, channels), 48_000)
    assert response.layout == layout
    assert (response.wiring.inputs, response.wiring.outputs) == (inputs, outputs)
    assert (response.channels, response.frames, response.seconds) == (channels, 50, 50 / 48_000)


def test_a_flat_array_is_mono() -> None:
    response = ImpulseResponse([1.0, 0.5], 48_000)
    assert response.samples.shape == (2, 1)
    assert response.is_mono


@pytest.mark.parametrize("channels", [3, 5, 6, 8])
def test_other_numbers_need_a_layout(channels: int) -> None:
    with pytest.raises(
        InvalidAudioError, match=rf"has {channels} channels; expected 1 .*, 2 .* or 4 .*1x{channels}"
    ):
        ImpulseResponse(decaying(10, channels), 48_000)
    assert ImpulseResponse(decaying(10, channels), 48_000, wiring=f"1x{channels}").wiring.outputs == channels


def test_a_matrix_is_given_explicitly() -> None:
    response = ImpulseResponse(decaying(10, 8), 48_000, wiring="2x4")
    assert response.layout == "2×4"
    assert response.wiring.paths[5] == (1, 1, 5)
    assert ImpulseResponse(decaying(10, 8), 48_000, wiring="2×4") == response
    assert ImpulseResponse(decaying(10), 48_000, wiring="1x1").is_mono
    with pytest.raises(InvalidAudioError, match="has 8 channels; layout true-stereo needs 4"):
        ImpulseResponse(decaying(10, 8), 48_000, wiring="true-stereo")


@pytest.mark.parametrize(
    ("samples", "rate", "latency", "error"),
    [
        ([0.0, np.nan], 48_000, 0, InvalidAudioError),
        ([], 48_000, 0, InvalidAudioError),
        ([1.0], 0, 0, ParameterError),
        ([1.0], -8000, 0, ParameterError),
        ([1.0], 44_100.5, 0, ParameterError),
        ([1.0, 0.0], 48_000, 2, ParameterError),
        ([1.0, 0.0], 48_000, -1, ParameterError),
    ],
)
def test_nonsense_is_refused(samples: list[float], rate: float, latency: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        ImpulseResponse(samples, rate, latency=latency)  # type: ignore[arg-type]


def test_equality_and_hash_go_by_value() -> None:
    samples = decaying(100, 2)
    a, b = ImpulseResponse(samples, 48_000, "a"), ImpulseResponse(samples.copy(), 48_000, "a")
    assert a == b
    assert hash(a) == hash(b)
    assert len({a, b}) == 1
    changed = samples.copy()
    changed[50, 1] += 1e-12
    others = [
        ImpulseResponse(changed, 48_000, "a"),
        ImpulseResponse(samples, 44_100, "a"),
        ImpulseResponse(samples, 48_000, "a", latency=1),
        ImpulseResponse(samples, 48_000, "a", wiring="1x2"),
        ImpulseResponse(samples.astype(np.float32), 48_000, "a"),
        ImpulseResponse(samples.reshape(200, 1), 48_000, "a"),
    ]
    assert all(a != other for other in others)
    assert a != "a"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gain_delay_and_scaling(dtype: type[np.floating[Any]]) -> None:
    response = ImpulseResponse(decaying(100).astype(dtype), 48_000)
    x = response.samples
    assert null_db((response * 2).samples, 2 * x) == -np.inf
    assert (2 * response) == (response * 2) == (np.float64(2) * response)
    assert null_db(response.gain(-20).samples, 0.1 * x.astype(np.float64)) < (
        -280 if dtype == np.float64 else -140
    )
    later = response.delay(0.001)
    assert later.frames == 148
    assert not later.samples[:48].any()
    assert np.array_equal(later.samples[48:], x)
    assert {r.samples.dtype for r in (response * 2, response.gain(1), later)} == {np.dtype(dtype)}
    assert response.delay(0) is response


@pytest.mark.parametrize("seconds", [-0.1, np.nan, np.inf])
def test_a_delay_must_be_finite_and_not_negative(seconds: float) -> None:
    with pytest.raises(ParameterError, match=r"delay is .* s; expected a number from 0 to 1e\+09 s"):
        unit(48_000).delay(seconds)


def test_a_mono_response_serves_any_number_of_channels() -> None:
    wired = unit(48_000).for_channels(5)
    assert (wired.wiring.inputs, wired.wiring.outputs) == (5, 5)
    assert {path.response for path in wired.wiring.paths} == {0}


def test_one_channel_feeds_every_input() -> None:
    response = ImpulseResponse(decaying(10, 4), 48_000)
    wired = response.for_channels(1)
    assert wired.wiring == Routing(1, 2, (Path(0, 0, 0), Path(0, 1, 1), Path(0, 0, 2), Path(0, 1, 3)))
    np.testing.assert_allclose(wired.samples, response.samples / np.sqrt(2), rtol=1e-7)
    assert wired.for_channels(1) is wired  # what is spread once is not spread again


@pytest.mark.parametrize(("layout", "channels"), [("stereo", 3), ("true-stereo", 6), ("3x2", 2), ("1x4", 2)])
def test_a_wrong_number_of_channels_is_refused(layout: str, channels: int) -> None:
    rows = {"stereo": 2, "true-stereo": 4, "3x2": 6, "1x4": 4}[layout]
    response = ImpulseResponse(noise(10, rows), 48_000, "room", layout)
    inputs = response.wiring.inputs
    with pytest.raises(InvalidAudioError, match=rf"takes {inputs} channels; the input has {channels}"):
        response.for_channels(channels)


def test_its_repr_says_what_it_is() -> None:
    response = ImpulseResponse(decaying(48, 3), 48_000, "odd", from_pairs(2, 2, [(0, 0), (1, 1), (0, 1)]), 7)
    assert repr(response) == "<ImpulseResponse 'odd': 2×2, 48 frames (0.001 s) at 48000 Hz, latency=7>"
