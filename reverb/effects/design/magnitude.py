"""Taps from a wanted magnitude: as few as keep it within a tolerance, in linear, minimum or mixed phase."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from reverb.effects.design.phases import Phase, Taps, Zeros, kernel, magnitudes
from reverb.errors import ParameterError

Magnitude = Callable[[Taps], Taps]
"""Takes frequencies in Hz, gives linear gains ≥ 0, both of shape (n,)."""

FLOOR = 1e-3
"""Below this share of a curve's maximum (−60 dB) its tolerance counts in linear gain: a notch has no last decibel."""

_LEAST_SIZE = 1 << 12
_LARGEST_SIZE = 1 << 21
_FINER = 4  # points between which the curve could escape the transform, for each of its own
_HALVINGS = 30
_BESIDE = 1e-3  # of the spacing of a grid


class Shape(NamedTuple):
    """Taps with the index of their time zero, and the largest deviation from what was wanted, in dB."""

    taps: Taps
    latency: int
    deviation: float


def realise(
    magnitude: Magnitude,
    sample_rate: int,
    phase: Phase,
    tolerance: float,
    zeros: Sequence[float] = (),
    resolution: float = 1.0,
) -> Shape:
    """Return taps that follow a magnitude.

    The magnitude is sampled at the resolution, finer where that is not enough, and transformed. Of the kernel's
    ends as much is left out as the tolerance allows: what is left out deviates by no more than the sum of its
    absolute values.

    Parameters
    ----------
    magnitude : callable
        Linear gain over frequency in Hz.
    sample_rate : int
        In Hz.
    phase : {'linear', 'minimum', 'mixed'}
    tolerance : float
        The largest deviation in dB; below −60 dB of the curve's maximum, the linear gain that it means there.
    zeros : sequence of float
        The frequencies in Hz at which the magnitude vanishes, each as often as the order of its zero says.
    resolution : float
        Hz that the curve's finest detail is wide; what is narrower may be overlooked.

    Raises
    ------
    ParameterError
        If the curve would take more than a million taps.
    """
    size = _size(sample_rate, resolution)
    while size <= _LARGEST_SIZE:
        shape = _realised(magnitude, sample_rate, phase, tolerance, zeros, size)
        if shape is not None:
            return shape
        size *= 2
    raise ParameterError(
        f"tolerance {tolerance:g} dB takes more than {_LARGEST_SIZE // 2} taps at {sample_rate} Hz; "
        "expected a smoother curve (a lower q), or a larger tolerance"
    )


def _size(sample_rate: int, resolution: float) -> int:
    """Return the length of a transform whose points are as near to each other as the resolution asks."""
    return max(_LEAST_SIZE, 1 << math.ceil(math.log2(sample_rate / resolution)))


def _realised(
    magnitude: Magnitude,
    sample_rate: int,
    phase: Phase,
    tolerance: float,
    zeros: Sequence[float],
    size: int,
) -> Shape | None:
    """Return the shape from transforms of one size, None if that is too small."""
    grid = _grid(size, sample_rate)
    below = [frequency for frequency in zeros if frequency < sample_rate / 2]
    apart = _zeros(magnitude, sample_rate, below, grid) if below else None
    whole, zero = kernel(magnitude(grid), phase, apart)
    wanted = _fine(magnitude, sample_rate, size)
    front, back = np.cumsum(np.abs(whole[:zero])), np.cumsum(np.abs(whole[zero + 1 :][::-1]))
    allowed = (10 ** (tolerance / 20) - 1) * float(wanted.max())
    for _ in range(_HALVINGS):
        first = int(np.searchsorted(front, allowed / 2))
        last = size - 1 - int(np.searchsorted(back, allowed / 2))
        if phase == "linear":  # as much after time zero as before it
            first = max(1, min(first, 2 * zero - last))
            last = 2 * zero - first
        if last - first >= size // 2:
            return None
        taps = whole[first : last + 1]
        deviation = _deviation(taps, size, wanted, FLOOR)
        if deviation <= tolerance:
            return Shape(taps, zero - first, deviation)
        allowed /= 2
    return None


def _zeros(magnitude: Magnitude, sample_rate: int, zeros: Sequence[float], grid: Taps) -> Zeros:
    """Return the part of a magnitude that vanishes: factors ``1 − 2 cos ω₀ z⁻¹ + z⁻²``, or ``1 − z⁻¹`` at 0 Hz."""
    scale = 2 * np.pi / sample_rate
    angle = np.zeros(len(grid))
    for zero in zeros:
        # A first-order zero turns the phase from π/2, at 0 Hz; a pair by π where it is passed.
        if zero == 0.0:
            angle += np.pi / 2 - scale * grid / 2
        else:
            angle += np.pi * (grid > zero) - scale * grid

    def gain(frequencies: Taps) -> Taps:
        product = np.ones(len(frequencies))
        for zero in zeros:
            upper, lower = (np.abs(np.sin(scale / 2 * (frequencies + side * zero))) for side in (1, -1))
            product *= 2 * upper if zero == 0.0 else 4 * upper * lower
        return product

    # Where both vanish, their ratio is that of a point close by.
    beside = grid.copy()
    nearest = [round(zero / grid[1]) for zero in zeros]
    beside[nearest] += _BESIDE * grid[1]
    return Zeros(gain(grid), angle, magnitude(beside) / gain(beside))


def _grid(size: int, sample_rate: int) -> Taps:
    return np.asarray(np.fft.rfftfreq(size, 1 / sample_rate), np.float64)


def _fine(magnitude: Magnitude, sample_rate: int, size: int) -> Taps:
    """Return what is wanted on a finer grid, a row for each part that `magnitudes` gives."""
    parts = (np.minimum(frequencies, 0.5) for frequencies, _ in magnitudes(np.ones(1), _FINER * size))
    return np.stack([magnitude(frequencies * sample_rate) for frequencies in parts])


def deviation(
    taps: Taps, magnitude: Magnitude, sample_rate: int, *, resolution: float = 1.0, floor: float = FLOOR
) -> float:
    """Return the largest deviation of taps from a magnitude, in dB.

    Where the magnitude is below `floor`, a share of its maximum, the deviation counts in linear gain. The resolution is
    that of `realise`.
    """
    size = max(_size(sample_rate, resolution), 1 << (len(taps) - 1).bit_length())
    return _deviation(taps, size, _fine(magnitude, sample_rate, size), floor)


def _deviation(taps: Taps, size: int, wanted: Taps, floor: float) -> float:
    """Return the largest deviation of taps from what is wanted, in dB."""
    least, largest = floor * float(wanted.max()), 0.0
    for (frequencies, actual), row in zip(magnitudes(taps, _FINER * size), wanted, strict=True):
        error = np.abs(actual - row) / np.maximum(row, least)
        largest = max(largest, float(error[frequencies <= 0.5].max()))
    return float(20 * np.log10(1 + largest))
