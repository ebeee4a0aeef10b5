"""The one door to real FFTs, for both engines.

A backend plans the transform of one array into another, as a call without arguments (`Backend.plan`, for real time), or
makes the transforms of one thread for any number of rows of one size (`Backend.rows`, for files). All transforms run
along the last axis, real to complex or back by the types of the arrays. The inverse is not scaled (a round trip
multiplies by the length), and its plans may overwrite their input.

Three backends give the same spectra but for rounding: FFTW, where pyFFTW is installed; SciPy's compiled PocketFFT,
which keeps single precision; and NumPy's public functions. FFTW is the fastest on single rows, but its plans must be
measured. PocketFFT transforms four rows side by side in the lanes of a vector register, at twice the speed.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, Complex, Real, aligned_zeros
from reverb.engine import fftw, two_rows
from reverb.engine.compiled import load_compiled
from reverb.errors import MissingExtraError, UnknownNameError, missing_extra
from reverb.once import once

Step: TypeAlias = Callable[[], object]
"""A prepared piece of work: a call without arguments."""

BackendName: TypeAlias = Literal["fftw", "pocketfft", "numpy"]
"""Of a backend, the fastest first."""

Kind: TypeAlias = Literal["pocketfft", "fftw"]
"""Of the transforms of files; where SciPy has no compiled FFT of a known form, NumPy's stand in for PocketFFT's."""

LANES = 4
"""Rows that PocketFFT transforms in the time of about two single ones."""

_EXTENSIONS = ("scipy.fft._pocketfft.pypocketfft", "scipy.fft._duccfft.pyduccfft")
"""SciPy's compiled FFTs, up to version 1.17 and from 1.18 on: other names, the same functions.

