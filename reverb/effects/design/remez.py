"""Equiripple design by the Remez exchange of Parks and McClellan, in a numerically robust form.

The gain of a linear-phase filter with 2n + 1 taps is a polynomial of degree n in cos ω. The best polynomial has equally
large errors of alternating sign at n + 2 frequencies, the references, which the exchange finds. If it starts from poor
references, rounding errors prevail. So the references are found for a short filter first, then scaled for filters of
twice the length until the length is reached.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reverb.arrays import Double

_Indices = npt.NDArray[np.intp]

_GRID_POINTS_PER_REFERENCE = 16
_MIN_DEGREE = 16  # of the short filter
_MAX_EXCHANGES = 40
_TOLERANCE = 1e-3  # relative excess of the largest error over the error at the references
_MAX_ROWS = 512  # of the matrices of an interpolation, to save memory


def equiripple(
    count: int, bands: Sequence[tuple[float, float]], gains: Sequence[float], weights: Sequence[float]
) -> Double | None:
    """Return the taps with the smallest maximum of the weighted error in all bands.

    Parameters
    ----------
    count : int
        Number of taps, odd.
    bands : sequence of (float, float)
        Borders in radians per sample, 0 to π, rising.
    gains, weights : sequence of float
        Gain and weight of the error for each band.

    Returns
    -------
    ndarray of float64, shape (count,), or None
        Symmetric taps; None if the exchange does not converge.

    References
    ----------
    T. W. Parks, J. H. McClellan, "Chebyshev approximation for nonrecursive digital filters with linear phase", IEEE
    Trans. Circuit Theory 19(2), 1972.
    S.-I. Filip, "A robust and scalable implementation of the Parks-McClellan algorithm for designing FIR filters", ACM
    Trans. Math. Software 43(1), 2016: the grid that is denser at the borders of bands, and the scaling of references.
    """
    degrees = [(count - 1) // 2]
    while degrees[0] > 2 * _MIN_DEGREE:
        degrees.insert(0, degrees[0] // 2)
    places: list[Double] = []
    for degree in degrees:
        shares = _shares(_reaches(bands), degree + 2)
        places = _scaled(places, degree + 2) if places else [np.linspace(0, 1, share) for share in shares]
        sizes = _GRID_POINTS_PER_REFERENCE * shares + 1
        firsts = np.cumsum(sizes) - sizes
        grid = np.concatenate([_crowded(band, size) for band, size in zip(bands, sizes, strict=True)])
        nearest = [
            first + _distinct(np.rint(place * (size - 1)).astype(np.intp), size)
            for first, place, size in zip(firsts, places, sizes, strict=True)
        ]
        found = _exchange(grid, np.repeat(gains, sizes), np.repeat(weights, sizes), np.concatenate(nearest))
        if found is None:
            return None
        at, values = found
        places = [
            (at[(first <= at) & (at < first + size)] - first) / (size - 1)
            for first, size in zip(firsts, sizes, strict=True)
        ]
    sampled = _interpolate(grid[at], values, 2 * math.pi * np.arange(degree + 1) / count)
    return np.roll(np.fft.irfft(sampled, count), degree)


def _reaches(bands: Sequence[tuple[float, float]]) -> Double:
    """Return the widths of bands with half of the adjacent gaps: roughly proportional to their references."""
    lows, highs = np.array(bands).T
    gaps = np.concatenate([[0.0], lows[1:] - highs[:-1], [0.0]])
    return np.asarray(highs - lows + (gaps[:-1] + gaps[1:]) / 2)


def _shares(weights: npt.ArrayLike, total: int) -> _Indices:
    """Return integers of at least 1 that are proportional to weights, with the sum `total`."""
    exact = np.asarray(weights, np.float64)
    exact = exact * (total / exact.sum())
    shares: _Indices = np.maximum(1, exact.astype(np.intp))
    while shares.sum() != total:
        if shares.sum() < total:
            shares[np.argmax(exact - shares)] += 1
        else:
            shares[np.argmax(np.where(shares > 1, shares - exact, -np.inf))] -= 1
    return shares


def _scaled(places: Sequence[Double], total: int) -> list[Double]:
    """Return `total` places with the distribution of a smaller number of places, over the bands and within each."""
    intervals = _shares([max(len(place) - 1, 0.5) for place in places], total - len(places))
    return [
        np.interp(np.linspace(0, 1, count + 1), np.linspace(0, 1, len(place)), place)
        if len(place)
        else np.linspace(0, 1, count + 1)
        for place, count in zip(places, intervals, strict=True)
    ]


def _crowded(band: tuple[float, float], size: int) -> Double:
    """Return points of a band that are denser at its borders, like the references."""
    low, high = band
    return low + (high - low) * (1 - np.cos(np.linspace(0, math.pi, size))) / 2


def _distinct(at: _Indices, size: int) -> _Indices:
    """Return rising indices, moved apart so that no two are equal."""
    order = np.arange(len(at))
    return np.minimum(np.maximum.accumulate(at - order) + order, size - len(at) + order)


def _exchange(grid: Double, wanted: Double, weights: Double, at: _Indices) -> tuple[_Indices, Double] | None:
    """Return the references of the best polynomial and its values there, or None if the exchange does not converge."""
    signs = (-1.0) ** np.arange(len(at))
    for _ in range(_MAX_EXCHANGES):
        nodes, factors = grid[at], _barycentric(grid[at])
        level = (factors @ wanted[at]) / (factors @ (signs / weights[at]))
        values = wanted[at] - signs * level / weights[at]
        error = weights * (wanted - _interpolate(nodes, values, grid, factors))
        largest = float(np.abs(error).max())
        if not math.isfinite(largest):
            return None
        if largest - abs(level) <= _TOLERANCE * largest:
            return at, values
        extrema = _alternating(error, len(at))
        if extrema is None:
            return None
        at = extrema
    return None


def _alternating(error: Double, count: int) -> _Indices | None:
    """Return `count` indices of the largest errors of alternating sign, or None if there are fewer changes of sign."""
    size = np.abs(error)
    borders = [0, *(np.flatnonzero(np.diff(np.signbit(error))) + 1), len(error)]
    at = np.array([low + int(size[low:high].argmax()) for low, high in itertools.pairwise(borders)])
    while len(at) > count:
        least, last = int(size[at].argmin()), len(at) - 1
        if len(at) == count + 1 or least in (0, last):
            at = np.delete(at, 0 if size[at[0]] < size[at[last]] else last)
        else:  # also the smaller of its neighbors, as these have the same sign
            at = np.delete(at, [least, least - 1 if size[at[least - 1]] < size[at[least + 1]] else least + 1])
    return at if len(at) == count else None


def _differences(a: Double, b: Double) -> Double:
    """Return ``(cos b − cos a) / 2`` for all pairs of rising frequencies, shape (a, b), accurate near 0 and π.

    Computed from sin²(ω/2) below π/2 and from −cos²(ω/2), which is less by 1, above.
    """
    (x, first), (y, other) = _halves(a), _halves(b)
    differences = np.subtract.outer(x, y)
    differences[:first, other:] -= 1.0
    differences[first:, :other] += 1.0
    return np.asarray(differences)


def _halves(frequencies: Double) -> tuple[Double, int]:
    """Return sin²(ω/2) below π/2 and −cos²(ω/2) above, and how many are below."""
    half = int(np.searchsorted(frequencies, math.pi / 2))
    low, high = np.sin(frequencies[:half] / 2), np.cos(frequencies[half:] / 2)
    return np.concatenate([low * low, -high * high]), half


def _barycentric(nodes: Double) -> Double:
    """Return the factors of Lagrange interpolation in barycentric form, up to a common factor."""
    apart = _differences(nodes, nodes)
    np.fill_diagonal(apart, 1.0)
    logarithms = -np.log(np.abs(apart)).sum(axis=1)
    return np.asarray(np.sign(apart).prod(axis=1) * np.exp(logarithms - logarithms.max()))


def _interpolate(nodes: Double, values: Double, at: Double, factors: Double | None = None) -> Double:
    """Return the values at frequencies `at` of the polynomial in cos ω through `values` at `nodes`."""
    factors = _barycentric(nodes) if factors is None else factors
    sums = np.stack([values, np.ones(len(values))], axis=1)
    result = np.empty(len(at))
    with np.errstate(all="ignore"):  # an overflow shows as an infinite error
        for start in range(0, len(at), _MAX_ROWS):
            rows = slice(start, start + _MAX_ROWS)
            above, below = (factors / _differences(at[rows], nodes) @ sums).T
            result[rows] = above / below
    known = np.searchsorted(nodes, at).clip(0, len(nodes) - 1)
    return np.where(nodes[known] == at, values[known], result)
