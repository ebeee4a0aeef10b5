"""Linear-phase FIR filters designed to a specification, and reports on filters.

There are three methods: Kaiser's window, least squares, and equiripple (Parks and McClellan). Each starts from the
usual estimate of the number of taps and adds more until the taps, as measured, have the ripple and attenuation
specified.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from reverb.arrays import Double
from reverb.choices import Method
from reverb.effects.design.phases import magnitudes
from reverb.errors import ParameterError
from reverb.levels import to_db
from reverb.responses.response import ImpulseResponse

Kind = Literal["lowpass", "highpass", "bandpass", "bandstop"]

Bands = Sequence[tuple[float, float, bool]]
"""Lower and upper border of each band in Hz, and whether it is a pass band."""

_MAX_ROUNDS = 16
_MIN_RELATIVE_WIDTH = 1e-8  # of the sample rate; far below what is feasible
# Least squares solves as many equations; the exchange of equiripple stops converging.
_MAX_TAPS: dict[Method, int] = {"kaiser": 1 << 20, "least-squares": 4095, "equiripple": 2047}
_MAX_EQUIRIPPLE_DB = 140.0
_MIN_GRID = 1 << 17  # points
_GRID_POINTS_PER_TAP = 16
_AUDIBLE = 1e-3  # of the peak (−60 dB): the level from which pre-ringing counts


@dataclass(frozen=True)
class Specification:
    """The requirements on a filter.

    Attributes
    ----------
    kind : {'lowpass', 'highpass', 'bandpass', 'bandstop'}
    edges : tuple of float
        One or two −6 dB points in Hz.
    width : float
        Width of each transition in Hz, centered on its edge.
    attenuation : float
        Minimum attenuation in the stop bands, in dB.
    ripple : float or None
        Maximum deviation from 0 dB in the pass bands, in dB; None for the stop bands' deviation in linear gain.
    sample_rate : int
        In Hz.
    """

    kind: Kind
    edges: tuple[float, ...]
    width: float
    attenuation: float
    ripple: float | None
    sample_rate: int

    @property
    def bands(self) -> tuple[tuple[float, float, bool], ...]:
        """All bands from 0 Hz to the Nyquist frequency, without the transitions; see `Bands`."""
        half, first_passes = self.width / 2, self.kind in ("lowpass", "bandstop")
        borders = [
            0.0,
            *(edge + side * half for edge in self.edges for side in (-1, 1)),
            self.sample_rate / 2,
        ]
        pairs = zip(borders[::2], borders[1::2], strict=True)
        return tuple((low, high, first_passes == (n % 2 == 0)) for n, (low, high) in enumerate(pairs))

    @property
    def deviations(self) -> tuple[float, float]:
        """Allowed deviations of the linear gain, from 1 in the pass bands and from 0 in the stop bands."""
        stop = 10.0 ** (-self.attenuation / 20)
        return (stop if self.ripple is None else 10.0 ** (self.ripple / 20) - 1.0), stop


class Reached(NamedTuple):
    """Ripple and attenuation of taps as measured, in dB."""

    ripple: float
    attenuation: float


@lru_cache(maxsize=8)
def design(spec: Specification, method: Method = "kaiser") -> Double:
    """Design linear-phase taps.

    Parameters
    ----------
    spec : Specification
    method : {'kaiser', 'least-squares', 'equiripple'}
        Kaiser's window has the same ripple in both bands, which decays away from the edges. Least squares has the
        smallest total error. Equiripple takes the fewest taps.

    Returns
    -------
    ndarray of float64, shape (taps,), read-only
        An odd number of symmetric taps.

    Raises
    ------
    ParameterError
        If the method would need more taps than it can compute, or does not reach the specification.

    References
    ----------
    J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
    T. W. Parks, J. H. McClellan, "Chebyshev approximation for nonrecursive digital filters with linear phase", IEEE
    Trans. Circuit Theory 19(2), 1972.
    """
    if spec.ripple is None:
        spec = replace(spec, ripple=20.0 * math.log10(1.0 + spec.deviations[0]))
    if spec.width < _MIN_RELATIVE_WIDTH * spec.sample_rate:
        raise ParameterError(
            f"transition {spec.width:g} Hz at {spec.sample_rate} Hz needs more taps than are built; "
            "choose a wider transition"
        )
    taps = _kaiser(spec) if method == "kaiser" else _optimal(spec, method)
    taps.setflags(write=False)
    return taps


def _kaiser(spec: Specification) -> Double:
    """Design by the window method: ``(A − 7.95) / (2.285 Δω)`` taps, and more until the attenuation is reached."""
    from scipy.signal import firwin, kaiser_beta, kaiserord

    target = -20.0 * math.log10(min(spec.deviations))
    for _ in range(_MAX_ROUNDS):
        count = kaiserord(target, 2 * spec.width / spec.sample_rate)[0] | 1
        _check_count(count, spec, "kaiser")
        window = ("kaiser", kaiser_beta(target))
        taps: Double = firwin(count, spec.edges, window=window, pass_zero=spec.kind, fs=spec.sample_rate)
        missing = shortfall(measure(taps, spec), spec)
        if missing <= 0.0:
            break
        target += missing + 0.05
    return taps


def _optimal(spec: Specification, method: Method) -> Double:
    """Design by least squares or equiripple, starting from ``(−10 log(δp δs) − 13) / (2.324 Δω)`` taps."""
    if method == "equiripple" and -20.0 * math.log10(min(spec.deviations)) > _MAX_EQUIRIPPLE_DB:
        raise ParameterError(
            f"attenuation {spec.attenuation:g} dB by equiripple; expected at most {_MAX_EQUIRIPPLE_DB:g} dB, also for "
            "the ripple. Use the method kaiser"
        )
    passing, stopping = spec.deviations
    target = -10.0 * math.log10(passing * stopping)
    width = 2.0 * math.pi * spec.width / spec.sample_rate
    count = max(3, math.ceil((target - 13.0) / (2.324 * width)) | 1)
    for _ in range(_MAX_ROUNDS):
        _check_count(count, spec, method)
        taps = _equiripple(count, spec) if method == "equiripple" else _least_squares(count, spec)
        missing = 0.0 if taps is None else shortfall(measure(taps, spec), spec)
        if taps is not None and missing <= 0.0:
            return taps
        # The increase of the estimate for the dB that are missing, but at least one step.
        count = (count + max(2, math.ceil(missing / (2.324 * width)))) | 1
    raise ParameterError(
        f"method {method} does not reach {spec.attenuation:g} dB with {count} taps for a transition of "
        f"{spec.width:g} Hz at {spec.sample_rate} Hz; use the method kaiser, or a wider transition"
    )


def _equiripple(count: int, spec: Specification) -> Double | None:
    from reverb.effects.design.remez import equiripple  # imported late, as few filters need it

    scale = 2.0 * math.pi / spec.sample_rate
    gains, weights = _gains_and_weights(spec)
    return equiripple(count, [(scale * low, scale * high) for low, high, _ in spec.bands], gains, weights)


def _least_squares(count: int, spec: Specification) -> Double:
    from scipy.signal import firls

    borders = [border for low, high, _ in spec.bands for border in (low, high)]
    gains, weights = _gains_and_weights(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about nearly singular equations; the result is measured
        taps: Double = firls(count, borders, np.repeat(gains, 2), weight=weights, fs=spec.sample_rate)
    return taps


def _gains_and_weights(spec: Specification) -> tuple[list[float], list[float]]:
    """Return the gain of each band, and the weight of its error, at most 1."""
    passing, stopping = spec.deviations
    smaller = min(passing, stopping)
    gains = [1.0 if passes else 0.0 for *_, passes in spec.bands]
    return gains, [smaller / passing if passes else smaller / stopping for *_, passes in spec.bands]


def _check_count(count: int, spec: Specification, method: Method) -> None:
    most = _MAX_TAPS[method]
    if count > most:
        other = "" if method == "kaiser" else ", or the method kaiser"
        raise ParameterError(
            f"transition {spec.width:g} Hz at {spec.sample_rate} Hz needs {count} taps; at most {most} are built. "
            f"Choose a wider transition{other}"
        )


def shortfall(reached: Reached, spec: Specification) -> float:
    """Return by how many dB taps miss a specification, at most 0 if they meet it; `ripple=None` does not count."""
    missing = spec.attenuation - reached.attenuation
    if spec.ripple is None:
        return missing
    return max(missing, _db(reached.ripple) - _db(spec.ripple))


def tightened(spec: Specification, db: float) -> Specification:
    """Return a specification with `db` more attenuation, and as much less ripple if that is specified."""
    ripple = None if spec.ripple is None else spec.ripple / 10.0 ** (db / 20)
    return replace(spec, attenuation=spec.attenuation + db, ripple=ripple)


def measure(taps: Double, spec: Specification) -> Reached:
    """Return the ripple and attenuation of taps in the bands of a specification."""
    return measure_bands(taps, spec.bands, spec.sample_rate)


def measure_bands(taps: Double, bands: Bands, sample_rate: int) -> Reached:
    """Return the largest ripple in the pass bands and the least attenuation in the stop bands, in dB."""
    lowest = highest = 1.0
    loudest = 0.0
    for frequencies, magnitude in _measured(taps, bands, sample_rate):
        for low, high, passes in bands:
            first, last = np.searchsorted(frequencies, low), np.searchsorted(frequencies, high, "right")
            band = magnitude[first:last]
            if passes:
                lowest, highest = min(lowest, band.min(initial=1.0)), max(highest, band.max(initial=1.0))
            else:
                loudest = max(loudest, band.max(initial=0.0))
    ripple = max(_db(highest), -_db(lowest))
    return Reached(ripple, -_db(loudest))


def _measured(taps: Double, bands: Bands, sample_rate: int) -> Iterator[tuple[Double, Double]]:
    """Yield rising frequencies in Hz, and magnitudes: on a fine grid, then at the bands' borders, which it may miss."""
    points = max(1 << (_GRID_POINTS_PER_TAP * len(taps) - 1).bit_length(), _MIN_GRID)
    for frequencies, magnitude in magnitudes(taps, points):
        yield frequencies * sample_rate, magnitude
    for border in {border for low, high, _ in bands for border in (low, high)}:
        turn = np.exp(-2j * np.pi * border / sample_rate * np.arange(len(taps)))
        yield np.array([border]), np.abs(turn @ taps)[np.newaxis]


