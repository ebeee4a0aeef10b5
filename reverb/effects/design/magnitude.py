"""The fewest taps that follow a magnitude within a tolerance, in linear, minimum or mixed phase."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from reverb.arrays import Double
from reverb.choices import Phase
from reverb.effects.design.phases import Zeros, impulse_response, magnitudes
from reverb.errors import ParameterError

Magnitude = Callable[[Double], Double]
"""Maps frequencies in Hz to linear gains ≥ 0, both of shape (n,)."""

FLOOR = 1e-3
"""Share of a curve's maximum (−60 dB) below which the tolerance applies to linear gain, as in a notch's bottom."""

_MIN_SIZE = 1 << 12
_MAX_SIZE = 1 << 21
_CHECKS_PER_POINT = 4  # on a finer grid, as the taps can deviate between the points of the transform
_MAX_HALVINGS = 30
_NEARBY = 1e-3  # of the spacing of a grid


class Approximation(NamedTuple):
    """Taps, the index of their time zero, and their largest deviation from the magnitude in dB."""

    taps: Double
    latency: int
    deviation_db: float


def approximate(
    magnitude: Magnitude,
    sample_rate: int,
    phase: Phase,
    tolerance: float,
    zeros: Sequence[float] = (),
    resolution: float = 1.0,
) -> Approximation:
    """Return taps that follow a magnitude.

    The magnitude is sampled at the resolution, or more finely if that is not enough, and transformed to an impulse
    response. Its ends are cut off as far as the tolerance allows, given that the deviation is at most the sum of the
    absolute values cut off.

    Parameters
    ----------
    magnitude : callable
        Linear gain over frequency in Hz.
    sample_rate : int
        In Hz.
    phase : {'linear', 'minimum', 'mixed'}
    tolerance : float
        Largest deviation in dB; more than 60 dB below the curve's maximum, the linear gain to which it corresponds at
        −60 dB.
    zeros : sequence of float
        Frequencies in Hz at which the magnitude is zero, each repeated by the order of the zero.
    resolution : float
        Width of the curve's finest detail in Hz; narrower details may be missed.

    Raises
    ------
    ParameterError
        If the curve would need more than a million taps.
    """
    size = _size(sample_rate, resolution)
    while size <= _MAX_SIZE:
        found = _approximated(magnitude, sample_rate, phase, tolerance, zeros, size)
        if found is not None:
            return found
        size *= 2
    raise ParameterError(
        f"tolerance {tolerance:g} dB takes more than {_MAX_SIZE // 2} taps at {sample_rate} Hz; "
        "expected a smoother curve (a lower q), or a larger tolerance"
    )


def _size(sample_rate: int, resolution: float) -> int:
    """Return the length of a transform with points no further apart than the resolution, a power of two."""
    return max(_MIN_SIZE, 1 << math.ceil(math.log2(sample_rate / resolution)))


def _approximated(
    magnitude: Magnitude,
    sample_rate: int,
    phase: Phase,
    tolerance: float,
    zeros: Sequence[float],
    size: int,
) -> Approximation | None:
    """Return the approximation from transforms of one size, or None if that is too small."""
    grid = _grid(size, sample_rate)
    below = [frequency for frequency in zeros if frequency < sample_rate / 2]
    factored = _zeros(magnitude, sample_rate, below, grid) if below else None
    response, zero = impulse_response(magnitude(grid), phase, factored)
    exact = _on_fine_grid(magnitude, sample_rate, size)
    front, back = np.cumsum(np.abs(response[:zero])), np.cumsum(np.abs(response[zero + 1 :][::-1]))
    allowed = (10 ** (tolerance / 20) - 1) * float(exact.max())
    for _ in range(_MAX_HALVINGS):
        first = int(np.searchsorted(front, allowed / 2))
        last = size - 1 - int(np.searchsorted(back, allowed / 2))
        if phase == "linear":  # symmetric about time zero
            first = max(1, min(first, 2 * zero - last))
            last = 2 * zero - first
        if last - first >= size // 2:
            return None
        taps = response[first : last + 1]
        deviation_db = _deviation(taps, size, exact, FLOOR)
        if deviation_db <= tolerance:
            return Approximation(taps, zero - first, deviation_db)
        allowed /= 2
    return None


def _zeros(magnitude: Magnitude, sample_rate: int, zeros: Sequence[float], grid: Double) -> Zeros:
    """Return the factor with the zeros of a magnitude: ``1 − 2 cos ω₀ z⁻¹ + z⁻²`` for each, ``1 − z⁻¹`` at 0 Hz."""
    scale = 2 * np.pi / sample_rate
    angle = np.zeros(len(grid))
    for zero in zeros:
        # The phase of a zero at 0 Hz starts at π/2; that of a pair of zeros jumps by π at their frequency.
        if zero == 0.0:
            angle += np.pi / 2 - scale * grid / 2
        else:
            angle += np.pi * (grid > zero) - scale * grid

    def gain(frequencies: Double) -> Double:
        product = np.ones(len(frequencies))
        for zero in zeros:
            upper, lower = (np.abs(np.sin(scale / 2 * (frequencies + side * zero))) for side in (1, -1))
            product *= 2 * upper if zero == 0.0 else 4 * upper * lower
        return product

    # Where magnitude and factor are both zero, their ratio is taken at a point nearby.
    nearby = grid.copy()
    nearest = [round(zero / grid[1]) for zero in zeros]
    nearby[nearest] += _NEARBY * grid[1]
    return Zeros(gain(grid), angle, magnitude(nearby) / gain(nearby))


def _grid(size: int, sample_rate: int) -> Double:
    return np.asarray(np.fft.rfftfreq(size, 1 / sample_rate), np.float64)


def _on_fine_grid(magnitude: Magnitude, sample_rate: int, size: int) -> Double:
    """Return a magnitude on a finer grid, one row for each part that `magnitudes` yields."""
    points = _CHECKS_PER_POINT * size
    parts = (np.minimum(frequencies, 0.5) for frequencies, _ in magnitudes(np.ones(1), points))
    return np.stack([magnitude(frequencies * sample_rate) for frequencies in parts])


def deviation(
    taps: Double, magnitude: Magnitude, sample_rate: int, *, resolution: float = 1.0, floor: float = FLOOR
) -> float:
    """Return the largest deviation of taps from a magnitude, in dB.

    Where the magnitude is below `floor`, a share of its maximum, the deviation is that of the linear gain relative to
    `floor`. For the resolution see `approximate`.
    """
    size = max(_size(sample_rate, resolution), 1 << (len(taps) - 1).bit_length())
    return _deviation(taps, size, _on_fine_grid(magnitude, sample_rate, size), floor)


def _deviation(taps: Double, size: int, exact: Double, floor: float) -> float:
    """Return the largest deviation of taps from a magnitude on the fine grid, in dB."""
    smallest, largest = floor * float(exact.max()), 0.0
    for (frequencies, actual), row in zip(magnitudes(taps, _CHECKS_PER_POINT * size), exact, strict=True):
        error = np.abs(actual - row) / np.maximum(row, smallest)
        largest = max(largest, float(error[frequencies <= 0.5].max()))
    return float(20 * np.log10(1 + largest))
