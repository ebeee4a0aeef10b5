"""Real FFTs for real time: plans for fixed arrays, made once, then executed by a call without arguments.

Three backends give the same spectra: FFTW (through pyFFTW, where it is installed), SciPy's PocketFFT by its C
function (single precision in single precision, without the 3 µs of dispatch around ``scipy.fft``), and NumPy's
public functions. FFTW's plans are measured once and kept as wisdom (`reverb.engine.fftw`), so that the next start is
instant.

All transforms run along the last axis; the inverse is not scaled (a round trip multiplies by the length) and may
destroy its input.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from reverb.engine import fftw
from reverb.engine.aligned import aligned_zeros
from reverb.engine.fft import pocketfft
from reverb.errors import MissingExtraError, UnknownNameError, missing_extra
from reverb.once import once

Array: TypeAlias = npt.NDArray[Any]
Step: TypeAlias = Callable[[], object]

LONGEST_TOGETHER = 1 << 15
"""Most samples of rows that PocketFFT transforms together to advantage: more leave the second-level cache."""


class Backend(Protocol):
    """A maker of FFT plans."""

    name: str

    def forward(self, time: Array, spectrum: Array) -> Step:
        """Plan the transform of `time` ``(rows, n)`` into `spectrum` ``(rows, n // 2 + 1)``."""

    def inverse(self, spectrum: Array, time: Array) -> Step:
        """Plan the unscaled inverse transform of `spectrum` into `time`."""

    def keep(self) -> None:
        """Remember on disk what planning has learnt, if anything."""


class FFTW:
    """FFTW plans, measured once per length and layout and kept as wisdom."""

    name = "fftw"

    def __init__(self) -> None:
        planner = fftw.planner()
        if planner is None:
            raise missing_extra("fftw", "FFTW needs pyFFTW")
        self._planner = planner

    def forward(self, time: Array, spectrum: Array) -> Step:
        """Plan a forward transform; overwrites both arrays."""
        execute: Step = self._planner.plan(time, spectrum).execute
        return execute

    def inverse(self, spectrum: Array, time: Array) -> Step:
        """Plan an inverse transform; overwrites both arrays."""
        execute: Step = self._planner.plan(spectrum, time).execute
        return execute

    def keep(self) -> None:
        """Write the wisdom to the cache folder if it has grown."""
        self._planner.keep()


class PocketFFT:
    """SciPy's C++ PocketFFT, called directly and into given arrays.

    It uses vector instructions across four rows only. Two rows are therefore transformed as their even and odd
    samples, four rows of half the length, and put together by one step of Cooley and Tukey's (1965) recursion:
    ``X[k] = E[k] + w[k] O[k]`` and ``X[n/2 − k] = conj(E[k] − w[k] O[k])`` with ``w[k] = exp(−2πik/n)``.
    """

    name = "pocketfft"

    def __init__(self) -> None:
        module = pocketfft()
        if module is None:
            raise MissingExtraError("this SciPy has no PocketFFT of the known form; use the backend 'numpy'")
        self._r2c, self._c2r = module.r2c, module.c2r

    def forward(self, time: Array, spectrum: Array) -> Step:
        """Bind a forward transform (PocketFFT keeps its twiddles in a cache of its own)."""
        if not _in_halves(time):
            return functools.partial(self._r2c, time, (1,), True, 0, spectrum, 1)
        samples, (even, odd), low, high, twiddles = _halves(time, spectrum)
        return _sequence(
            functools.partial(self._r2c, samples, (2,), True, 0, even.base, 1),
            functools.partial(np.multiply, odd, twiddles, odd),
            *_each_row(np.add, even, odd, low),
            functools.partial(np.subtract, even, odd, even),
            *_each_row(np.conjugate, even, high),
        )

    def inverse(self, spectrum: Array, time: Array) -> Step:
        """Bind an unscaled inverse transform."""
        if not _in_halves(time):
            return functools.partial(self._c2r, spectrum, (1,), time.shape[1], False, 0, time, 1)
        samples, (even, odd), low, high, twiddles = _halves(time, spectrum)
        return _sequence(
            *_each_row(np.conjugate, high, odd),
            *_each_row(np.add, low, odd, even),
            *_each_row(np.subtract, low, odd, odd),
            functools.partial(np.multiply, odd, twiddles.conj(), odd),
            functools.partial(self._c2r, even.base, (2,), time.shape[1] // 2, False, 0, samples, 1),
        )

    def keep(self) -> None:
        """Nothing is learnt."""


def _in_halves(time: Array) -> bool:
    """Whether the detour over half the length pays, which it does between its calls and the cache's end."""
    return len(time) == 2 and time.shape[1] % 4 == 0 and 2048 <= time.shape[1] <= LONGEST_TOGETHER


def _halves(time: Array, spectrum: Array) -> tuple[Array, tuple[Array, Array], Array, Array, Array]:
    """Give views of the samples and of the spectrum by half the length, room for both spectra, and twiddles."""
    rows, frames = time.shape
    quarter = frames // 4
    samples = time.reshape(rows, frames // 2, 2).transpose(2, 0, 1)
    parts = np.zeros((2, rows, quarter + 1), spectrum.dtype)
    twiddles = np.tile(np.exp(-2j * np.pi * np.arange(quarter + 1) / frames), (rows, 1)).astype(
        spectrum.dtype
    )
    return (
        samples,
        (parts[0], parts[1]),
        spectrum[:, : quarter + 1],
        spectrum[:, : quarter - 1 : -1],
        twiddles,
    )


def _each_row(function: Callable[..., object], *arrays: Array) -> Iterator[Step]:
    """Give a step for each row: NumPy would copy rows that do not lie end to end into a buffer first."""
    return (functools.partial(function, *rows) for rows in zip(*arrays, strict=True))


def _sequence(*steps: Step) -> Step:
    """Return the call of some steps one after the other."""
    return functools.partial(_walk, steps)


def _walk(steps: tuple[Step, ...]) -> None:
    for step in steps:
        step()


class NumpyFFT:
    """NumPy's public real FFT, which computes in double precision: single precision goes through arrays of its own."""

    name = "numpy"

    def forward(self, time: Array, spectrum: Array) -> Step:
        """Bind ``numpy.fft.rfft``."""
        doubles, spectra = _in_double(time), _in_double(spectrum)
        transform = functools.partial(np.fft.rfft, doubles, axis=1, out=spectra)
        if doubles is time:
            return transform
        return _sequence(
            functools.partial(np.copyto, doubles, time),
            transform,
            functools.partial(np.copyto, spectrum, spectra, "same_kind"),
        )

    def inverse(self, spectrum: Array, time: Array) -> Step:
        """Bind an unscaled ``numpy.fft.irfft``."""
        doubles, spectra = _in_double(time), _in_double(spectrum)
        transform = functools.partial(
            np.fft.irfft, spectra, time.shape[1], axis=1, norm="forward", out=doubles
        )
        if doubles is time:
            return transform
        return _sequence(
            functools.partial(np.copyto, spectra, spectrum),
            transform,
            functools.partial(np.copyto, time, doubles, "same_kind"),
        )

    def keep(self) -> None:
        """Nothing is learnt."""


def _in_double(array: Array) -> Array:
    """Return an array itself if it is of double precision, or else room for its numbers in it."""
    kind = np.result_type(array.dtype, np.float64)
    return array if array.dtype == kind else aligned_zeros(array.shape, kind)


BackendName: TypeAlias = Literal["fftw", "pocketfft", "numpy"]
"""Of a backend, the fastest first."""

_BACKENDS: dict[str, Callable[[], Backend]] = dict(
    zip(get_args(BackendName), (FFTW, PocketFFT, NumpyFFT), strict=True)
)


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
    for maker in _BACKENDS.values():
        try:
            return maker()
        except MissingExtraError:
            continue
    raise AssertionError("NumPy is always there")
