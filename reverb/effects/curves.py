"""Curves: an arbitrary gain over frequency, the standard weightings A, C and K, and the RIAA curve."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from reverb.arrays import Double
from reverb.checks import flag, in_range, one_of
from reverb.choices import WEIGHTS, Weight
from reverb.effects.equalizers import Equalizer
from reverb.errors import ParameterError
from reverb.levels import k_weighting

_MAX_POINTS = 65_536
_MIN_DB, _MAX_DB = -200.0, 60.0
_MAX_HZ = sys.float_info.max
# IEC 61672-1:2013, annex E: the poles of the A and C weightings, in Hz.
_F1, _F2, _F3, _F4 = 20.598997, 107.65265, 737.86223, 12_194.217
_MAX_K_HZ = 24_000.0  # BS.1770 defines its filter at 48 kHz
# IEC 60098: time constants in seconds.
_RIAA_BASS, _RIAA_MIDDLE, _RIAA_TREBLE = 3180e-6, 318e-6, 75e-6
_REFERENCE_HZ = 1000.0  # frequency of 0 dB


@dataclass(frozen=True, repr=False)
class Curve(Equalizer):
    """A gain over frequency, interpolated between points.

    The interpolation is smooth over the logarithm of frequency and does not overshoot (monotone cubic pieces); the gain
    is constant below the first point and above the last.

    Parameters
    ----------
    points : sequence of (float, float)
        Frequency in Hz, rising, and gain in dB, −200 to 60; at most 65536.
    phase, tolerance
        Keyword-only; see `Equalizer`. The default tolerance is 0.1 dB, as measured curves have corners.

    Examples
    --------
    >>> Curve([(100, -3), (1000, 0), (10_000, 2)]).response(48_000).channels
    1

    References
    ----------
    F. N. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM J.
    Sci. Stat. Comput. 5(2), 1984.
    """

    points: Sequence[tuple[float, float]]
    _: KW_ONLY
    tolerance: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            points = tuple((frequency, gain) for frequency, gain in self.points)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"points: {error}; expected pairs of Hz and dB") from error
        if not 1 <= len(points) <= _MAX_POINTS:
            raise ParameterError(f"points: {len(points)} of them; expected 1 to {_MAX_POINTS}")
        checked, last = list[tuple[float, float]](), 0.0
        for frequency, gain in points:
            hz = in_range("points: frequency", frequency, 0, _MAX_HZ, "Hz")
            if hz <= last:
                raise ParameterError(
                    f"points: {hz:g} Hz after {last:g} Hz; expected frequencies above 0 Hz that rise"
                )
            checked.append((hz, in_range(f"points: gain at {hz:g} Hz", gain, _MIN_DB, _MAX_DB, "dB")))
            last = hz
        object.__setattr__(self, "points", tuple(checked))

    def magnitude(self, frequencies: Double) -> Double:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        known, gains = np.array(self.points).T
        if len(known) == 1:
            return np.full(frequencies.shape, 10 ** (gains[0] / 20))
        from scipy.interpolate import PchipInterpolator

        place = np.log(np.clip(frequencies, known[0], known[-1]))
        with np.errstate(over="ignore"):  # SciPy inverts slopes, which may be tiny
            decibels: Double = PchipInterpolator(np.log(known), gains)(place)
        return np.asarray(10 ** (decibels / 20))


@dataclass(frozen=True, repr=False)
class Weighting(Equalizer):
    """A standard weighting curve.

    Parameters
    ----------
    curve : {'A', 'C', 'K'}
        A and C of IEC 61672-1, with 0 dB at 1 kHz; K of ITU-R BS.1770, at the level that defines it.
    phase, tolerance
        Keyword-only; see `Equalizer`.

    Examples
    --------
    >>> Weighting("A").response(48_000).channels
    1
    """

    curve: Weight

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("curve", self.curve, WEIGHTS)

    @property
    def zeros(self) -> tuple[float, ...]:
        """0 Hz: fourth order for A, second for C and K."""
        return (0.0,) * (4 if self.curve == "A" else 2)

    def magnitude(self, frequencies: Double) -> Double:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        if self.curve == "K":
            return np.sqrt(k_weighting(np.minimum(frequencies, _MAX_K_HZ)))
        return _weight(frequencies, self.curve) / _weight(np.array([_REFERENCE_HZ]), self.curve)


def _weight(frequencies: Double, curve: Weight) -> Double:
    """Return ``f² / ((f² + f₁²) (f² + f₄²))``, for A multiplied by ``f² / √((f² + f₂²) (f² + f₃²))``."""
    f = frequencies**2
    gain = f / ((f + _F1**2) * (f + _F4**2))
    return gain * f / np.sqrt((f + _F2**2) * (f + _F3**2)) if curve == "A" else gain


@dataclass(frozen=True, repr=False)
class RiaaCurve(Equalizer):
    """The playback equalization of vinyl records (IEC 60098): ``(1 + s T₂) / ((1 + s T₁) (1 + s T₃))``.

    T₁ = 3180 µs, T₂ = 318 µs, T₃ = 75 µs, s = j 2π f. The gain is 0 dB at 1 kHz.

    Parameters
    ----------
    recording : bool
        The inverse, with which records are cut.
    phase, tolerance
        Keyword-only; see `Equalizer`.

    Examples
    --------
    >>> RiaaCurve().response(48_000).channels
    1
    """

    recording: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        flag("recording", self.recording)

    def magnitude(self, frequencies: Double) -> Double:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        playback = _riaa(frequencies) / _riaa(np.array([_REFERENCE_HZ]))
        return 1 / playback if self.recording else playback


def _riaa(frequencies: Double) -> Double:
    s = 2j * np.pi * frequencies
    return np.abs((1 + s * _RIAA_MIDDLE) / ((1 + s * _RIAA_BASS) * (1 + s * _RIAA_TREBLE)))
