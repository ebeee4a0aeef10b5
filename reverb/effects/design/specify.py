"""Design of linear-phase FIR filters to a specification; the number of taps follows.

Three methods: Kaiser's window, least squares, and equiripple (Parks and McClellan). Each starts from the usual estimate
of the taps and adds some until ripple and attenuation, measured on the taps, are as asked.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from reverb.choices import METHODS as METHODS
from reverb.choices import Method as Method
from reverb.effects.design.phases import Taps, magnitudes
from reverb.effects.design.remez import equiripple
from reverb.errors import ParameterError

Kind = Literal["lowpass", "highpass", "bandpass", "bandstop"]

_FINE_GRID = 1 << 17  # points on which short filters are measured
_FINER = 16  # points a tap on which long ones are
_ROUNDS = 16
_NARROWEST = 1e-8  # of the sample rate: far less than can be built, and more than nothing
# What is built at most. Least squares solves as many equations; Remez' exchange stops converging.
_MOST_TAPS: dict[Method, int] = {"kaiser": 1 << 20, "least-squares": 4095, "equiripple": 2047}
_MOST_EQUIRIPPLE_DB = 140.0


@dataclass(frozen=True)
class Specification:
    """What a filter has to do.

    Attributes
    ----------
    kind : {'lowpass', 'highpass', 'bandpass', 'bandstop'}
    edges : tuple of float
        One or two −6 dB points in Hz.
    width : float
        Of each transition, centred on its edge, in Hz.
    attenuation : float
        The least in the stop bands, in dB.
    ripple : float or None
        The largest deviation from 0 dB in the pass bands, in dB; None for as much as the stop band's in linear gain.
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
        """Low border, high border, whether it passes: all bands from 0 Hz to the Nyquist frequency."""
        half, passes = self.width / 2, self.kind in ("lowpass", "bandstop")
        borders = [
            0.0,
            *(edge + side * half for edge in self.edges for side in (-1, 1)),
            self.sample_rate / 2,
        ]
        pairs = zip(borders[::2], borders[1::2], strict=True)
        return tuple((low, high, passes == (n % 2 == 0)) for n, (low, high) in enumerate(pairs))

    @property
    def deviations(self) -> tuple[float, float]:
        """Allowed deviations of the linear gain, from 1 in the pass bands and from 0 in the stop bands."""
        stop = 10.0 ** (-self.attenuation / 20)
        return (stop if self.ripple is None else 10.0 ** (self.ripple / 20) - 1.0), stop


Bands = Sequence[tuple[float, float, bool]]
"""Low border and high border in Hz, and whether what lies between passes."""


class Reached(NamedTuple):
    """What taps reach of a specification: ripple and attenuation in dB."""

    ripple: float
    attenuation: float


@lru_cache(maxsize=8)
def design(spec: Specification, method: Method = "kaiser") -> Taps:
    """Design linear-phase taps.

    Parameters
    ----------
    spec : Specification
    method : {'kaiser', 'least-squares', 'equiripple'}
        Kaiser's window has the same ripple in both bands, which decays away from the edges. Least squares has the
        least error in all. Equiripple takes the fewest taps.

    Returns
    -------
    ndarray of float64, shape (taps,), read-only
        An odd number, symmetric.

    Raises
    ------
    ParameterError
        If more taps were needed than the method can build, or it does not reach what is asked.

    References
    ----------
    J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
    T. W. Parks, J. H. McClellan, "Chebyshev approximation for nonrecursive digital filters with linear phase", IEEE
    Trans. Circuit Theory 19(2), 1972.
    """
    if spec.ripple is None:
        spec = replace(spec, ripple=20.0 * math.log10(1.0 + spec.deviations[0]))
    if spec.width < _NARROWEST * spec.sample_rate:
        raise ParameterError(
            f"transition {spec.width:g} Hz at {spec.sample_rate} Hz needs more taps than are built; "
            "choose a wider transition"
        )
    taps = _kaiser(spec) if method == "kaiser" else _optimal(spec, method)
    taps.setflags(write=False)
    return taps


def _kaiser(spec: Specification) -> Taps:
    """By the window method: ``(A − 7.95) / (2.285 Δω)`` taps, more until the attenuation is reached."""
    from scipy.signal import firwin, kaiser_beta, kaiserord

    wanted = -20.0 * math.log10(min(spec.deviations))
    asked = wanted
    for _ in range(_ROUNDS):
        count = kaiserord(asked, 2 * spec.width / spec.sample_rate)[0] | 1
        _check_count(count, spec, "kaiser")
        window = ("kaiser", kaiser_beta(asked))
        taps: Taps = firwin(count, spec.edges, window=window, pass_zero=spec.kind, fs=spec.sample_rate)
        short = lacking(measure(taps, spec), spec)
        if short <= 0.0:
            break
        asked += short + 0.05
    return taps


