"""Equalizers: shelves, peaks, notches, tilt and cuts with the curves of analogue circuits.

Each is the magnitude of a rational function of ``s = j f / frequency``, which its docstring gives; the taps
follow it up to the Nyquist frequency, where recursive filters are bent by the bilinear transform. The
prototypes are those of R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache

import numpy as np

from reverb.checks import in_range, is_number, one_of, whole
from reverb.effects.design.magnitude import Shape, realise
from reverb.effects.design.phases import PHASES, Phase, Taps
from reverb.effects.design.report import FilterReport, report_on
from reverb.effects.effect import Effect
from reverb.errors import ParameterError, shown
from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, owning

# What a setting of that name may be, in all equalizers.
_RANGES = {
    "tolerance": (1e-4, 3.0, "dB"),
    "frequency": (1e-3, 1e6, "Hz"),
    "pivot": (1e-3, 1e6, "Hz"),
    "gain_db": (-60.0, 60.0, "dB"),
    "q": (0.05, 1000.0, ""),
}
_SLOPES = range(6, 97, 6)
_MOST_HARMONICS = 100
DEFAULT_TOLERANCE = 0.02
_BUTTERWORTH = math.sqrt(0.5)


@dataclass(frozen=True, repr=False)
class Equalizer(Effect):
    """What all equalizers share: a magnitude, and the taps that follow it.

    Parameters
    ----------
    phase : {'minimum', 'linear', 'mixed'}
        Minimum: no delay and no pre-ringing, as the circuits have it. Linear: the phase stays. Mixed: half of either.
    tolerance : float
        The largest deviation from the curve, in dB, 1e-4 to 3.
    """

    _: KW_ONLY
    phase: Phase = "minimum"
    tolerance: float = DEFAULT_TOLERANCE

    def __post_init__(self) -> None:
        one_of("phase", self.phase, PHASES)
        for name, (lowest, highest, unit) in _RANGES.items():
            if hasattr(self, name):
                in_range(name, getattr(self, name), lowest, highest, unit)
        check_slope(getattr(self, "slope", _SLOPES[0]))

    @property
    def resolution(self) -> float:
        """Hz that the finest detail of the curve is wide, at most 1."""
        frequency, q = getattr(self, "frequency", 1.0), getattr(self, "q", 1.0)
        return min(1.0, float(frequency / q))

    @property
    def zeros(self) -> tuple[float, ...]:
        """Frequencies in Hz at which the gain vanishes, each as often as the order of the zero says."""
        return ()

    @abstractmethod
    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the taps for `sample_rate` Hz as a mono response.

        Raises
        ------
        ParameterError
            If the curve is too fine for the tolerance.
        """
        shape = _realise(self, sample_rate)
        return owning(shape.taps, sample_rate, type(self).__name__.lower(), latency=shape.latency)

    def report(self, sample_rate: int) -> FilterReport:
        """Return how many taps it takes at `sample_rate` Hz, and how near to the curve they come."""
        return report_on(self.response(sample_rate), _realise(self, sample_rate).deviation)


