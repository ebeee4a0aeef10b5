"""FIR filters, designed to a specification: low-, high- and band-pass, band-stop.

A filter is stated in Hz and dB: the cutoff is its −6 dB point, the transition the width over which it goes
from pass band to stop band (centred on the cutoff), the attenuation what it keeps of the stop band at most.
The number of taps follows.
"""

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from reverb.effects.effect import Effect
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse

Phase = Literal["linear", "minimum"]
PHASES: tuple[Phase, ...] = get_args(Phase)
Taps = npt.NDArray[np.float64]
_Kind = Literal["lowpass", "highpass", "bandpass", "bandstop"]

DEFAULT_ATTENUATION = 80.0
DEFAULT_RELATIVE_TRANSITION = 0.2
_ATTENUATIONS = (21.0, 180.0)  # below 21 dB Kaiser's formula is a rectangular window
_MOST_TAPS = 1 << 20
_FINE_GRID = 1 << 17  # points on which the attenuation of short filters is measured; 16 per tap for long ones
# The transforms of `minimum_phase`: at least and at most this many times the taps, and what is long in between.
_CEPSTRUM_FACTOR = (8, 128)
_LONG_CEPSTRUM = 1 << 22
_SMALLEST = 1e-14


@dataclass(frozen=True)
class Filter(Effect):
    """What all filters of this module share.

    Parameters
    ----------
    transition : float, optional
        Width in Hz; by default 0.2 of the lowest edge, narrowed where 0 Hz, the Nyquist frequency or the
        other edge is nearer.
    attenuation : float
        Of the stop band, in dB, 21 to 180.
    phase : {'linear', 'minimum'}
        Linear: symmetric taps, whose delay is compensated. Minimum: no delay, no pre-ringing.
    """

    _: KW_ONLY
    transition: float | None = None
    attenuation: float = DEFAULT_ATTENUATION
    phase: Phase = "linear"

    def __post_init__(self) -> None:
        edges = self._edges
        for edge in edges:
            if not 0.0 < edge < math.inf:
                raise ParameterError(
                    f"cutoff {edge:g} Hz; expected more than 0 Hz, below half the sample rate"
                )
        if list(edges) != sorted(set(edges)):
            raise ParameterError(f"low {edges[0]:g} Hz, high {edges[1]:g} Hz; expected low below high")
        if self.transition is not None and not 0.0 < self.transition < math.inf:
            raise ParameterError(f"transition {self.transition:g} Hz; expected more than 0 Hz")
        lowest, highest = _ATTENUATIONS
        if not lowest <= self.attenuation <= highest:
            raise ParameterError(
                f"attenuation {self.attenuation:g} dB; expected {lowest:g} to {highest:g} dB"
            )
        if self.phase not in PHASES:
            raise ParameterError(f"phase {self.phase!r}; expected one of {', '.join(PHASES)}")

    @property
    @abstractmethod
    def _kind(self) -> _Kind: ...

    @property
    @abstractmethod
    def _edges(self) -> tuple[float, ...]: ...

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the taps for `sample_rate` Hz as a mono response.

        Raises
        ------
        ParameterError
            If an edge is not below half the sample rate, or the transition does not fit beside it.
        """
        width = self._width(sample_rate)
        taps = design(self._kind, self._edges, width, self.attenuation, sample_rate)
        if self.phase == "minimum":
            return ImpulseResponse(minimum_phase(taps), sample_rate, self._kind)
        return ImpulseResponse(taps, sample_rate, self._kind, latency=(len(taps) - 1) // 2)

    def _width(self, sample_rate: int) -> float:
        """Return the transition's width in Hz, checked against what fits at a sample rate."""
        nyquist = sample_rate / 2
        edges = self._edges
        for edge in edges:
            if edge >= nyquist:
                raise ParameterError(
                    f"cutoff {edge:g} Hz; expected more than 0 and less than {nyquist:g} Hz, half the sample rate"
                )
        room = 2 * min(edges[0], nyquist - edges[-1])
        if len(edges) == 2:
            room = min(room, edges[1] - edges[0])
        if self.transition is None:
            return min(DEFAULT_RELATIVE_TRANSITION * edges[0], room)
        if self.transition > room:
            raise ParameterError(
                f"transition {self.transition:g} Hz; at a sample rate of {sample_rate} Hz at most {room:g} Hz fit "
                f"around {' and '.join(f'{edge:g}' for edge in edges)} Hz"
            )
        return self.transition


@dataclass(frozen=True)
class LowPass(Filter):
    """Keep what lies below a cutoff.

    Parameters
    ----------
    cutoff : float
        The −6 dB point in Hz, below half the sample rate.
    transition, attenuation, phase
        Keyword-only; see `Filter`.

    Examples
    --------
    >>> LowPass(8000, transition=500).response(48_000).channels
    1
    """

    cutoff: float

    _kind = "lowpass"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.cutoff,)


