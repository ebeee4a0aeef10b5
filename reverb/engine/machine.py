"""What transforms and multiply-adds cost on this machine: measured when asked, then kept beside the wisdom.

Without a measurement the built-in costs serve, which suit ordinary machines: the plans differ little, and the
sound not at all.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from itertools import cycle
from pathlib import Path

import numpy as np

from reverb.cache import cache_folder, read_cache, write_cache
from reverb.engine.aligned import aligned_zeros
from reverb.engine.fft_plans import LONGEST_TOGETHER, Backend, BackendName, Step, backend
from reverb.engine.realtime.delay_line import Scratch
from reverb.engine.realtime.schedule import FFTW_COSTS, NUMPY_COSTS, POCKETFFT_COSTS, CostModel

_ROWS = 8  # spectra that are multiplied and summed
_WIDTH = 8192  # of their columns at a time, at most
_NEAR = _ROWS * 504  # complex numbers that fit into the first cache
_FAR = _ROWS * 524296  # complex numbers that fit into no cache, as what is needed again after milliseconds
_BUILT_IN = {"fftw": FFTW_COSTS, "pocketfft": POCKETFFT_COSTS, "numpy": NUMPY_COSTS}


def known_costs(fft: BackendName | None = None) -> CostModel:
    """Return what has been measured for a backend on this machine, or the built-in costs."""
    transforms = backend(fft)
    stored = read_cache(_path(transforms))
    names = {field.name for field in fields(CostModel)}
    if isinstance(stored, dict) and stored.keys() == names and all(_positive(v) for v in stored.values()):
        return CostModel(**stored)
    return _BUILT_IN[transforms.name]


def measure_costs(fft: BackendName | None = None) -> CostModel:
    """Measure the costs for a backend in single precision, in about a second, and keep them for `known_costs`.

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
        longest=LONGEST_TOGETHER,
        mac=_multiply_adds(_NEAR, call),
        far=_multiply_adds(_FAR, call),
        cache=FFTW_COSTS.cache,
        move=max(move, 0.05),
    )
    transforms.keep()
    write_cache(_path(transforms), asdict(costs))
    return costs


def _path(transforms: Backend) -> Path:
    return cache_folder() / f"costs-{transforms.name}.json"


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf


def _units(frames: int) -> float:
    return frames * math.log2(frames)


def _transform(transforms: Backend, rows: int, frames: int) -> float:
    """Nanoseconds of the mean of a forward and an inverse transform."""
    sound, spectrum = (
        aligned_zeros((rows, frames), np.float32),
        aligned_zeros((rows, frames // 2 + 1), np.complex64),
    )
    there, back = transforms.forward(sound, spectrum), transforms.inverse(spectrum, sound)
    sound[...] = 0
    spectrum[...] = 0
    return (_time(there) + _time(back)) / 2


def _multiply_adds(span: int, call: float) -> float:
    """Nanoseconds of a complex multiply-add while the operands wander over `span` numbers each."""
    x, h = (aligned_zeros((span,), np.complex64).reshape(_ROWS, -1) for _ in range(2))
    width = min(span // _ROWS, _WIDTH)
    total, scratch = aligned_zeros((width,), np.complex64), Scratch(_ROWS * width, np.dtype(np.complex64))
    batches = [slice(first, first + width) for first in range(0, x.shape[1] - width + 1, width)]
    turns = cycle([tuple(scratch.multiply_add(x[:, batch], h[:, batch], total)) for batch in batches])

    def step() -> None:
        for part in next(turns):
            part()

    return max(_time(step, len(batches)) - 2 * call, call / 10) / (_ROWS * width)


def _time(step: Step | Callable[[], object], turns: int = 1) -> float:
    """Nanoseconds of a call: the middle one of several tries of about a millisecond, in multiples of `turns`."""
    step()
    started = time.perf_counter_ns()
    step()
    once = max(time.perf_counter_ns() - started, 100)
    count = max(1, 1_000_000 // (once * turns)) * turns
    tries = []
    for _ in range(15):
        started = time.perf_counter_ns()
        for _ in range(count):
            step()
        tries.append((time.perf_counter_ns() - started) / count)
    return sorted(tries)[len(tries) // 2]
