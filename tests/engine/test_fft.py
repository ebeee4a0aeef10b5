"""The FFT door: the same spectra from all backends, planned or not, and in any number of rows."""

import sys
from typing import Any

import numpy as np
import pytest

from reverb.arrays import aligned_zeros
from reverb.engine import fft, fftw
from reverb.engine.fft import Backend, BackendName, backend
from reverb.errors import MissingExtraError, UnknownNameError
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db

NAMES: list[BackendName] = ["fftw", "pocketfft", "numpy"]


def transforms(name: BackendName) -> Backend:
    if name == "fftw":
        pytest.importorskip("pyfftw")
    return backend(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("frames", [2, 6, 64, 200, 1018, 4096])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_and_inverse_against_numpy_in_double(
    name: BackendName, rows: int, frames: int, dtype: Any
) -> None:
    plans = transforms(name)
    bins = frames // 2 + 1
    time, spectrum = (
        aligned_zeros((rows, frames), dtype),
        aligned_zeros((rows, bins + 3), np.result_type(dtype, "F")),
    )
    back = aligned_zeros((rows, frames), dtype)
    forward, inverse = plans.plan(time, spectrum[:, :bins]), plans.plan(spectrum[:, :bins], back)
    spectrum[...] = 0
    time[...] = np.random.default_rng(frames).standard_normal((rows, frames))
    budget = FLOAT32_BUDGET_DB if dtype is np.float32 else FLOAT64_BUDGET_DB
    for _ in range(2):
        forward()
        expected = np.fft.rfft(time.astype(np.float64), axis=1)
        assert null_db(spectrum[:, :bins].view(dtype), expected.view(np.float64)) <= budget
        assert not spectrum[:, bins:].any()
        inverse()
        assert null_db(back, time * frames) <= budget
        time *= -2


def test_unknown_backends_are_named() -> None:
    with pytest.raises(UnknownNameError, match="fftw, pocketfft, numpy"):
        backend("mkl")


def test_without_fftw_the_next_backend_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Backend:
        raise MissingExtraError("FFTW is not installed")

    monkeypatch.setitem(fft._BACKENDS, "fftw", missing)
    fft.backend.cache_clear()
    try:
        assert backend().name == "pocketfft"
        monkeypatch.setitem(fft._BACKENDS, "pocketfft", missing)
        fft.backend.cache_clear()
        assert backend().name == "numpy"
    finally:
        fft.backend.cache_clear()


def test_missing_pyfftw_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyfftw", None)
    monkeypatch.delitem(sys.modules, "pyfftw.pyfftw", raising=False)
    monkeypatch.setattr(fftw, "planner", fftw.planner.__wrapped__)
    with pytest.raises(MissingExtraError, match=r"install it with: pip install '.*\[fftw\]'"):
        backend.__wrapped__("fftw")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_any_number_agree_with_numpy_in_double(name: BackendName, dtype: Any) -> None:
    transforms_of_100 = transforms(name).rows(100, dtype)
    budget = FLOAT32_BUDGET_DB if dtype is np.float32 else FLOAT64_BUDGET_DB
    for count in (1, 2, 4, 7):
        rows = aligned_zeros((count, 100), dtype)
        spectra = aligned_zeros((count, 51), np.result_type(dtype, "F"))
        rows[...] = given = np.random.default_rng(count).standard_normal((count, 100)).astype(dtype)
        transforms_of_100.forward(rows, spectra)
        expected = np.fft.rfft(given.astype(np.float64), axis=1)
        assert null_db(np.ascontiguousarray(spectra).view(dtype), expected.view(np.float64)) <= budget
        transforms_of_100.inverse(spectra, rows)
        assert null_db(rows, given * 100.0) <= budget


def test_without_a_compiled_fft_numpy_transforms_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fft, "pocketfft", lambda: None)
    fft._without_planning.cache_clear()
    try:
        rows = np.random.default_rng(0).standard_normal((3, 90)).astype(np.float32)
        spectra = np.empty((3, 46), np.complex64)
        fft.forward(rows, spectra)
        assert (
            null_db(spectra.view(np.float32), np.fft.rfft(rows.astype(np.float64)).view(np.float64))
            <= FLOAT32_BUDGET_DB
        )
        back = np.empty_like(rows)
        fft.inverse(spectra, back)
        assert null_db(back, rows * 90.0) <= FLOAT32_BUDGET_DB
    finally:
        fft._without_planning.cache_clear()


def test_good_sizes_are_the_least() -> None:
    smooth = sorted({2 * 2**a * 3**b * 5**c for a in range(13) for b in range(8) for c in range(6)})
    for n in range(2000):
        assert fft.good_size(n) == next(size for size in smooth if size >= n)
