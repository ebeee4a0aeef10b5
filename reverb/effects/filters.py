"""FIR filters, designed to a specification: low-, high- and band-pass, band-stop.

A filter is stated in Hz and dB: the cutoff is its −6 dB point, the transition the width over which it goes
from pass band to stop band (centred on the cutoff), the attenuation what it keeps of the stop band at most.
The number of taps follows; `Filter.report` tells it, and what is reached.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache

import numpy as np

from reverb.checks import in_range, is_number, one_of
from reverb.effects.design.phases import PHASES, Phase, Taps, early_taps, mixed_phase
from reverb.effects.design.report import FilterReport, report_on
from reverb.effects.design.specify import (
    METHODS,
    Kind,
    Method,
    Specification,
    design,
    lacking,
    measure,
    tighter,
)
from reverb.effects.effect import Effect
from reverb.errors import ParameterError, shown
from reverb.responses.response import ImpulseResponse, owning

DEFAULT_ATTENUATION = 80.0
DEFAULT_RELATIVE_TRANSITION = 0.2
ATTENUATIONS = (21.0, 180.0)  # below 21 dB Kaiser's formula is a rectangular window
_RIPPLES = (1e-6, 3.0)
_PHASE_ROUNDS = 8
_MOST_BENT = 1 << 18  # taps: their transforms take a hundred megabytes
_PHASE_MARGIN = 0.2  # dB


@dataclass(frozen=True, repr=False)
class Filter(Effect):
    """What all filters of this module share.

    Parameters
    ----------
    transition : float, optional
        Width in Hz; by default 0.2 of the lowest edge, narrowed where 0 Hz, the Nyquist frequency or the
        other edge is nearer.
    attenuation : float
        Of the stop band, in dB, 21 to 180.
    phase : {'linear', 'minimum', 'mixed'}
        Linear: symmetric taps, whose delay is compensated. Minimum: no delay, no pre-ringing. Mixed: half of each
        in dB, so that little rings before the sound, and the phase turns half as far.
    ripple : float, optional
        The largest deviation from 0 dB in the pass band, in dB, 1e-6 to 3; by default as much as the stop band's in
        linear gain (0.001 dB at 80 dB), for minimum and mixed phase about as much.
    method : {'kaiser', 'least-squares', 'equiripple'}
        How the taps are designed; see `reverb.effects.design.specify.design`.
    """

    _: KW_ONLY
    transition: float | None = None
    attenuation: float = DEFAULT_ATTENUATION
    phase: Phase = "linear"
    ripple: float | None = None
    method: Method = "kaiser"

    def __post_init__(self) -> None:
        edges = self._edges
        for edge in edges:
            if not is_number(edge) or not 0.0 < edge < math.inf:
                raise ParameterError(
                    f"cutoff is {shown(repr(edge))} Hz; expected more than 0 Hz, below half the sample rate"
                )
        if list(edges) != sorted(set(edges)):
            raise ParameterError(f"low {edges[0]:g} Hz, high {edges[1]:g} Hz; expected low below high")
        if self.transition is not None and not (
            is_number(self.transition) and 0 < self.transition < math.inf
        ):
            raise ParameterError(f"transition is {shown(repr(self.transition))} Hz; expected more than 0 Hz")
        in_range("attenuation", self.attenuation, *ATTENUATIONS, "dB")
        if self.ripple is not None:
            in_range("ripple", self.ripple, *_RIPPLES, "dB")
        one_of("phase", self.phase, PHASES)
        one_of("method", self.method, METHODS)

    @property
    @abstractmethod
    def _kind(self) -> Kind: ...

    @property
    @abstractmethod
    def _edges(self) -> tuple[float, ...]: ...

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the taps for `sample_rate` Hz as a mono response.

        Raises
        ------
        ParameterError
            If an edge is not below half the sample rate, the transition does not fit beside it, or the method cannot
            build the taps.
        """
        taps, latency = _realise(self.specification(sample_rate), self.phase, self.method)
        return owning(taps, sample_rate, self._kind, latency=latency)

    def report(self, sample_rate: int) -> FilterReport:
        """Return how many taps the filter takes at `sample_rate` Hz, and what they reach; errors as `response`."""
        response = self.response(sample_rate)
        reached = measure(response.samples[:, 0].astype(np.float64), self.specification(sample_rate))
        return report_on(response, reached.ripple, reached.attenuation)

    def specification(self, sample_rate: int) -> Specification:
        """Return what the filter has to do at a sample rate, checked against what fits there."""
        width = self._width(sample_rate)
        return Specification(self._kind, self._edges, width, self.attenuation, self.ripple, sample_rate)

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


@lru_cache(maxsize=8)
def _realise(spec: Specification, phase: Phase, method: Method) -> tuple[Taps, int]:
    """Return the taps of a specification in a phase, and their latency in frames."""
    taps = design(spec, method)
    if phase == "linear":
        return taps, (len(taps) - 1) // 2
    if len(taps) > _MOST_BENT:
        raise ParameterError(
            f"transition {spec.width:g} Hz at {spec.sample_rate} Hz needs {len(taps)} taps; phase {phase} is built "
            f"from at most {_MOST_BENT}. Choose a wider transition, or linear phase"
        )
    tightened = 0.0
    for _ in range(_PHASE_ROUNDS):
        turned, latency = (early_taps(taps), 0) if phase == "minimum" else mixed_phase(taps)
        short = lacking(measure(turned, spec), spec)
        if short <= 0.0:
            return turned, latency
        # What is cut off the turned taps, and rounding, cost some of what the others reach.
        tightened += short + _PHASE_MARGIN
        taps = design(tighter(spec, tightened), method)
    raise ParameterError(
        f"phase {phase!r} stays {short:.2g} dB short of the specification; expected less attenuation than "
        f"{spec.attenuation:g} dB, more ripple, or phase linear"
    )


@dataclass(frozen=True, repr=False)
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


@dataclass(frozen=True, repr=False)
class HighPass(Filter):
    """Keep what lies above a cutoff; parameters as `LowPass`."""

    cutoff: float

    _kind = "highpass"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.cutoff,)


@dataclass(frozen=True, repr=False)
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


@dataclass(frozen=True, repr=False)
class BandStop(Filter):
    """Keep what lies outside two cutoffs; parameters as `BandPass`."""

    low: float
    high: float

    _kind = "bandstop"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.low, self.high)
