"""FFT backends: the same spectra from all, plans bound to their arrays, wisdom that never stands in the way."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb import cache
from reverb.engine import fft, fft_plans, fftw
from reverb.engine import machine as realtime_costs
from reverb.engine.aligned import aligned_zeros
from reverb.engine.fft_plans import backend
from reverb.engine.realtime.schedule import POCKETFFT_COSTS
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
    plans = transforms(name)
    bins = frames // 2 + 1
    time, spectrum = (
        aligned_zeros((rows, frames), dtype),
        aligned_zeros((rows, bins + 3), np.result_type(dtype, "F")),
    )
    back = aligned_zeros((rows, frames), dtype)
    forward, inverse = plans.forward(time, spectrum[:, :bins]), plans.inverse(spectrum[:, :bins], back)
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
    monkeypatch.setitem(sys.modules, "pyfftw", None)
    monkeypatch.delitem(sys.modules, "pyfftw.pyfftw", raising=False)
    monkeypatch.setattr(fftw, "planner", fftw.planner.__wrapped__)
    with pytest.raises(MissingExtraError, match=r"install it with: pip install '.*\[fftw\]'"):
        fft_plans.FFTW()


@pytest.fixture
def empty_planner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fftw.Planner]:
    """FFTW as on a new machine."""
    known = fftw.planner()
    if known is None:
        pytest.skip("pyfftw is not installed")
    module, wisdom = known._module, known.wisdom
    monkeypatch.setattr(fftw, "cache_folder", lambda: tmp_path / "deep" / "cache")
    monkeypatch.setattr(fft, "cache_folder", lambda: tmp_path / "deep" / "cache")
    module.forget_wisdom()
    planner = fftw.Planner(module)
    monkeypatch.setattr(fftw, "planner", lambda: planner)
    fft.fftw_sizes.cache_clear()
    yield planner
    fft.fftw_sizes.cache_clear()
    module.import_wisdom(wisdom)


def lines(wisdom: tuple[bytes, ...]) -> list[list[bytes]]:
    """What FFTW knows, for each precision; it spells it out in any order."""
    return [sorted(part.splitlines()) for part in wisdom]


def test_wisdom_is_kept_and_found_again(empty_planner: fftw.Planner, tmp_path: Path) -> None:
    plans = fft_plans.FFTW()
    plans.forward(aligned_zeros((3, 2 * 77), np.float32), aligned_zeros((3, 78), np.complex64))
    plans.keep()
    (stored,) = (tmp_path / "deep" / "cache").iterdir()
    before = stored.read_text()
    plans.keep()
    assert stored.read_text() == before
    learnt = empty_planner.wisdom
    empty_planner._module.forget_wisdom()
    found = fftw.Planner(empty_planner._module).wisdom
    assert lines(found) == lines(learnt)
    assert len(found[1].splitlines()) > 2


@pytest.mark.usefixtures("empty_planner")
def test_files_use_fftw_once_its_plans_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fft, "FFTW_SIZES", (64, 96))
    assert fft.fftw_sizes(4) == ()
    done: list[int] = []
    assert fft.learn_fftw(done.append)
    assert done == [64, 96]
    assert fft.fftw_sizes(4) == (64, 96)
    assert fft.fftw_sizes(8) == ()  # double precision was not measured
    transforms = fft.transforms("fftw", 96, np.float32)
    rows, spectra = aligned_zeros((3, 96), np.float32), aligned_zeros((3, 49), np.complex64)
    rows[:] = np.random.default_rng(1).standard_normal(rows.shape)
    expected, before = np.fft.rfft(rows.astype(np.float64)), rows.copy()
    transforms.forward(rows, spectra)
    assert null_db(spectra.view(np.float32), expected.view(np.float64)) <= FLOAT32_BUDGET_DB
    transforms.inverse(spectra, rows)
    assert null_db(rows, before * 96) <= FLOAT32_BUDGET_DB


def test_what_was_learnt_with_patience_is_kept(
    monkeypatch: pytest.MonkeyPatch, empty_planner: fftw.Planner
) -> None:
    monkeypatch.setattr(fft, "FFTW_SIZES", (96,))
    assert fft.learn_fftw()
    hasty = lines(empty_planner.wisdom)
    assert fft.learn_fftw(thorough=True)
    thorough = lines(empty_planner.wisdom)
    assert thorough != hasty
    empty_planner._module.forget_wisdom()
    assert lines(fftw.Planner(empty_planner._module).wisdom) == thorough
    fft.transforms("fftw", 96, np.float32)
    assert lines(empty_planner.wisdom) == thorough  # nothing had to be measured anew


@pytest.mark.parametrize("content", ["", "no json", "[1, 2, 3]", '["a", "b", "c"]', '["ü", "", "∞"]'])
def test_damaged_wisdom_is_passed_over(content: str, empty_planner: fftw.Planner) -> None:
    empty_planner._path.parent.mkdir(parents=True, exist_ok=True)
    empty_planner._path.write_text(content, encoding="utf-8")
    fftw.Planner(empty_planner._module)


def test_an_unwritable_cache_only_costs_the_wisdom(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way of a folder")
    assert not cache.write_cache(blocked / "sub" / "wisdom.json", [])
    assert cache.read_cache(blocked / "sub" / "wisdom.json") is None


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
