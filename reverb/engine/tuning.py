"""Measuring a machine: FFTW's plans for files, and the costs by which real-time plans are chosen."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle

import numpy as np

from reverb.arrays import aligned_zeros
from reverb.engine import fftw
from reverb.engine.fft import Backend, BackendName, Step, backend, pocketfft
from reverb.engine.machine import FFTW_COSTS, CostModel, Machine, here, save
from reverb.engine.realtime.delay_line import Scratch
from reverb.engine.two_rows import MAX_FRAMES
from reverb.errors import MissingExtraError

_ROWS = 8  # spectra that are multiplied and summed
_WIDTH = 8192  # of their columns at a time, at most
_NEAR = _ROWS * 504  # complex numbers that fit into the first cache
_FAR = _ROWS * 524296  # complex numbers that fit into no cache, like those needed again after milliseconds


@dataclass(frozen=True)
class Tuning:
    """The result of `tune`.

    Attributes
    ----------
    fftw : bool
        Whether FFTW is installed; then files of some length are rendered with it from now on.
    costs : dict of CostModel
        Of each backend of real-time FFTs that is installed.
    """

    fftw: bool
    costs: dict[BackendName, CostModel]


def tune(progress: Callable[[int, int], None] | None = None, *, thorough: bool = False) -> Tuning:
    """Measure this machine in about half a minute, and keep the result in the user's cache folder.

    Parameters
    ----------
    progress : callable, optional
        Called with the steps done and the steps in all.
    thorough : bool
        Let FFTW search for minutes; its transforms of long rows become up to a fifth quicker.
    """
    backends: tuple[BackendName, ...] = ("fftw", "pocketfft") if pocketfft() else ("fftw", "numpy")
    steps, done = len(fftw.SIZES) + len(backends), 0

    def step(_: object = None) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, steps)

    digest = learn_fftw(step, thorough=thorough)
    costs = {}
    for name in backends:
        try:
            costs[name] = measure_costs(name)
        except MissingExtraError:
            continue
        step()
    save(Machine(fftw_sizes=fftw.SIZES if digest else (), fftw_digest=digest, measured=tuple(costs.items())))
    return Tuning(bool(digest), costs)


def learn_fftw(learnt: Callable[[int], None] | None = None, *, thorough: bool = False) -> str:
    """Measure FFTW's plans for files, in some 20 seconds the first time; return their digest, "" without FFTW.

    Parameters
    ----------
    learnt : callable, optional
        Called with each size as it is done.
    thorough : bool
        Search for minutes.
    """
    planner = fftw.planner()
    return "" if planner is None else planner.learn(fftw.SIZES, learnt, thorough=thorough)


def fft_in_use() -> dict[str, str]:
    """Return which FFT serves live sound and which serves files, with versions, in words for people."""
    compiled = pocketfft()
    scipy = f"SciPy {version('scipy')}"
    names = {
        "fftw": "FFTW" if fftw.planner() is None else f"FFTW (pyFFTW {version('pyfftw')})",
        "pocketfft": f"PocketFFT ({scipy}, {compiled.__name__.rpartition('.')[2]})" if compiled else "",
        "numpy": f"NumPy {version('numpy')}, twice as slow: {scipy} has no compiled FFT of a known form",
    }
    files = names["pocketfft"] or names["numpy"]
    if learnt := len(here().fftw_sizes):
        files += f", and {names['fftw']} for {learnt} lengths of rows that `reverb tune` has measured"
    return {"live sound": names[backend().name], "files": files}


def measure_costs(fft: BackendName | None = None) -> CostModel:
    """Measure the costs of real-time convolution with a backend in single precision, in about a second.

    Parameters
    ----------
    fft : {'fftw', 'pocketfft', 'numpy'} or None
        None takes the fastest that is installed.

    Returns
    -------
    CostModel
    """
    transforms = backend(fft)
    few = aligned_zeros((8,), np.complex64)
    call = _time(lambda: np.multiply(few, few, few))
    one, two, four = (_transform(transforms, rows, 4096) for rows in (1, 2, 4))
    rows = 2 if two < 1.5 * one else 4 if four < 3 * one else 1
    small, large = _transform(transforms, 1, 128), _transform(transforms, 1, 16384)
    per_unit = (large - small) / (_units(16384) - _units(128))
    many = aligned_zeros((_NEAR,), np.complex64)
    move = (_time(lambda: np.add(many, many, many)) - call) / _NEAR
    costs = CostModel(
        call=call,
        fft_call=max(small - per_unit * _units(128), call / 4),
        fft=per_unit,
        rows=rows,
        longest=MAX_FRAMES,
        mac=_multiply_adds(_NEAR, call),
        far=_multiply_adds(_FAR, call),
        cache=FFTW_COSTS.cache,
        move=max(move, 0.05),
    )
    transforms.keep()
    return costs


def _units(frames: int) -> float:
    return frames * math.log2(frames)


def _transform(transforms: Backend, rows: int, frames: int) -> float:
    """Return the nanoseconds of the mean of a forward and an inverse transform."""
    sound, spectrum = (
        aligned_zeros((rows, frames), np.float32),
        aligned_zeros((rows, frames // 2 + 1), np.complex64),
    )
    there, back = transforms.plan(sound, spectrum), transforms.plan(spectrum, sound)
    sound[...] = 0
    spectrum[...] = 0
    return (_time(there) + _time(back)) / 2


def _multiply_adds(span: int, call: float) -> float:
    """Return the nanoseconds of a complex multiply-add while the operands wander over `span` numbers each."""
    x, h = (aligned_zeros((span,), np.complex64).reshape(_ROWS, -1) for _ in range(2))
    width = min(span // _ROWS, _WIDTH)
    total, scratch = aligned_zeros((width,), np.complex64), Scratch(_ROWS * width, np.dtype(np.complex64))
    batches = [slice(first, first + width) for first in range(0, x.shape[1] - width + 1, width)]
    batched = cycle([tuple(scratch.multiply_add(x[:, batch], h[:, batch], total)) for batch in batches])

    def step() -> None:
        for part in next(batched):
            part()

    return max(_time(step, len(batches)) - 2 * call, call / 10) / (_ROWS * width)


def _time(step: Step, multiple: int = 1) -> float:
    """Return the nanoseconds of a call: the median of several runs of about a millisecond, of a `multiple` of calls."""
    step()
    started = time.perf_counter_ns()
    step()
    once = max(time.perf_counter_ns() - started, 100)
    count = max(1, 1_000_000 // (once * multiple)) * multiple
    runs = []
    for _ in range(15):
        started = time.perf_counter_ns()
        for _ in range(count):
            step()
        runs.append((time.perf_counter_ns() - started) / count)
    return sorted(runs)[len(runs) // 2]
