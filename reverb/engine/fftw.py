"""FFTW, where pyFFTW is installed: only its compiled module, with wisdom that is stored between starts.

Importing the whole package takes half a second, most of it for interfaces to SciPy and Dask that nothing here needs.
"""

import functools
import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, Complex, Real, aligned_empty
from reverb.cache import cache_folder, read_cache, write_cache
from reverb.engine.compiled import load_compiled
from reverb.once import once

Step: TypeAlias = Callable[[], object]

SIZES = (*sorted(factor << k for factor in (2, 3) for k in range(14, 17)), 320_000)
"""Lengths of rows for which `reverb tune` measures plans: with shorter ones, threads wait for Python's lock.

The longest is for responses of six seconds and more; its neighbors, nearer to powers of two, are up to a fifth slower.
"""


class Planner:
    """FFTW's planner, the backend "fftw": plans are measured, once for each length and layout, and remembered.

    Attributes
    ----------
    wisdom : tuple of bytes
        All plans that are known so far, in FFTW's own form.
    """

    name: Literal["fftw", "pocketfft", "numpy"] = "fftw"

    def __init__(self, module: Any) -> None:
        self._module = module
        self._path = cache_folder() / "fftw-wisdom.json"
        self._lock = threading.Lock()  # FFTW plans for one thread at a time
        stored = read_cache(self._path)
        if isinstance(stored, list) and len(stored) == 3 and all(isinstance(part, str) for part in stored):
            module.import_wisdom(tuple(part.encode("latin-1", "replace") for part in stored))
        self._learnt = False

    @property
    def wisdom(self) -> tuple[bytes, ...]:
        """All plans that are known so far, in FFTW's own form."""
        with self._lock:
            learnt: tuple[bytes, ...] = self._module.export_wisdom()
        return learnt

    def plan(self, source: Array, target: Array) -> Step:
        """Plan the transform of the rows of `source` into `target`; both may be overwritten."""
        execute: Step = self.plan_object(source, target).execute
        return execute

    def rows(self, size: int, dtype: npt.DTypeLike) -> "FFTWRows":
        """Return transforms of rows of `size` points that begin at cache lines."""
        return FFTWRows(self, size, dtype)

    def plan_object(self, source: Array, target: Array, *, patient: bool = False) -> Any:
        """Return FFTW's plan itself. A plan once found with patience is reused."""
        forward = target.dtype.kind == "c"
        flags = ["FFTW_PATIENT" if patient else "FFTW_MEASURE"] + ["FFTW_DESTROY_INPUT"] * (not forward)
        direction = "FFTW_FORWARD" if forward else "FFTW_BACKWARD"
        make = functools.partial(
            self._module.FFTW, source, target, axes=(-1,), direction=direction, threads=1
        )
        with self._lock:
            try:
                return make(flags=[*flags, "FFTW_WISDOM_ONLY"])
            except RuntimeError:  # not measured yet
                self._learnt = True
                return make(flags=flags)

    def knows(self, size: int) -> bool:
        """Return whether plans for single rows of `size` points in single precision have been measured."""
        time = aligned_empty((size,), np.float32)
        spectrum = aligned_empty((size // 2 + 1,), np.complex64)
        with self._lock:
            try:
                self._module.FFTW(time, spectrum, threads=1, flags=["FFTW_MEASURE", "FFTW_WISDOM_ONLY"])
            except RuntimeError:
                return False
        return True

    def learn(
        self, sizes: Sequence[int], learnt: Callable[[int], None] | None = None, *, thorough: bool = False
    ) -> str:
        """Measure plans for single rows of the given sizes in single precision, and keep them.

        Parameters
        ----------
        sizes : sequence of int
        learnt : callable, optional
            Called with each size as it is done.
        thorough : bool
            Try far more, for minutes.

        Returns
        -------
        str
            A digest of what the plans make of known rows: equal digests mean equal bits.
        """
        digest = hashlib.sha256()
        for size in sizes:
            transforms = FFTWRows(self, size, np.float32, patient=thorough)
            rows = aligned_empty((1, size), np.float32)
            spectra = aligned_empty((1, size // 2 + 1), np.complex64)
            rows[...] = np.arange(size) * 40_503 % 65_536 - 32_768
            transforms.forward(rows, spectra)
            digest.update(spectra.tobytes())
            transforms.inverse(spectra, rows)
            digest.update(rows.tobytes())
            if learnt:
                learnt(size)
        self.keep()
        return digest.hexdigest()[:16]

    def keep(self) -> None:
        """Write the wisdom to the cache folder if it has grown: to export it, FFTW keeps Python's lock for 10 ms."""
        if self._learnt:
            self._learnt = False
            write_cache(self._path, [part.decode("latin-1") for part in self.wisdom])


class FFTWRows:
    """FFTW's transforms of rows of one size, row by row. For one thread."""

    def __init__(self, planner: Planner, size: int, dtype: npt.DTypeLike, *, patient: bool = False) -> None:
        time = aligned_empty((size,), dtype)
        spectrum = aligned_empty((size // 2 + 1,), np.result_type(dtype, np.complex64))
        self._forward = planner.plan_object(time, spectrum, patient=patient)
        self._inverse = planner.plan_object(spectrum, time, patient=patient)

    def forward(self, rows: Real, spectra: Complex) -> None:
        """Transform `rows` (count, size) into `spectra`."""
        for row, spectrum in zip(rows, spectra, strict=True):
            self._forward.update_arrays(row, spectrum)
            self._forward.execute()

    def inverse(self, spectra: Complex, rows: Real) -> None:
        """Transform `spectra` back into `rows`, and overwrite them."""
        for spectrum, row in zip(spectra, rows, strict=True):
            self._inverse.update_arrays(spectrum, row)
            self._inverse.execute()


@once
def planner() -> Planner | None:
    """Return FFTW's planner, with the plans of earlier starts; None if pyFFTW is not installed."""
    module = load_compiled("pyfftw.pyfftw")
    return None if module is None else Planner(module)
