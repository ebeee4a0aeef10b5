"""The measured properties of a machine, as one value that is an argument of planning.

`reverb tune` measures it (`reverb.engine.tuning`) and keeps it in the user's cache folder, from where `here` reads it.
Without a measurement the built-in costs serve, which suit ordinary machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log2
from pathlib import Path
from typing import NamedTuple, get_args

from reverb.cache import cache_folder, read_cache, write_cache
from reverb.checks import instance
from reverb.engine import fftw
from reverb.engine.fft import BackendName
from reverb.engine.two_rows import MAX_FRAMES
from reverb.errors import ParameterError
from reverb.once import once


class CostModel(NamedTuple):
    """Costs of the operations of real-time convolution with one FFT backend, in nanoseconds.

    Attributes
    ----------
    fft_call : float
        One call of an FFT plan.
    fft : float
        A real FFT of one row, per ``n log2 n``.
    call : float
        One NumPy call on little data.
    rows : int
        How many rows the FFT transforms in little more time than one (1: each takes its own).
    longest : int
        Samples of a row up to which that is so.
    mac : float
        One complex multiply-add, product and sum, of numbers in the cache.
    far : float
        The same, of numbers from memory.
    cache : int
        Complex numbers of a stage that stay in the cache between its turns.
    move : float
        Copying or adding one complex number, or two real ones.
    """

    fft_call: float
    fft: float
    call: float = 300
    rows: int = 1
    longest: int = 1
    mac: float = 0.3
    far: float = 0.9
    cache: int = 100_000
    move: float = 0.12

    def transform(self, frames: int, rows: int) -> int:
        """Return the cost of one FFT call over `rows` rows of `frames` real samples."""
        if frames <= self.longest and self.rows > 1:
            vectors, single = divmod(rows, self.rows)
            rows = vectors * (self.rows + 1) // 2 + single
        return round(self.fft_call + self.fft * rows * frames * log2(frames))


FFTW_COSTS = CostModel(fft_call=100, fft=0.07)
POCKETFFT_COSTS = CostModel(fft_call=800, fft=0.28, rows=2, longest=MAX_FRAMES)
NUMPY_COSTS = CostModel(fft_call=5000, fft=0.4, rows=2, longest=MAX_FRAMES)
_BUILT_IN: Mapping[BackendName, CostModel] = {
    "fftw": FFTW_COSTS,
    "pocketfft": POCKETFFT_COSTS,
    "numpy": NUMPY_COSTS,
}


class FileCosts(NamedTuple):
    """Costs of the operations of offline convolution, in nanoseconds on one core; only their ratios matter.

    They differ from a `CostModel`: rows of FFTs come in batches here, and large arrays leave the caches. Measured once,
    on one x86-64 core, and the same everywhere, so that they do not make plans differ.

    Attributes
    ----------
    single_flop, lane_flop, fftw_flop : float
        A floating-point operation (2.5 N log2 N of them) of a real FFT: of one row at a time; of
        `reverb.engine.fft.LANES` rows or more; with FFTW.
    near_fft, far_fft : int
        Points of an FFT up to which several rows at once run at full speed, and from which they leave the caches.
    multiply_add : float
        A complex multiply-add over arrays.
    move : float
        Copying, padding or overlap-adding a frame.
    call : float
        The calls of one batch of FFT rows, however short it is.
    """

    single_flop: float = 1 / 9.3
    lane_flop: float = 1 / 21.5
    fftw_flop: float = 1 / 28
    near_fft: int = 1 << 17
    far_fft: int = 400_000
    multiply_add: float = 0.5
    move: float = 0.7
    call: float = 10_000.0


FILE_COSTS = FileCosts()


class Machine(NamedTuple):
    """The machine's share in planning. Equal machines make equal plans, and equal bytes.

    ``Machine()`` is any machine before `reverb tune`: built-in costs, and no FFTW for files.

    Attributes
    ----------
    fftw_sizes : tuple of int
        Lengths of single-precision rows that files are transformed with by FFTW's measured plans.
    fftw_digest : str
        Names those plans: equal digests mean equal bits.
    measured : tuple of (backend name, CostModel)
        Costs of real-time convolution.
    """

    fftw_sizes: tuple[int, ...] = ()
    fftw_digest: str = ""
    measured: tuple[tuple[BackendName, CostModel], ...] = ()

    @classmethod
    def of(cls, costs: CostModel) -> Machine:
        """Return a machine with these costs of real-time convolution for every backend."""
        return cls(measured=tuple((name, costs) for name in get_args(BackendName)))

    @property
    def digest(self) -> str:
        """Names everything that decides about the bytes of a file; the costs of real time do not."""
        return self.fftw_digest if self.fftw_sizes else ""

    def costs(self, backend: BackendName) -> CostModel:
        """Return the costs of real-time convolution with a backend: measured, or else built in."""
        return dict(self.measured).get(backend, _BUILT_IN[backend])

    def sizes(self, itemsize: int) -> tuple[int, ...]:
        """Return the lengths of rows that FFTW transforms, for samples of 4 or 8 bytes."""
        return self.fftw_sizes if itemsize == 4 else ()


def here() -> Machine:
    """Return this machine as `reverb tune` has measured it, or ``Machine()``; the cache folder is read once."""
    return _read(_path())


def save(machine: Machine) -> None:
    """Keep a measured machine in the user's cache folder, for `here`."""
    content = {
        "fftw_sizes": machine.fftw_sizes,
        "fftw_digest": machine.fftw_digest,
        "costs": {name: costs._asdict() for name, costs in machine.measured},
    }
    write_cache(_path(), content)
    _read.cache_clear()


def followed(machine: Machine | None) -> Machine:
    """Return a machine whose plans this one can follow: the given one, or this one for None.

    Raises
    ------
    ParameterError
        If it names FFTW's plans, and this machine has others or none.
    """
    if machine is None:
        return here()
    instance("machine", machine, Machine, "a Machine or None")
    if machine.digest and machine.digest != here().digest:
        raise ParameterError(
            f"machine has FFTW's plans {machine.digest}; expected {here().digest or 'none'}, this machine's own, or "
            "Machine(), which every machine can follow"
        )
    return machine


@once
def _read(path: Path) -> Machine:
    stored = read_cache(path)
    if not isinstance(stored, dict):
        return Machine()
    sizes, digest, costs = (stored.get(name) for name in ("fftw_sizes", "fftw_digest", "costs"))
    known = sizes if isinstance(sizes, list) and isinstance(digest, str) and digest else []
    learnt = tuple(size for size in fftw.SIZES if size in known)
    planner = fftw.planner() if learnt else None
    if planner is None or not planner.knows(learnt[0]):  # without its wisdom, FFTW would find other plans
        learnt, digest = (), ""
    models = (
        {name: _cost_model(costs.get(name)) for name in get_args(BackendName)}
        if isinstance(costs, dict)
        else {}
    )
    measured = tuple((name, model) for name, model in models.items() if model is not None)
    return Machine(fftw_sizes=learnt, fftw_digest=str(digest), measured=measured)


def _cost_model(stored: object) -> CostModel | None:
    names = set(CostModel._fields)
    if isinstance(stored, dict) and stored.keys() == names and all(_positive(v) for v in stored.values()):
        return CostModel(**stored)
    return None


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < inf


def _path() -> Path:
    return cache_folder() / "machine.json"
