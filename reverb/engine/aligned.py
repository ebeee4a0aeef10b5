"""Arrays that begin where the processor's caches and vector registers like it."""

from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


def aligned_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros as `aligned_empty` lays them out, their memory touched."""
    array = aligned_empty(shape, dtype)
    assert array.base is not None
    array.base[...] = 0  # without the interpreter's lock, which `np.zeros` may keep for milliseconds
    return array


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Room that begins at a cache line and whose rows do too: a padded array, cut to `shape`."""
    kind = np.dtype(dtype)
    unit = _ALIGNMENT // kind.itemsize
    row = -(-shape[-1] // unit) * unit
    if len(shape) > 1 and row * kind.itemsize % 4096 == 0:
        row += unit  # rows a whole number of pages apart would fight for the same cache lines
    size = int(np.prod(shape[:-1], dtype=np.int64)) * row
    buffer = np.empty(size * kind.itemsize + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    array = buffer[start : start + size * kind.itemsize].view(kind)
    return array.reshape(*shape[:-1], row)[..., : shape[-1]]
