"""Convolution of whole arrays against SciPy's direct one."""

from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.arrays import Array
from reverb.engine.convolve import Mode, convolve
from reverb.errors import InvalidAudioError, ParameterError
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import gaussian


def shape(frames: int, channels: int | None) -> tuple[int, ...]:
    return (frames,) if channels is None else (frames, channels)


def reference(x: npt.ArrayLike, h: npt.ArrayLike, mode: Mode) -> Array:
    """scipy.signal.convolve in float64, directly computed, column by column."""
    from scipy.signal import convolve as direct

    x, h = np.asarray(x, np.float64), np.asarray(h, np.float64)
    if x.ndim == h.ndim == 1:
        return direct(x, h, mode, method="direct")
    xs, hs = x.reshape(len(x), -1), h.reshape(len(h), -1)
    channels = max(xs.shape[1], hs.shape[1])
    pairs = [(xs[:, min(c, xs.shape[1] - 1)], hs[:, min(c, hs.shape[1] - 1)]) for c in range(channels)]
    return np.stack([direct(a, b, mode, method="direct") for a, b in pairs], axis=1)


@given(
    n=st.integers(1, 900),
    taps=st.integers(1, 900),
    x_channels=st.sampled_from([None, 1, 3]),
    h_channels=st.sampled_from([None, 1, 3]),
    mode=st.sampled_from(get_args(Mode)),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None, derandomize=True, max_examples=80)
def test_means_what_scipy_means(
    n: int,
    taps: int,
    x_channels: int | None,
    h_channels: int | None,
    mode: Mode,
    dtype: type[np.floating[Any]],
) -> None:
    x = gaussian(*shape(n, x_channels), seed=1, dtype=dtype)
    h = gaussian(*shape(taps, h_channels), seed=2, dtype=dtype)
    y, expected = convolve(x, h, mode), reference(x, h, mode)
    assert y.dtype == dtype
    assert y.shape == expected.shape
    full = reference(x, h, "full")  # the budget counts from the peak of all the output
    residual = np.abs(y - expected).max() / np.abs(full).max()
    assert residual <= 10 ** ((FLOAT32_BUDGET_DB if dtype == np.float32 else FLOAT64_BUDGET_DB) / 20)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "taps"), [(20_011, 499), (6007, 6011), (499, 20_011)])
def test_null_against_direct_convolution(n: int, taps: int, dtype: type[np.floating[Any]]) -> None:
    x, h = gaussian(n, 2, seed=3, dtype=dtype), gaussian(taps, 2, seed=4, dtype=dtype)
    budget = FLOAT32_BUDGET_DB if dtype == np.float32 else FLOAT64_BUDGET_DB
    assert null_db(convolve(x, h), reference(x, h, "full")) <= budget


@pytest.mark.parametrize(
    ("x", "h", "result"),
    [
        (np.float32, np.float32, np.float32),
        (np.float32, np.float64, np.float64),
        (np.float64, np.float32, np.float64),
        (np.int16, np.int16, np.float64),
        (np.int32, np.float32, np.float64),
        (np.float16, np.float32, np.float64),
    ],
)
def test_precision(x: Any, h: Any, result: Any) -> None:
    y = convolve(np.array([1, 2, 3], x), np.array([0, 1], h))
    assert y.dtype == result
    np.testing.assert_allclose(y, [0, 1, 2, 3], atol=1e-6)


def test_the_number_of_workers_changes_no_bit() -> None:
    x, h = gaussian(100_003, 3, seed=5, dtype=np.float32), gaussian(7001, 3, seed=6, dtype=np.float32)
    one = convolve(x, h, workers=1)
    for workers in (2, 3, None):
        np.testing.assert_array_equal(convolve(x, h, workers=workers), one)


def test_layout_of_the_input_does_not_matter() -> None:
    x, h = gaussian(3001, 2, seed=7), gaussian(500, 2, seed=8)
    expected = convolve(x, h)
    np.testing.assert_array_equal(convolve(np.asfortranarray(x), np.asfortranarray(h)), expected)
    np.testing.assert_array_equal(convolve(x[::-1][::-1], h.tolist()), expected)


@pytest.mark.parametrize(
    ("x", "h", "message"),
    [
        ([], [1.0], "x is empty"),
        ([1.0], [], "h is empty"),
        ([1.0, np.nan], [1.0], "x holds NaN or infinity, first at frame 1"),
        ([1.0], [np.inf], "h holds NaN or infinity"),
        ([1j], [1.0], "x holds complex128"),
        ([[[1.0]]], [1.0], "x has shape"),
        (np.ones((9, 2)), np.ones((9, 3)), "x has 2 channels and h has 3"),
    ],
)
def test_what_is_not_sound_is_refused(x: Any, h: Any, message: str) -> None:
    with pytest.raises(InvalidAudioError, match=message):
        convolve(x, h)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ParameterError, match="mode is 'circular'; expected 'full' or 'same' or 'valid'"):
        convolve([1.0], [1.0], "circular")  # type: ignore[call-overload]
    with pytest.raises(ParameterError, match="workers is 0; expected a whole number from 1"):
        convolve([1.0], [1.0], workers=0)
    with pytest.raises(ParameterError, match="memory is 0; expected a whole number from 1"):
        convolve([1.0], [1.0], memory=0)