@dataclass(frozen=True)
class HighPass(Filter):
    """Keep what lies above a cutoff; parameters as `LowPass`."""

    cutoff: float

    _kind = "highpass"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.cutoff,)


@dataclass(frozen=True)
class BandPass(Filter):
    """Keep what lies between two cutoffs.

    Parameters
    ----------
    low, high : float
        The −6 dB points in Hz, `low` below `high`, both below half the sample rate.
    transition, attenuation, phase
        Keyword-only; see `Filter`.
    """

    low: float
    high: float

    _kind = "bandpass"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.low, self.high)


@dataclass(frozen=True)
class BandStop(Filter):
    """Keep what lies outside two cutoffs; parameters as `BandPass`."""

    low: float
    high: float

    _kind = "bandstop"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.low, self.high)


@lru_cache(maxsize=32)
def design(kind: _Kind, edges: tuple[float, ...], width: float, attenuation: float, sample_rate: int) -> Taps:
    """Design linear-phase taps by the window method with Kaiser's window.

    The number of taps starts from Kaiser's estimate ``(A − 7.95) / (2.285 Δω)`` and grows until the attenuation,
    measured on the taps, reaches the specification. The pass band's ripple is then about ``10^(−A/20)`` too.

    Parameters
    ----------
    kind : {'lowpass', 'highpass', 'bandpass', 'bandstop'}
    edges : tuple of float
        One or two −6 dB points in Hz.
    width : float
        Of each transition, in Hz.
    attenuation : float
        A, in dB.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float64, shape (taps,), read-only
        An odd number, symmetric, gain 1 in the pass band's middle.

    Raises
    ------
    ParameterError
        If more than a million taps were needed.

    References
    ----------
    J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
    """
    from scipy.signal import firwin, kaiser_beta, kaiserord

    asked = attenuation
    for _ in range(8):
        count = kaiserord(asked, 2 * width / sample_rate)[0] | 1
        if count > _MOST_TAPS:
            raise ParameterError(
                f"transition {width:g} Hz at {sample_rate} Hz needs {count} taps; at most {_MOST_TAPS} are built. "
                "Choose a wider transition"
            )
        window = ("kaiser", kaiser_beta(asked))
        taps: Taps = firwin(count, edges, window=window, pass_zero=kind, fs=sample_rate)
        reached = measured_attenuation(taps, kind, edges, width, sample_rate)
        if reached >= attenuation:
            break
        asked += attenuation - reached + 0.05
    taps.setflags(write=False)
    return taps


def measured_attenuation(
    taps: Taps, kind: _Kind, edges: tuple[float, ...], width: float, sample_rate: int
) -> float:
    """Return the least attenuation, in dB, that taps have in the stop band of a specification."""
    size = max(1 << (16 * len(taps) - 1).bit_length(), _FINE_GRID)
    frequencies = np.fft.rfftfreq(size, 1.0 / sample_rate)
    magnitude = np.abs(np.fft.rfft(taps, size))
    # Its borders, where a stop band is weakest, lie between the points of the grid.
    borders = np.array([edge + side * width / 2 for edge in edges for side in (-1, 1)])
    at_borders = np.abs(np.exp(-2j * np.pi / sample_rate * np.outer(borders, np.arange(len(taps)))) @ taps)
    frequencies, magnitude = np.append(frequencies, borders), np.append(magnitude, at_borders)
    stopped = np.ones(len(frequencies), bool)
    for edge in edges:
        stopped &= np.abs(frequencies - edge) >= width / 2 * (1 - 1e-9)
    above_first = frequencies > edges[0]
    inside = above_first & (frequencies < edges[-1]) if len(edges) == 2 else ~above_first
    stopped &= ~inside if kind in ("lowpass", "bandpass") else inside
    return -20.0 * math.log10(max(float(magnitude[stopped].max(initial=0.0)), 1e-15))


def minimum_phase(taps: Taps) -> Taps:
    """Return taps of the same magnitude response whose energy comes as early as it can.

    By the homomorphic method: the phase is the Hilbert transform of the log magnitude, which folding its cepstrum
    into positive time gives. The transform is much longer than the taps, as zeros on the unit circle make the
    cepstrum die away slowly: magnitudes come out within about −90 dB.

    References
    ----------
    A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", chapter 13 (cepstrum).
    """
    size = 1 << (len(taps) - 1).bit_length()
    size = max(_CEPSTRUM_FACTOR[0] * size, min(_CEPSTRUM_FACTOR[1] * size, _LONG_CEPSTRUM))
    magnitude = np.abs(np.fft.rfft(taps, size))
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitude, _SMALLEST)), size)
    cepstrum[1 : size // 2] *= 2.0
    cepstrum[size // 2 + 1 :] = 0.0
    early: Taps = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[: len(taps)]
    return early