def _optimal(spec: Specification, method: Method) -> Taps:
    """By least squares or equiripple, from the estimate ``(−10 log(δp δs) − 13) / (2.324 Δω)`` on."""
    if method == "equiripple" and -20.0 * math.log10(min(spec.deviations)) > _MOST_EQUIRIPPLE_DB:
        raise ParameterError(
            f"attenuation {spec.attenuation:g} dB by equiripple; expected at most {_MOST_EQUIRIPPLE_DB:g} dB, also for "
            "the ripple. Use the method kaiser"
        )
    passing, stopping = spec.deviations
    asked = -10.0 * math.log10(passing * stopping)
    width = 2.0 * math.pi * spec.width / spec.sample_rate
    count = max(3, math.ceil((asked - 13.0) / (2.324 * width)) | 1)
    for _ in range(_ROUNDS):
        _check_count(count, spec, method)
        taps = _equiripple(count, spec) if method == "equiripple" else _least_squares(count, spec)
        short = 0.0 if taps is None else lacking(measure(taps, spec), spec)
        if taps is not None and short <= 0.0:
            return taps
        # As many more as the estimate grows by, and a step at least.
        count = (count + max(2, math.ceil(short / (2.324 * width)))) | 1
    raise ParameterError(
        f"method {method} does not reach {spec.attenuation:g} dB with {count} taps for a transition of "
        f"{spec.width:g} Hz at {spec.sample_rate} Hz; use the method kaiser, or a wider transition"
    )


def _equiripple(count: int, spec: Specification) -> Taps | None:
    scale = 2.0 * math.pi / spec.sample_rate
    _, gains, weights = _bands_for_scipy(spec)
    return equiripple(count, [(scale * low, scale * high) for low, high, _ in spec.bands], gains, weights)


def _least_squares(count: int, spec: Specification) -> Taps:
    from scipy.signal import firls

    borders, gains, weights = _bands_for_scipy(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equations close to singular; what comes out is measured
        taps: Taps = firls(count, borders, np.repeat(gains, 2), weight=weights, fs=spec.sample_rate)
    return taps


def _bands_for_scipy(spec: Specification) -> tuple[list[float], list[float], list[float]]:
    """Return borders, gains and weights of all bands, as SciPy takes them."""
    passing, stopping = spec.deviations
    borders = [border for low, high, _ in spec.bands for border in (low, high)]
    gains = [1.0 if passes else 0.0 for *_, passes in spec.bands]
    least = min(passing, stopping)
    return borders, gains, [least / passing if passes else least / stopping for *_, passes in spec.bands]


def _check_count(count: int, spec: Specification, method: Method) -> None:
    most = _MOST_TAPS[method]
    if count > most:
        other = "" if method == "kaiser" else ", or the method kaiser"
        raise ParameterError(
            f"transition {spec.width:g} Hz at {spec.sample_rate} Hz needs {count} taps; at most {most} are built. "
            f"Choose a wider transition{other}"
        )


def lacking(reached: Reached, spec: Specification) -> float:
    """Return by how many dB taps miss a specification, 0 or less where they meet it; a ripple counts if it is given."""
    short = spec.attenuation - reached.attenuation
    if spec.ripple is None:
        return short
    return max(short, _db(reached.ripple) - _db(spec.ripple))


def measure(taps: Taps, spec: Specification) -> Reached:
    """Return what taps reach of a specification."""
    return measure_bands(taps, spec.bands, spec.sample_rate)


def measure_bands(taps: Taps, bands: Bands, sample_rate: int) -> Reached:
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


def _measured(taps: Taps, bands: Bands, sample_rate: int) -> Iterator[tuple[Taps, Taps]]:
    """Give frequencies in Hz, rising, and magnitudes there: a fine grid, and the bands' borders, which it may miss."""
    points = max(1 << (_FINER * len(taps) - 1).bit_length(), _FINE_GRID)
    for frequencies, magnitude in magnitudes(taps, points):
        yield frequencies * sample_rate, magnitude
    for border in {border for low, high, _ in bands for border in (low, high)}:
        turn = np.exp(-2j * np.pi * border / sample_rate * np.arange(len(taps)))
        yield np.array([border]), np.abs(turn @ taps)[np.newaxis]


def tighter(spec: Specification, db: float) -> Specification:
    """Return a specification that allows less by some dB, in the stop bands and of a ripple that is given."""
    ripple = None if spec.ripple is None else spec.ripple / 10.0 ** (db / 20)
    return replace(spec, attenuation=spec.attenuation + db, ripple=ripple)


def _db(gain: float) -> float:
    return 20.0 * math.log10(max(gain, 1e-15))
