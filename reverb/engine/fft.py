"""Real FFTs of many rows at once, for the offline engine: pocketfft, reached without loading the rest of SciPy.

SciPy's compiled pocketfft keeps single precision and works on four rows side by side in the lanes of a vector
register, which doubles its speed. Importing `scipy.fft`, however, costs more than rendering a short
file, because it loads all of `scipy.special`. So the extension module alone is loaded where it can be found,
and the public `scipy.fft` serves otherwise; both give the same bits.

FFTW is not used here: estimated plans are no faster than four lanes, and measured ones cost more to make than they
save in a file of ten minutes.
"""

import functools
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Real: TypeAlias = npt.NDArray[np.floating[Any]]
Complex: TypeAlias = npt.NDArray[np.complexfloating[Any, Any]]

LANES = 4
"""Rows that are transformed in the time of about two single ones."""

_EXTENSION = "scipy.fft._pocketfft.pypocketfft"


class Backend(Protocol):
    """Unscaled real transforms along the last axis, from one array of rows into another."""

    def forward(self, rows: Real, spectra: Complex) -> None:
        """Transform `rows` (count, size) into `spectra` (count, size // 2 + 1)."""

    def inverse(self, spectra: Complex, rows: Real) -> None:
        """Transform `spectra` back into `rows`, which come out `size` times too large."""


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


@functools.cache
def _backend() -> Backend:
    """Choose once: the extension if it can be loaded and gives the right answer, the public functions if not."""
    try:
        extension = _Extension(_load_extension())
        rows = np.eye(2, 8, 1, dtype=np.float32)
        spectra, back = np.empty((2, 5), np.complex64), np.empty_like(rows)
        extension.forward(rows, spectra)
        extension.inverse(spectra, back)
        if np.allclose(spectra, np.fft.rfft(rows)) and np.allclose(back, 8 * rows, atol=1e-5):
            return extension
    except Exception:  # a private module may change in any way; the public one then serves
        pass
    return _Public()


def _load_extension() -> ModuleType:
    """Load the compiled pocketfft from SciPy's folder without running SciPy's own imports."""
    if _EXTENSION in sys.modules:
        return sys.modules[_EXTENSION]
    package = importlib.util.find_spec("scipy")
    folders = (package and package.submodule_search_locations) or ()
    for folder in folders:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder, "fft", "_pocketfft", f"pypocketfft{suffix}")
            if path.exists():
                spec = importlib.util.spec_from_file_location("pypocketfft", path)
                assert spec is not None, path
                assert spec.loader is not None, path
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    raise ImportError(_EXTENSION)
