"""Real FFTs of many rows, for the offline engine: pocketfft, reached without loading the rest of SciPy, and FFTW.

SciPy's compiled pocketfft (ducc's, its successor, from SciPy 1.18 on) keeps single precision and works on four rows
side by side in the lanes of a vector register, which doubles its speed. Importing `scipy.fft`, however, costs more
than rendering a short file, because it loads all of `scipy.special`. So the extension module alone is loaded where
it can be found, and the public `scipy.fft` serves otherwise; both give the same bits.

FFTW is half again as fast on single rows, which leaves more of the cache to the rest. But its plans must be
measured, for longer than a file of ten minutes takes to render; so it serves for the sizes that `learn_fftw` has
measured once.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.cache import cache_folder, read_cache, write_cache
from reverb.engine import fftw
from reverb.engine.aligned import aligned_empty
from reverb.engine.compiled import load_compiled
from reverb.once import once

Real: TypeAlias = npt.NDArray[np.floating[Any]]
Complex: TypeAlias = npt.NDArray[np.complexfloating[Any, Any]]

LANES = 4
"""Rows that are transformed in the time of about two single ones."""

FFTW_SIZES = (*sorted(factor << k for factor in (2, 3) for k in range(14, 17)), 320_000)
"""Lengths that `learn_fftw` measures: shorter rows keep threads waiting for each other at Python's lock.

The longest is for responses of six seconds and more; its neighbours, nearer to powers of two, are up to a fifth slower.
"""

_LEARNT = "fftw-sizes.json"
_EXTENSIONS = ("scipy.fft._pocketfft.pypocketfft", "scipy.fft._duccfft.pyduccfft")
"""SciPy's compiled FFTs, up to version 1.17 and from 1.18 on: other names, the same functions."""

Kind = Literal["pocketfft", "fftw"]


class Transforms(Protocol):
    """Unscaled real transforms along the last axis, from one array of rows into another. For one thread."""

    def forward(self, rows: Real, spectra: Complex) -> None:
        """Transform `rows` (count, size) into `spectra` (count, size // 2 + 1)."""

    def inverse(self, spectra: Complex, rows: Real) -> None:
        """Transform `spectra` back into `rows`, which come out `size` times too large."""


