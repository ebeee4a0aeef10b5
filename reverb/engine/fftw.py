"""FFTW, where pyFFTW is installed: its compiled module alone, and the wisdom kept between starts.

Importing the whole package takes half a second, most of it for interfaces to SciPy and Dask that nothing here needs.
"""

import functools
import threading
from typing import Any

import numpy.typing as npt

from reverb.cache import cache_folder, read_cache, write_cache
from reverb.engine.compiled import load_compiled
from reverb.once import once


class Planner:
    """FFTW's planner: plans are measured, once for each length and layout on this machine, and then remembered.

    Attributes
    ----------
    wisdom : tuple of bytes
        What has been learnt so far.
    """

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
        """What has been learnt so far."""
        with self._lock:
            learnt: tuple[bytes, ...] = self._module.export_wisdom()
        return learnt

    def plan(self, source: npt.NDArray[Any], target: npt.NDArray[Any], *, patient: bool = False) -> Any:
        """Plan the transform of the rows of `source` into `target`, real to complex or back; both may be overwritten.

        What was once found with patience, by trying far more, is found again without.
        """
        forward = target.dtype.kind == "c"
        flags = ["FFTW_PATIENT" if patient else "FFTW_MEASURE"] + ["FFTW_DESTROY_INPUT"] * (not forward)
        direction = "FFTW_FORWARD" if forward else "FFTW_BACKWARD"
        make = functools.partial(
            self._module.FFTW, source, target, axes=(-1,), direction=direction, threads=1
        )
        with self._lock:
            try:
                return make(flags=[*flags, "FFTW_WISDOM_ONLY"])
            except RuntimeError:  # nothing is known of such rows
                self._learnt = True
                return make(flags=flags)

    def keep(self) -> None:
        """Write the wisdom to the cache folder if it has grown: to spell it out, FFTW keeps Python's lock for 10 ms."""
        if self._learnt:
            self._learnt = False
            write_cache(self._path, [part.decode("latin-1") for part in self.wisdom])


@once
def planner() -> Planner | None:
    """Return FFTW's planner, with what was learnt at earlier starts; None if pyFFTW is not installed."""
    module = load_compiled("pyfftw.pyfftw")
    return None if module is None else Planner(module)
