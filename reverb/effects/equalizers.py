"""Equalizers: shelves, peaks, notches, tilt and cuts with the curves of analog circuits.

Each docstring gives the analog prototype, a rational function of ``s = j f / frequency``. The taps follow its magnitude
up to the Nyquist frequency, without the frequency warping of the bilinear transform. The prototypes are those of
R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache

import numpy as np

from reverb.arrays import Double, as_sample_rate
from reverb.checks import in_range, is_number, one_of, whole
from reverb.choices import PHASES, Phase
from reverb.effects.design.magnitude import Approximation, approximate
from reverb.effects.design.specify import FilterReport, report_on
from reverb.effects.effect import Effect
from reverb.errors import ParameterError, shown
from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, owning

# Minimum, maximum and unit of a setting, for all equalizers that have it.
_RANGES = {
    "tolerance": (1e-4, 3.0, "dB"),
    "frequency": (1e-3, 1e6, "Hz"),
    "pivot": (1e-3, 1e6, "Hz"),
    "gain_db": (-60.0, 60.0, "dB"),
    "q": (0.05, 1000.0, ""),
}
_SLOPES = range(6, 97, 6)
_MAX_HARMONICS = 100
DEFAULT_TOLERANCE = 0.02
_BUTTERWORTH = math.sqrt(0.5)


@dataclass(frozen=True, repr=False)
class Equalizer(Effect):
    """Base class of the equalizers: a magnitude, and taps that follow it.

    Parameters
    ----------
    phase : {'minimum', 'linear', 'mixed'}
        Minimum: no delay and no pre-ringing, like the circuits. Linear: all frequencies have the same delay. Mixed:
        half of either.
    tolerance : float
        Largest deviation from the curve, in dB, 1e-4 to 3.
    """

    _: KW_ONLY
    phase: Phase = "minimum"
    tolerance: float = DEFAULT_TOLERANCE

    def __post_init__(self) -> None:
        one_of("phase", self.phase, PHASES)
        for name, (low, high, unit) in _RANGES.items():
            if hasattr(self, name):
                in_range(name, getattr(self, name), low, high, unit)
        check_slope(getattr(self, "slope", _SLOPES[0]))

    @property
    def resolution(self) -> float:
        """Width of the curve's finest detail in Hz, at most 1."""
        frequency, q = getattr(self, "frequency", 1.0), getattr(self, "q", 1.0)
        return min(1.0, float(frequency / q))

    @property
    def zeros(self) -> tuple[float, ...]:
        """Frequencies in Hz at which the gain is zero, each repeated by the order of the zero."""
        return ()

    @abstractmethod
    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the taps for `sample_rate` Hz as a mono response.

        Raises
        ------
        ParameterError
            If the curve is too fine for the tolerance.
        """
        sample_rate = as_sample_rate(sample_rate)
        made = _approximated(self, sample_rate)
        return owning(made.taps, sample_rate, type(self).__name__.lower(), latency=made.latency)

    def report(self, sample_rate: int) -> FilterReport:
        """Return the number of taps at `sample_rate` Hz and their deviation from the curve; errors as `response`."""
        sample_rate = as_sample_rate(sample_rate)
        return report_on(self.response(sample_rate), _approximated(self, sample_rate).deviation_db)


@lru_cache(maxsize=16)
def _approximated(equalizer: Equalizer, sample_rate: int) -> Approximation:
    return approximate(
        equalizer.magnitude,
        sample_rate,
        equalizer.phase,
        equalizer.tolerance,
        equalizer.zeros,
        equalizer.resolution,
    )


@dataclass(frozen=True, repr=False)
class Peak(Equalizer):
    """Raise or lower a band: ``(s² + s A/Q + 1) / (s² + s/(A Q) + 1)``, A = 10^(gain/40).

    Parameters
    ----------
    frequency : float
        Center, in Hz.
    gain_db : float
        Gain at the center in dB, −60 to 60.
    q : float
        Frequency ÷ bandwidth between the points of half the gain in dB, 0.05 to 1000.
    phase, tolerance
        Keyword-only; see `Equalizer`.

    Examples
    --------
    >>> Peak(3000, gain_db=2, q=1.4).response(48_000).latency
    0
    """

    frequency: float
    gain_db: float
    q: float = 1.0

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.frequency, from_db(self.gain_db / 2)
        return np.asarray(np.abs((s * s + s * (a / self.q) + 1) / (s * s + s / (a * self.q) + 1)))


@dataclass(frozen=True, repr=False)
class LowShelf(Equalizer):
    """Raise or lower the frequencies below a corner: ``A (s² + s √A/Q + A) / (A s² + s √A/Q + 1)``, A = 10^(gain/40).

    Parameters
    ----------
    frequency : float
        Point of half the gain in dB, in Hz.
    gain_db : float
        Gain of the lowest frequencies in dB, −60 to 60.
    q : float
        0.05 to 1000; 0.7071 is the steepest slope without overshoot.
    phase, tolerance
        Keyword-only; see `Equalizer`.

    Examples
    --------
    >>> LowShelf(200, gain_db=-3).response(48_000).latency
    0
    """

    frequency: float
    gain_db: float
    q: float = _BUTTERWORTH

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.frequency, from_db(self.gain_db / 2)
        middle = s * (math.sqrt(a) / self.q)
        return np.asarray(a * np.abs((s * s + middle + a) / (a * s * s + middle + 1)))


@dataclass(frozen=True, repr=False)
class HighShelf(Equalizer):
    """Raise or lower the frequencies above a corner: the mirror image of `LowShelf`, with the same parameters."""

    frequency: float
    gain_db: float
    q: float = _BUTTERWORTH

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.frequency, from_db(self.gain_db / 2)
        middle = s * (math.sqrt(a) / self.q)
        return np.asarray(a * np.abs((a * s * s + middle + 1) / (s * s + middle + a)))


@dataclass(frozen=True, repr=False)
class Tilt(Equalizer):
    """Tilt the spectrum about a pivot: ``(A s + 1) / (s + A)``, A = 10^(gain/20).

    Parameters
    ----------
    gain_db : float
        Gain of the highest frequencies in dB, −60 to 60; the lowest ones get the opposite.
    pivot : float
        Frequency that keeps its level, in Hz.
    phase, tolerance
        Keyword-only; see `Equalizer`.

    Examples
    --------
    >>> Tilt(2, pivot=700).report(48_000).ripple <= 0.02
    True
    """

    gain_db: float
    pivot: float = 1000.0

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.pivot, from_db(self.gain_db)
        return np.asarray(np.abs((a * s + 1) / (s + a)))


@dataclass(frozen=True, repr=False)
class Notch(Equalizer):
    """Remove one frequency, such as mains hum: ``(s² + 1) / (s² + s/Q + 1)``.

    Parameters
    ----------
    frequency : float
        In Hz.
    q : float
        Frequency ÷ bandwidth between the −3 dB points, 0.05 to 1000.
    harmonics : int
        Number of multiples to remove, 1 to 100, counting the frequency itself; all have the same bandwidth in Hz.
    phase, tolerance
        Keyword-only; see `Equalizer`. Only minimum phase is possible.

    Examples
    --------
    >>> Notch(50, harmonics=3).zeros
    (50, 100, 150)
    """

    frequency: float
    q: float = 30.0
    harmonics: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("harmonics", self.harmonics, 1, _MAX_HARMONICS)
        if self.phase != "minimum":
            raise ParameterError(
                f"phase {self.phase!r} of a notch; expected minimum, as others would ring for seconds before the "
                "sound. Use BandStop"
            )

    @property
    def zeros(self) -> tuple[float, ...]:
        """The frequency and its harmonics."""
        return tuple(number * self.frequency for number in range(1, int(self.harmonics) + 1))

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        gain = np.ones(frequencies.shape)
        for number, zero in enumerate(self.zeros, 1):
            ratio = frequencies / zero
            below = np.abs(1 - ratio * ratio)  # s² + 1 on the imaginary axis
            gain *= below / np.hypot(below, ratio / (number * self.q))
        return gain


@dataclass(frozen=True, repr=False)
class LowCut(Equalizer):
    """Roll off the low frequencies like a Butterworth filter: ``1 / √(1 + (frequency/f)^(2n))``, n = slope/6.

    Parameters
    ----------
    frequency : float
        −3 dB point, in Hz.
    slope : int
        In dB per octave, a multiple of 6 from 6 to 96.
    phase, tolerance
        Keyword-only; see `Equalizer`.

    Examples
    --------
    >>> LowCut(80, slope=24).response(48_000).latency
    0
    """

    frequency: float
    slope: int = 12

    @property
    def zeros(self) -> tuple[float, ...]:
        """0 Hz, repeated by the order of the filter."""
        return (0.0,) * (self.slope // 6)

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        ratio = frequencies / self.frequency
        return 1.0 / np.sqrt(1.0 + np.maximum(ratio, 1e-9) ** (-self.slope / 3))


@dataclass(frozen=True, repr=False)
class HighCut(Equalizer):
    """Roll off the high frequencies: the mirror image of `LowCut`, with the same parameters."""

    frequency: float
    slope: int = 12

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        ratio = frequencies / self.frequency
        return 1.0 / np.sqrt(1.0 + np.minimum(ratio, 1e6) ** (self.slope / 3))


def check_slope(slope: float) -> None:
    """Raise ParameterError unless a slope is a multiple of 6 dB per octave, from 6 to 96."""
    if not is_number(slope) or slope not in _SLOPES:
        raise ParameterError(
            f"slope {shown(repr(slope))} dB per octave; expected a multiple of 6, from {_SLOPES[0]} to {_SLOPES[-1]}"
        )