@lru_cache(maxsize=16)
def _realise(equalizer: Equalizer, sample_rate: int) -> Shape:
    return realise(
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
        The middle, in Hz.
    gain_db : float
        There, −60 to 60 dB.
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

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.frequency, from_db(self.gain_db / 2)
        return np.asarray(np.abs((s * s + s * (a / self.q) + 1) / (s * s + s / (a * self.q) + 1)))


@dataclass(frozen=True, repr=False)
class LowShelf(Equalizer):
    """Raise or lower all below a frequency: ``A (s² + s √A/Q + A) / (A s² + s √A/Q + 1)``, A = 10^(gain/40).

    Parameters
    ----------
    frequency : float
        Where half of the gain in dB is reached, in Hz.
    gain_db : float
        −60 to 60 dB.
    q : float
        0.7071 is the steepest without overshoot.
    phase, tolerance
        Keyword-only; see `Equalizer`.
    """

    frequency: float
    gain_db: float
    q: float = _BUTTERWORTH

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.frequency, from_db(self.gain_db / 2)
        middle = s * (math.sqrt(a) / self.q)
        return np.asarray(a * np.abs((s * s + middle + a) / (a * s * s + middle + 1)))


@dataclass(frozen=True, repr=False)
class HighShelf(Equalizer):
    """Raise or lower all above a frequency: the mirror image of `LowShelf`, with its parameters."""

    frequency: float
    gain_db: float
    q: float = _BUTTERWORTH

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.frequency, from_db(self.gain_db / 2)
        middle = s * (math.sqrt(a) / self.q)
        return np.asarray(a * np.abs((a * s * s + middle + 1) / (s * s + middle + a)))


@dataclass(frozen=True, repr=False)
class Tilt(Equalizer):
    """Tip the balance about a pivot: ``(A s + 1) / (s + A)``, A = 10^(gain/20).

    Parameters
    ----------
    gain_db : float
        Of the highest frequencies, −60 to 60 dB; the lowest get as much less.
    pivot : float
        Where nothing changes, in Hz.
    phase, tolerance
        Keyword-only; see `Equalizer`.
    """

    gain_db: float
    pivot: float = 1000.0

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        s, a = 1j * frequencies / self.pivot, from_db(self.gain_db)
        return np.asarray(np.abs((a * s + 1) / (s + a)))


@dataclass(frozen=True, repr=False)
class Notch(Equalizer):
    """Take out one frequency, such as the mains' hum: ``(s² + 1) / (s² + s/Q + 1)``.

    Parameters
    ----------
    frequency : float
        In Hz.
    q : float
        Frequency ÷ bandwidth between the −3 dB points, 0.05 to 1000.
    harmonics : int
        How many multiples to take out, the frequency itself the first, 1 to 100; each as wide in Hz as the first.
    phase, tolerance
        Keyword-only; see `Equalizer`. The phase can only be minimum.
    """

    frequency: float
    q: float = 30.0
    harmonics: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("harmonics", self.harmonics, 1, _MOST_HARMONICS)
        if self.phase != "minimum":
            raise ParameterError(
                f"phase {self.phase!r} of a notch; expected minimum, as it would ring for seconds before the sound. "
                "Use BandStop"
            )

    @property
    def zeros(self) -> tuple[float, ...]:
        """The frequency and its harmonics."""
        return tuple(number * self.frequency for number in range(1, int(self.harmonics) + 1))

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        gain = np.ones(frequencies.shape)
        for number, zero in enumerate(self.zeros, 1):
            ratio = frequencies / zero
            below = np.abs(1 - ratio * ratio)  # s² + 1 on the imaginary axis
            gain *= below / np.hypot(below, ratio / (number * self.q))
        return gain


@dataclass(frozen=True, repr=False)
class LowCut(Equalizer):
    """Roll off the lows as Butterworth's filters do: ``1 / √(1 + (frequency/f)^(2n))``, n = slope/6.

    Parameters
    ----------
    frequency : float
        The −3 dB point, in Hz.
    slope : int
        In dB per octave, a multiple of 6 up to 96.
    phase, tolerance
        Keyword-only; see `Equalizer`.
    """

    frequency: float
    slope: int = 12

    @property
    def zeros(self) -> tuple[float, ...]:
        """0 Hz, as often as the order of the filter says."""
        return (0.0,) * (self.slope // 6)

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        ratio = frequencies / self.frequency
        return 1.0 / np.sqrt(1.0 + np.maximum(ratio, 1e-9) ** (-self.slope / 3))


@dataclass(frozen=True, repr=False)
class HighCut(Equalizer):
    """Roll off the highs: the mirror image of `LowCut`, with its parameters."""

    frequency: float
    slope: int = 12

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        ratio = frequencies / self.frequency
        return 1.0 / np.sqrt(1.0 + np.minimum(ratio, 1e6) ** (self.slope / 3))


def check_slope(slope: float) -> None:
    """Raise ParameterError for a slope that is no multiple of 6 dB per octave, from 6 to 96."""
    if not is_number(slope) or slope not in _SLOPES:
        raise ParameterError(
            f"slope {shown(repr(slope))} dB per octave; expected a multiple of 6, from {_SLOPES[0]} to {_SLOPES[-1]}"
        )
