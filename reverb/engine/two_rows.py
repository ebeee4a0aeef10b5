"""PocketFFT's transform of two rows as four rows of half the length.

PocketFFT uses vector instructions across four rows only, and stereo has two. So the even and the odd samples are
transformed as rows of their own, and one step of Cooley and Tukey's (1965) recursion puts them together:
``X[k] = E[k] + w[k] O[k]`` and ``X[n/2 − k] = conj(E[k] − w[k] O[k])`` with ``w[k] = exp(−2πik/n)``. Where FFTW is not
installed, a block of 128 frames through 4 s of stereo response takes 1.37 times as long without it.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from reverb.arrays import Array

Step: TypeAlias = Callable[[], object]

MAX_FRAMES = 1 << 15
"""Samples of the longest rows that are faster together: longer ones leave the second-level cache."""

_MIN_FRAMES = 1 << 11  # of shorter rows the calls take longer than the lanes save


def pays(time: Array) -> bool:
    """Return whether rows of samples are transformed faster in halves."""
    return len(time) == 2 and time.shape[1] % 4 == 0 and _MIN_FRAMES <= time.shape[1] <= MAX_FRAMES


def plan(r2c: Callable[..., Any], c2r: Callable[..., Any], source: Array, target: Array) -> Step:
    """Plan the transform of two rows, by PocketFFT's functions `r2c` and `c2r`."""
    if target.dtype.kind == "c":
        samples, (even, odd), low, high, twiddles = _halves(source, target)
        return sequence(
            functools.partial(r2c, samples, (2,), True, 0, even.base, 1),
            functools.partial(np.multiply, odd, twiddles, odd),
            *_each_row(np.add, even, odd, low),
            functools.partial(np.subtract, even, odd, even),
            *_each_row(np.conjugate, even, high),
        )
    samples, (even, odd), low, high, twiddles = _halves(target, source)
    return sequence(
        *_each_row(np.conjugate, high, odd),
        *_each_row(np.add, low, odd, even),
        *_each_row(np.subtract, low, odd, odd),
        functools.partial(np.multiply, odd, twiddles.conj(), odd),
        functools.partial(c2r, even.base, (2,), target.shape[1] // 2, False, 0, samples, 1),
    )


def _halves(time: Array, spectrum: Array) -> tuple[Array, tuple[Array, Array], Array, Array, Array]:
    """Return views of the samples and of the spectrum by half the length, room for both spectra, and twiddles."""
    rows, frames = time.shape
    quarter = frames // 4
    samples = time.reshape(rows, frames // 2, 2).transpose(2, 0, 1)
    parts = np.zeros((2, rows, quarter + 1), spectrum.dtype)
    twiddles = np.exp(-2j * np.pi * np.arange(quarter + 1) / frames)
    return (
        samples,
        (parts[0], parts[1]),
        spectrum[:, : quarter + 1],
        spectrum[:, : quarter - 1 : -1],
        np.tile(twiddles, (rows, 1)).astype(spectrum.dtype),
    )


def _each_row(function: Callable[..., object], *arrays: Array) -> Iterator[Step]:
    """Yield a step for each row: NumPy would copy rows that are not contiguous into a buffer first."""
    return (functools.partial(function, *rows) for rows in zip(*arrays, strict=True))


def sequence(*steps: Step) -> Step:
    """Return one step that does several, one after the other."""
    return functools.partial(_run, steps)


def _run(steps: tuple[Step, ...]) -> None:
    for step in steps:
        step()