def _db(gain: float) -> float:
    return 20.0 * math.log10(max(gain, 1e-15))


@dataclass(frozen=True, kw_only=True)
class FilterReport:
    """Length, accuracy and timing of a filter at a sample rate.

    Attributes
    ----------
    taps : int
    sample_rate : int
        In Hz.
    ripple : float
        Largest deviation in dB: from 0 dB in the pass bands, or from an equalizer's curve.
    attenuation : float or None
        Least attenuation in the stop bands, in dB; None for an equalizer.
    latency : int
        Frames before time zero. Rendering compensates them; live sound is that much late.
    delay : float
        Seconds from the first tap to the largest.
    pre_ringing : float
        Energy before the lobe of the largest tap, relative to the total, in dB; −inf for none.
    pre_ringing_seconds : float
        Time from the first tap above −60 dB of the largest to the largest.
    """

    taps: int
    sample_rate: int
    ripple: float
    attenuation: float | None
    latency: int
    delay: float
    pre_ringing: float
    pre_ringing_seconds: float

    def __str__(self) -> str:
        attenuation = "" if self.attenuation is None else f", attenuation {self.attenuation:.1f} dB"
        ringing = f"{self.pre_ringing:.1f} dB" if self.pre_ringing > -math.inf else "none"
        return (
            f"{self.taps} taps at {self.sample_rate} Hz, ripple {self.ripple:.2g} dB{attenuation}, "
            f"latency {self.latency} frames, delay {1000 * self.delay:.2f} ms, pre-ringing {ringing} "
            f"over {1000 * self.pre_ringing_seconds:.2f} ms"
        )


def report_on(response: ImpulseResponse, ripple: float, attenuation: float | None = None) -> FilterReport:
    """Return the report on a mono response with the given ripple and attenuation."""
    taps = response.samples[:, 0].astype(np.float64)
    magnitude = np.abs(taps)
    largest = int(magnitude.argmax())
    first = int(np.flatnonzero(magnitude > _AUDIBLE * magnitude[largest])[0]) if magnitude[largest] else 0
    energy = float(taps @ taps)
    # The lobe of the largest tap begins at the last change of sign before it.
    other_sign = np.flatnonzero(taps[:largest] * taps[largest] <= 0.0)
    ringing = taps[: int(other_sign[-1]) + 1] if len(other_sign) else taps[:0]
    before = math.sqrt(float(ringing @ ringing) / energy) if energy else 0.0
    return FilterReport(
        taps=len(taps),
        sample_rate=response.sample_rate,
        ripple=ripple,
        attenuation=attenuation,
        latency=response.latency,
        delay=largest / response.sample_rate,
        pre_ringing=to_db(before),
        pre_ringing_seconds=(largest - first) / response.sample_rate,
    )
