"""Tone of a response: cuts, shelves and drawn curves, as magnitudes of minimum phase.

Magnitudes are the analogue ones, so a filter is the same at every sample rate, up to the Nyquist frequency.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.engine.convolve import convolve
from reverb.errors import ParameterError
from reverb.responses.minimum_phase import minimum_phase
from reverb.responses.response import ImpulseResponse, derived

Array: TypeAlias = npt.NDArray[np.float64]

SLOPE = 12
"""dB per octave of a cut, where nothing else is said."""
_GRID_SECONDS = 2.0  # of the transform that makes the phase: fine enough for a cut at 10 Hz
_LEAST = 1e-7  # of a filter's peak: what rings on below is left out
_MOST_DB = 60.0


def high_cut(response: ImpulseResponse, frequency: float, slope: int = SLOPE) -> ImpulseResponse:
    """Take away what lies above `frequency`, its −3 dB point, as a Butterworth low-pass of `slope` dB per octave."""
    order = _order(slope)
    _check_frequency(frequency, response.sample_rate)
    return _filtered(response, lambda f: 1 / np.sqrt(1 + (f / frequency) ** (2 * order)))


def low_cut(response: ImpulseResponse, frequency: float, slope: int = SLOPE) -> ImpulseResponse:
    """Take away what lies below `frequency`, its −3 dB point, as a Butterworth high-pass of `slope` dB per octave."""
    order = _order(slope)
    _check_frequency(frequency, response.sample_rate)

    def magnitude(f: Array) -> Array:
        x = (f / frequency) ** (2 * order)
        return np.asarray(np.sqrt(x / (1 + x)))

    return _filtered(response, magnitude)


def low_shelf(response: ImpulseResponse, frequency: float, db: float) -> ImpulseResponse:
    """Raise or lower what lies below `frequency`, where half the dB are reached: a first-order shelf."""
    gain = _check_shelf(frequency, db, response.sample_rate)
    # |(s + ω√g) / (s + ω/√g)|: g at 0, √g at ω, 1 at infinity.
    return _filtered(
        response, lambda f: np.asarray(np.sqrt((f**2 + frequency**2 * gain) / (f**2 + frequency**2 / gain)))
    )


def high_shelf(response: ImpulseResponse, frequency: float, db: float) -> ImpulseResponse:
    """Raise or lower what lies above `frequency`, where half the dB are reached: a first-order shelf."""
    gain = _check_shelf(frequency, db, response.sample_rate)
    return _filtered(
        response,
        lambda f: gain * np.sqrt((f**2 + frequency**2 / gain) / (f**2 + frequency**2 * gain)),
    )


def equalise(response: ImpulseResponse, curve: Mapping[float, float]) -> ImpulseResponse:
    """Apply a drawn curve: Hz to dB, straight lines over log frequency between the points, level beyond the ends.

    Raises
    ------
    ParameterError
        If the curve has no point, or one that lies outside 1 Hz to Nyquist or ±60 dB.
    """
    if not curve:
        raise ParameterError("the curve has no point; expected Hz:dB pairs such as 100:-3,1000:0,8000:2")
    for frequency, db in curve.items():
        _check_shelf(frequency, db, response.sample_rate)
    points = sorted(curve.items())
    octaves, levels = np.log2([hz for hz, _ in points]), [db for _, db in points]
    return _filtered(
        response, lambda f: np.asarray(10 ** (np.interp(np.log2(np.maximum(f, 1e-3)), octaves, levels) / 20))
    )


def _filtered(response: ImpulseResponse, magnitude: Callable[[Array], Array]) -> ImpulseResponse:
    length = 2 * round(0.5 * _GRID_SECONDS * response.sample_rate)
    frequencies = np.arange(length // 2 + 1, dtype=np.float64) * (response.sample_rate / length)
    taps = minimum_phase(np.asarray(magnitude(np.asarray(frequencies, np.float64))))
    loud = np.flatnonzero(np.abs(taps) > _LEAST * np.abs(taps).max())
    taps = taps[: min(int(loud[-1]) + 1, length // 2)]
    samples = convolve(response.samples, taps.astype(response.samples.dtype))
    return derived(response, samples)


def _order(slope: int) -> int:
    if slope not in (6, 12, 18, 24, 36, 48):
        raise ParameterError(f"slope {slope} dB per octave; expected 6, 12, 18, 24, 36 or 48")
    return slope // 6


def _check_frequency(frequency: float, sample_rate: int) -> None:
    if not 1 <= frequency < sample_rate / 2:
        raise ParameterError(f"frequency {frequency:g} Hz; expected 1 to less than {sample_rate / 2:g} Hz")


def _check_shelf(frequency: float, db: float, sample_rate: int) -> float:
    _check_frequency(frequency, sample_rate)
    if not abs(db) <= _MOST_DB:
        raise ParameterError(f"gain {db:g} dB at {frequency:g} Hz; expected -{_MOST_DB:g} to {_MOST_DB:g} dB")
    return float(10 ** (db / 20))