@functools.cache
def good_size(minimum: int) -> int:
    """Return the smallest even number ≥ `minimum` whose only prime factors are 2, 3 and 5 (at least 2)."""
    half = max(1, (minimum + 1) // 2)
    best = 1 << (half - 1).bit_length()
    five = 1
    while five < best:
        odd = five
        while odd < best:
            best = min(best, odd << max(0, (-(-half // odd) - 1).bit_length()))
            odd *= 3
        five *= 5
    return 2 * best


def forward(rows: Real, spectra: Complex) -> None:
    """Transform each row, without scaling.

    Parameters
    ----------
    rows : ndarray, shape (count, size)
        float32 or float64. Four rows or more run twice as fast as single ones.
    spectra : ndarray, shape (count, size // 2 + 1)
        Receives the result, of the matching precision.
    """
    _backend().forward(rows, spectra)


def inverse(spectra: Complex, rows: Real) -> None:
    """Transform spectra back, without scaling: after `forward` they come out `size` times too large.

    Parameters
    ----------
    spectra : ndarray, shape (count, size // 2 + 1)
        complex64 or complex128.
    rows : ndarray, shape (count, size)
        Receives the result, of the matching precision.
    """
    _backend().inverse(spectra, rows)


def transforms(kind: Kind, size: int, dtype: npt.DTypeLike) -> Transforms:
    """Return what one thread transforms rows of `size` points with; rows must begin at cache lines for FFTW."""
    return _FFTW(size, dtype) if kind == "fftw" else _backend()


@once
def fftw_sizes(itemsize: int) -> tuple[int, ...]:
    """Return the sizes for which `learn_fftw` has measured plans, for samples of 4 or 8 bytes; none without FFTW."""
    kept = read_cache(cache_folder() / _LEARNT) if itemsize == 4 else None
    learnt = tuple(size for size in FFTW_SIZES if size in kept) if isinstance(kept, list) else ()
    return learnt if learnt and fftw.planner() is not None else ()


def learn_fftw(learnt: Callable[[int], None] | None = None, *, thorough: bool = False) -> bool:
    """Measure FFTW's plans for `FFTW_SIZES` in single precision, and keep them; False if it is not installed.

    Takes some 20 seconds the first time; `thorough`, some minutes, for transforms that are up to a fifth quicker.
    `learnt` is called with each size as it is done.
    """
    planner = fftw.planner()
    if planner is None:
        return False
    for size in FFTW_SIZES:
        _FFTW(size, np.float32, patient=thorough)
        if learnt:
            learnt(size)
    planner.keep()
    write_cache(cache_folder() / _LEARNT, list(FFTW_SIZES))
    fftw_sizes.cache_clear()
    return True


class _FFTW:
    """FFTW's transforms, row by row."""

    def __init__(self, size: int, dtype: npt.DTypeLike, *, patient: bool = False) -> None:
        planner = fftw.planner()
        assert planner is not None
        time = aligned_empty((size,), dtype)
        spectrum = aligned_empty((size // 2 + 1,), np.result_type(dtype, np.complex64))
        self._forward = planner.plan(time, spectrum, patient=patient)
        self._inverse = planner.plan(spectrum, time, patient=patient)

    def forward(self, rows: Real, spectra: Complex) -> None:
        for row, spectrum in zip(rows, spectra, strict=True):
            self._forward.update_arrays(row, spectrum)
            self._forward.execute()

    def inverse(self, spectra: Complex, rows: Real) -> None:
        for spectrum, row in zip(spectra, rows, strict=True):
            self._inverse.update_arrays(spectrum, row)
            self._inverse.execute()


class _Extension:
    """SciPy's compiled pocketfft itself: it writes straight into a given array."""

    def __init__(self, module: ModuleType) -> None:
        self._r2c, self._c2r = module.r2c, module.c2r

    def forward(self, rows: Real, spectra: Complex) -> None:
        self._r2c(rows, (1,), True, 0, spectra, 1)

    def inverse(self, spectra: Complex, rows: Real) -> None:
        self._c2r(spectra, (1,), rows.shape[1], False, 0, rows, 1)


class _Public:
    """The same through SciPy's public functions, at the price of a copy."""

    def forward(self, rows: Real, spectra: Complex) -> None:
        import scipy.fft

        spectra[:] = scipy.fft.rfft(rows, axis=1)

    def inverse(self, spectra: Complex, rows: Real) -> None:
        import scipy.fft

        # The norm "forward" leaves the inverse unscaled.
        rows[:] = scipy.fft.irfft(spectra, rows.shape[1], axis=1, norm="forward")


@once
def pocketfft() -> ModuleType | None:
    """Return SciPy's compiled pocketfft if it can be loaded and gives the right answer, without SciPy's own imports.

    It is private, and may change in any way.
    """
    return next((module for module in map(load_compiled, _EXTENSIONS) if module and _is_right(module)), None)


def _is_right(module: ModuleType) -> bool:
    """Return whether a compiled module transforms two known rows there and back in the form that is used here."""
    rows = np.eye(2, 8, 1, dtype=np.float32)  # a click one sample late, and one two
    expected = np.exp(-0.25j * np.pi * np.outer([1, 2], np.arange(5)))
    spectra, back = np.empty((2, 5), np.complex64), np.empty_like(rows)
    try:
        extension = _Extension(module)
        extension.forward(rows, spectra)
        extension.inverse(spectra, back)
    except Exception:
        return False
    # A NaN does not agree.
    return bool(np.abs(spectra - expected).max() < 1e-5 and np.abs(back - 8 * rows).max() < 1e-5)


@once
def _backend() -> Transforms:
    """Choose once: the compiled module, or else the public functions."""
    module = pocketfft()
    return _Public() if module is None else _Extension(module)
