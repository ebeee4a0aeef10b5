"""FFT backends: the same spectra from all, plans bound to their arrays, wisdom that never stands in the way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb.engine import fft_plans, realtime_costs
from reverb.engine.fft_plans import aligned_zeros, backend
from reverb.engine.realtime_work import POCKETFFT_COSTS
from reverb.errors import MissingExtraError, UnknownNameError
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db

NAMES = ["fftw", "pocketfft", "numpy"]


def transforms(name: str) -> fft_plans.Backend:
    if name == "fftw":
        pytest.importorskip("pyfftw")
    return backend(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("frames", [2, 6, 64, 200, 1018, 4096])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_and_inverse_against_numpy_in_double(name: str, rows: int, frames: int, dtype: Any) -> None:
    fft = transforms(name)
    bins = frames // 2 + 1
    time, spectrum = (
        aligned_zeros((rows, frames), dtype),
        aligned_zeros((rows, bins + 3), np.result_type(dtype, "F")),
    )
    back = aligned_zeros((rows, frames), dtype)
    forward, inverse = fft.forward(time, spectrum[:, :bins]), fft.inverse(spectrum[:, :bins], back)
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
    def missing() -> fft_plans.Backend:
        raise MissingExtraError("FFTW is not installed")

    monkeypatch.setitem(fft_plans._BACKENDS, "fftw", missing)
    fft_plans.backend.cache_clear()
    try:
        assert backend().name == "pocketfft"
        monkeypatch.setitem(fft_plans._BACKENDS, "pocketfft", missing)
        fft_plans.backend.cache_clear()
        assert backend().name == "numpy"
    finally:
        fft_plans.backend.cache_clear()


def test_missing_pyfftw_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyfftw", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'reverb\[fftw\]'"):
        fft_plans.FFTW()


def test_wisdom_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyfftw = pytest.importorskip("pyfftw")
    monkeypatch.setattr(fft_plans, "cache_folder", lambda: tmp_path / "deep" / "cache")
    pyfftw.forget_wisdom()
    fft = fft_plans.FFTW()
    fft.forward(aligned_zeros((3, 2 * 77), np.float32), aligned_zeros((3, 78), np.complex64))
    fft.keep()
    (stored,) = (tmp_path / "deep" / "cache").iterdir()
    before = stored.read_text()
    fft.keep()
    assert stored.read_text() == before
    pyfftw.forget_wisdom()
    try:
        found = fft_plans.FFTW()._known
        assert [sorted(part.splitlines()) for part in found] == [sorted(p.splitlines()) for p in fft._known]
        assert len(found[1].splitlines()) > 2
    finally:
        fft_plans.backend.cache_clear()


@pytest.mark.parametrize("content", ["", "no json", "[1, 2, 3]", '["a", "b", "c"]', '["ü", "", "∞"]'])
def test_damaged_wisdom_is_passed_over(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyfftw")
    monkeypatch.setattr(fft_plans, "cache_folder", lambda: tmp_path)
    path = fft_plans.FFTW()._path
    path.write_text(content, encoding="utf-8")
    fft_plans.FFTW()


def test_an_unwritable_cache_only_costs_the_wisdom(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way of a folder")
    assert not fft_plans.write_cache(blocked / "sub" / "wisdom.json", [])
    assert fft_plans.read_cache(blocked / "sub" / "wisdom.json") is None


def test_arrays_and_their_rows_begin_at_cache_lines() -> None:
    for shape in [(1,), (3, 129), (2, 512), (2, 1024, 3)]:
        array = aligned_zeros(shape, np.complex64)
        assert array.shape == shape
        assert array.ctypes.data % 64 == 0
        assert all(stride % 64 == 0 for stride in array.strides[:-1])
    assert aligned_zeros((2, 512), np.complex64).strides[0] % 4096 != 0


def test_costs_are_measured_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime_costs, "cache_folder", lambda: tmp_path)
    built_in = realtime_costs.known_costs("pocketfft")
    assert built_in == POCKETFFT_COSTS
    measured = realtime_costs.measure_costs("pocketfft")
    assert measured != built_in
    assert realtime_costs.known_costs("pocketfft") == measured
    for damaged in ("[]", '{"call": 1}', "{"):
        (tmp_path / "costs-pocketfft.json").write_text(damaged)
        assert realtime_costs.known_costs("pocketfft") == built_in
