"""Levels: decibels, and loudness weighting after ITU-R BS.1770."""

import math

import numpy as np
import numpy.typing as npt

Spectrum = npt.NDArray[np.floating]

# ITU-R BS.1770-5, Annex 1, tables 1 and 2: the two biquads of K-weighting at 48 kHz, as (b, a).
_K_SAMPLE_RATE = 48_000
_K_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_K_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def to_db(ratio: float) -> float:
    """Return an amplitude ratio (≥ 0) in dB, −inf for 0."""
    return 20.0 * math.log10(ratio) if ratio > 0.0 else -math.inf


def from_db(db: float) -> float:
    """Return a level in dB as an amplitude ratio, 0 for −inf."""
    return float(10.0 ** (db / 20.0))


def k_weighting(frequencies: npt.ArrayLike) -> Spectrum:
    """Return the power gain of K-weighting, the ear's weighting in ITU-R BS.1770.

    Parameters
    ----------
    frequencies : array_like
        In Hz, 0 to 24000. In float32 the result is quick, and right to a millionth.

    Returns
    -------
    ndarray of float32 or float64, same shape
        ``|K(f)|²``.
    """
    square: Spectrum = np.sin(np.pi / _K_SAMPLE_RATE * np.asarray(frequencies)) ** 2
    power = np.ones_like(square)
    for b, a in (_K_SHELF, _K_HIGH_PASS):
        power *= _polynomial_power(b, square)
        power /= _polynomial_power(a, square)
    return power


def _polynomial_power(c: tuple[float, float, float], square: Spectrum) -> Spectrum:
    """Return ``|c₀ + c₁ z + c₂ z²|²`` on the unit circle, with sin² ω/2 given: a quadratic in it, exact near 0 Hz."""
    pairs, ends = 2.0 * c[1] * (c[0] + c[2]), 4.0 * c[0] * c[2]
    return sum(c) ** 2 + square * (4.0 * ends * square - (2.0 * pairs + 4.0 * ends))
