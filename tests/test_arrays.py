"""The door for arrays: what is sound, what is refused and with which words."""

import numpy as np
import numpy.typing as npt
import pytest

from reverb.arrays import aligned_zeros, as_audio, as_float_type, as_sample_rate
from reverb.errors import InvalidAudioError, ParameterError, ReverbError


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_pass_untouched(dtype: type[np.floating]) -> None:
    x = np.linspace(-1, 1, 12, dtype=dtype).reshape(6, 2)
    assert as_audio(x) is x


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int64, np.float16, np.longdouble, ">f8", ">f4"])
def test_other_real_numbers_become_float64_unscaled(dtype: npt.DTypeLike) -> None:
    audio = as_audio(np.array([0, 1, 2, 100], dtype))
    assert audio.dtype == np.float64
    assert audio.dtype.isnative
    assert audio.tolist() == [0, 1, 2, 100]


def test_lists_are_taken() -> None:
    assert as_audio([[0.5, 1.0]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\); expected \(frames,\) or \(frames, channels\)"),
        (3.0, r"shape \(\)"),
        ([], "is empty"),
        (np.zeros((0, 2)), "is empty"),
        (np.zeros((5, 0)), "is empty"),
        ([1j], "complex128; expected real numbers"),
        (["a"], "expected real numbers"),
        ([True], "expected real numbers"),
        ([None], "expected real numbers"),
        ([0.0, np.nan], "NaN or infinity, first at frame 1"),
        ([[0.0, 0.0], [0.0, -np.inf], [np.nan, 0.0]], "first at frame 1"),
        ([[1.0], [1.0, 2.0]], "voice is no regular array"),
    ],
)
def test_what_is_no_sound_is_refused(array: object, says: str) -> None:
    with pytest.raises(InvalidAudioError, match=says) as caught:
        as_audio(array, "voice")  # type: ignore[arg-type]
    assert str(caught.value).startswith("voice")
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ReverbError)


@pytest.mark.parametrize("rate", [1, 44_100, 48_000.0, np.int32(96_000), np.float64(8000)])
def test_whole_rates_become_int(rate: float) -> None:
    assert as_sample_rate(rate) == rate
    assert type(as_sample_rate(rate)) is int


@pytest.mark.parametrize(
    "rate", [0, -48_000, 44_100.5, np.nan, np.inf, -np.inf, True, 10_000_001, "48000", "fast", None]
)
def test_other_rates_are_refused(rate: object) -> None:
    with pytest.raises(ParameterError, match=r"sample rate .*; expected"):
        as_sample_rate(rate)  # type: ignore[arg-type]


def test_arrays_and_their_rows_begin_at_cache_lines() -> None:
    for shape in [(1,), (3, 129), (2, 512), (2, 1024, 3)]:
        array = aligned_zeros(shape, np.complex64)
        assert array.shape == shape
        assert array.ctypes.data % 64 == 0
        assert all(stride % 64 == 0 for stride in array.strides[:-1])
    assert aligned_zeros((2, 512), np.complex64).strides[0] % 4096 != 0


@pytest.mark.parametrize("dtype", ["float32", np.float64, np.dtype("f4"), float])
def test_types_of_arithmetic_become_dtypes(dtype: npt.DTypeLike) -> None:
    assert as_float_type(dtype) in (np.dtype(np.float32), np.dtype(np.float64))


@pytest.mark.parametrize("dtype", [None, "foo", "", int, "complex64", ">f4", object(), {}, [], np.nan])
def test_other_types_of_arithmetic_are_refused(dtype: object) -> None:
    with pytest.raises(ParameterError, match=r"^dtype is .*; expected float32 or float64"):
        as_float_type(dtype)  # type: ignore[arg-type]