They are loaded alone: to import `scipy.fft` costs more than rendering a short file, because it loads `scipy.special`.
"""


class Transforms(Protocol):
    """Transforms of any number of rows of one size. For one thread."""

    def forward(self, rows: Real, spectra: Complex) -> None:
        """Transform `rows` (count, size) into `spectra` (count, size // 2 + 1)."""

    def inverse(self, spectra: Complex, rows: Real) -> None:
        """Transform `spectra` back into `rows`, which come out `size` times too large."""


class Backend(Protocol):
    """A library that transforms."""

    name: BackendName

    def plan(self, source: Array, target: Array) -> Step:
        """Plan a transform of the rows of `source` into `target`; planning may overwrite both."""

    def rows(self, size: int, dtype: npt.DTypeLike) -> Transforms:
        """Return transforms of rows of `size` points; for FFTW every row must begin at a cache line."""

    def keep(self) -> None:
        """Write newly measured plans to the cache folder."""


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


@once
def backend(name: BackendName | None = None) -> Backend:
    """Return the backend of that name, or the fastest that this installation has.

    Parameters
    ----------
    name : {'fftw', 'pocketfft', 'numpy'} or None

    Raises
    ------
    UnknownNameError
        If there is no backend of that name.
    MissingExtraError
        If it is not installed.
    """
    if name is not None:
        if name not in _BACKENDS:
            raise UnknownNameError(f"no FFT backend {name!r}; choose from {', '.join(_BACKENDS)}")
        return _BACKENDS[name]()
    for make in _BACKENDS.values():
        try:
            return make()
        except MissingExtraError:
            continue
    raise AssertionError("NumPy is always there")


def transforms(kind: Kind, size: int, dtype: npt.DTypeLike) -> Transforms:
    """Return one thread's transforms of rows of `size` points; for FFTW every row must begin at a cache line."""
    return (backend("fftw") if kind == "fftw" else _without_planning()).rows(size, dtype)


def forward(rows: Real, spectra: Complex) -> None:
    """Transform each row, without planning and scaling.

    Parameters
    ----------
    rows : ndarray, shape (count, size)
        float32 or float64. Four rows or more run twice as fast as single ones.
    spectra : ndarray, shape (count, size // 2 + 1)
        Receives the result, of the matching precision.
    """
    _without_planning().rows(rows.shape[1], rows.dtype).forward(rows, spectra)


def inverse(spectra: Complex, rows: Real) -> None:
    """Transform spectra back, without planning and scaling: after `forward` they come out `size` times too large.

    Parameters
    ----------
    spectra : ndarray, shape (count, size // 2 + 1)
        complex64 or complex128.
    rows : ndarray, shape (count, size)
        Receives the result, of the matching precision.
    """
    _without_planning().rows(rows.shape[1], rows.dtype).inverse(spectra, rows)


@once
def pocketfft() -> ModuleType | None:
    """Return SciPy's compiled PocketFFT if it can be loaded and is right, without SciPy's own imports.

    It is private, and may change in any way.
    """
    return next((module for module in map(load_compiled, _EXTENSIONS) if module and _is_right(module)), None)


def _is_right(module: ModuleType) -> bool:
    """Return whether a compiled module transforms two known rows there and back in the form that is used here."""
    rows = np.eye(2, 8, 1, dtype=np.float32)  # a click one sample late, and one two
    expected = np.exp(-0.25j * np.pi * np.outer([1, 2], np.arange(5)))
    spectra, back = np.empty((2, 5), np.complex64), np.empty_like(rows)
    try:
        tried = PocketFFT(module)
        tried.forward(rows, spectra)
        tried.inverse(spectra, back)
    except Exception:
        return False
    # A NaN does not agree.
    return bool(np.abs(spectra - expected).max() < 1e-5 and np.abs(back - 8 * rows).max() < 1e-5)


class PocketFFT:
    """SciPy's compiled PocketFFT, called directly: it writes into given arrays, without 3 µs of dispatch.

    It keeps its twiddle factors in a cache of its own and plans nothing, so that it is its own `Transforms`.
    """

    name: BackendName = "pocketfft"

    def __init__(self, module: ModuleType) -> None:
        self._r2c, self._c2r = module.r2c, module.c2r

    def forward(self, rows: Real, spectra: Complex) -> None:
        """Transform `rows` (count, size) into `spectra`."""
        self._r2c(rows, (1,), True, 0, spectra, 1)

    def inverse(self, spectra: Complex, rows: Real) -> None:
        """Transform `spectra` back into `rows` (count, size)."""
        self._c2r(spectra, (1,), rows.shape[1], False, 0, rows, 1)

    def rows(self, size: int, dtype: npt.DTypeLike) -> Transforms:  # noqa: ARG002  # of any size and type
        """Return itself."""
        return self

    def plan(self, source: Array, target: Array) -> Step:
        """Bind a transform; of two rows that are long enough, as four rows of half the length."""
        forwards = target.dtype.kind == "c"
        if two_rows.pays(source if forwards else target):
            return two_rows.plan(self._r2c, self._c2r, source, target)
        if forwards:
            return functools.partial(self._r2c, source, (1,), True, 0, target, 1)
        return functools.partial(self._c2r, source, (1,), target.shape[1], False, 0, target, 1)

    def keep(self) -> None:
        """Do nothing: nothing is measured."""


class NumpyFFT:
    """NumPy's public real FFT, in double precision, in which it is quicker than in single."""

    name: BackendName = "numpy"

    def forward(self, rows: Real, spectra: Complex) -> None:
        """Transform `rows` (count, size) into `spectra`."""
        spectra[...] = np.fft.rfft(rows.astype(np.float64, copy=False), axis=1)

    def inverse(self, spectra: Complex, rows: Real) -> None:
        """Transform `spectra` back into `rows` (count, size)."""
        # The norm "forward" leaves the inverse unscaled.
        doubles = spectra.astype(np.complex128, copy=False)
        rows[...] = np.fft.irfft(doubles, rows.shape[1], axis=1, norm="forward")

    def rows(self, size: int, dtype: npt.DTypeLike) -> Transforms:  # noqa: ARG002  # of any size and type
        """Return itself."""
        return self

    def plan(self, source: Array, target: Array) -> Step:
        """Bind a transform; single precision goes through arrays of its own."""
        given, made = _in_double(source), _in_double(target)
        if target.dtype.kind == "c":
            transform: Step = functools.partial(np.fft.rfft, given, axis=1, out=made)
        else:
            frames = target.shape[1]
            transform = functools.partial(np.fft.irfft, given, frames, axis=1, norm="forward", out=made)
        if given is source:
            return transform
        return two_rows.sequence(
            functools.partial(np.copyto, given, source),
            transform,
            functools.partial(np.copyto, target, made, "same_kind"),
        )

    def keep(self) -> None:
        """Do nothing: nothing is measured."""


def _in_double(array: Array) -> Array:
    """Return an array itself if it is of double precision, or else room for its numbers in it."""
    kind = np.result_type(array.dtype, np.float64)
    return array if array.dtype == kind else aligned_zeros(array.shape, kind)


def _fftw() -> Backend:
    planner = fftw.planner()
    if planner is None:
        raise missing_extra("fftw", "FFTW needs pyFFTW")
    return planner


def _pocketfft() -> Backend:
    module = pocketfft()
    if module is None:
        raise MissingExtraError("this SciPy has no PocketFFT of the known form; use the backend 'numpy'")
    return PocketFFT(module)


_BACKENDS: dict[str, Callable[[], Backend]] = dict(
    zip(get_args(BackendName), (_fftw, _pocketfft, NumpyFFT), strict=True)
)


@once
def _without_planning() -> Backend:
    """Return the faster backend of those that need no plans."""
    module = pocketfft()
    return NumpyFFT() if module is None else PocketFFT(module)
