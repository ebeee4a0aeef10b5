"""FIR filters designed to a specification: low-pass, high-pass, band-pass, band-stop.

A specification is given in Hz and dB: the cutoff is the −6 dB point, the transition the width of the range between pass
band and stop band, centered on the cutoff, and the attenuation the least in the stop band. The number of taps follows;
`Filter.report` returns it, with the ripple and attenuation that the taps reach.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from reverb.arrays import Double, as_sample_rate
from reverb.checks import in_range, is_number, one_of
from reverb.choices import METHODS, PHASES, Method, Phase
from reverb.effects.design.phases import minimum_phase_taps, mixed_phase_taps
from reverb.effects.design.specify import (
    FilterReport,
    Kind,
    Specification,
    design,
    measure,
    report_on,
    shortfall,
    tightened,
)
from reverb.effects.effect import Effect
from reverb.errors import ParameterError, shown
from reverb.responses.response import ImpulseResponse, owning

DEFAULT_ATTENUATION = 80.0
MIN_ATTENUATION, MAX_ATTENUATION = 21.0, 180.0  # below 21 dB Kaiser's window is rectangular
_DEFAULT_RELATIVE_TRANSITION = 0.2
_MIN_RIPPLE_DB, _MAX_RIPPLE_DB = 1e-6, 3.0
_MAX_PHASE_ROUNDS = 8
_MAX_PHASE_TAPS = 1 << 18  # their transforms take a hundred megabytes
_PHASE_MARGIN_DB = 0.2


@dataclass(frozen=True, repr=False)
class Filter(Effect):
    """Base class of the filters.

    Parameters
    ----------
    transition : float, optional
        Width in Hz. By default 0.2 of the lowest edge, or less if 0 Hz, the Nyquist frequency or the other edge is
        nearer.
    attenuation : float
        Of the stop band in dB, 21 to 180.
    phase : {'linear', 'minimum', 'mixed'}
        Linear: symmetric taps, whose delay is compensated. Minimum: no delay and no pre-ringing. Mixed: half of either
        in dB, with little pre-ringing and half of the phase shift.
    ripple : float, optional
        Largest deviation from 0 dB in the pass band, in dB, 1e-6 to 3. By default the stop band's deviation in linear
        gain (0.001 dB at 80 dB); about as much for minimum and mixed phase.
    method : {'kaiser', 'least-squares', 'equiripple'}
        Design method; see `reverb.effects.design.specify.design`.
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
        check_transition(self.transition)
        in_range("attenuation", self.attenuation, MIN_ATTENUATION, MAX_ATTENUATION, "dB")
        if self.ripple is not None:
            in_range("ripple", self.ripple, _MIN_RIPPLE_DB, _MAX_RIPPLE_DB, "dB")
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
            If an edge is not below half the sample rate, the transition does not fit, or the method cannot reach the
            specification.
        """
        spec = self.specification(sample_rate)
        taps, latency = _taps_in_phase(spec, self.phase, self.method)
        return owning(taps, spec.sample_rate, self._kind, latency=latency)

    def report(self, sample_rate: int) -> FilterReport:
        """Return the taps at `sample_rate` Hz with their measured ripple and attenuation; errors as `response`."""
        response = self.response(sample_rate)
        reached = measure(response.samples[:, 0].astype(np.float64), self.specification(sample_rate))
        return report_on(response, reached.ripple, reached.attenuation)

    def specification(self, sample_rate: int) -> Specification:
        """Return the filter's specification at a sample rate, or raise ParameterError if it does not fit there."""
        sample_rate = as_sample_rate(sample_rate)
        width = self._transition_at(sample_rate)
        return Specification(self._kind, self._edges, width, self.attenuation, self.ripple, sample_rate)

    def _transition_at(self, sample_rate: int) -> float:
        """Return the width of the transition in Hz, or raise ParameterError if it does not fit the sample rate."""
        nyquist = sample_rate / 2
        edges = self._edges
        for edge in edges:
            if edge >= nyquist:
                raise ParameterError(
                    f"cutoff {edge:g} Hz; expected more than 0 and less than {nyquist:g} Hz, half the sample rate"
                )
        widest = 2 * min(edges[0], nyquist - edges[-1])
        if len(edges) == 2:
            widest = min(widest, edges[1] - edges[0])
        if self.transition is None:
            return min(_DEFAULT_RELATIVE_TRANSITION * edges[0], widest)
        if self.transition > widest:
            raise ParameterError(
                f"transition {self.transition:g} Hz; at a sample rate of {sample_rate} Hz at most {widest:g} Hz fit "
                f"around {' and '.join(f'{edge:g}' for edge in edges)} Hz"
            )
        return self.transition


def check_transition(transition: Any) -> None:
    """Raise ParameterError unless a transition is a positive number of Hz, or None."""
    if transition is not None and not (is_number(transition) and 0 < transition < math.inf):
        raise ParameterError(f"transition is {shown(repr(transition))} Hz; expected more than 0 Hz")


@lru_cache(maxsize=8)
def _taps_in_phase(spec: Specification, phase: Phase, method: Method) -> tuple[Double, int]:
    """Return taps that meet a specification in a phase, and their latency in frames."""
    taps = design(spec, method)
    if phase == "linear":
        return taps, (len(taps) - 1) // 2
    if len(taps) > _MAX_PHASE_TAPS:
        raise ParameterError(
            f"transition {spec.width:g} Hz at {spec.sample_rate} Hz needs {len(taps)} taps; phase {phase} is built "
            f"from at most {_MAX_PHASE_TAPS}. Choose a wider transition, or linear phase"
        )
    margin = 0.0
    for _ in range(_MAX_PHASE_ROUNDS):
        converted, latency = (minimum_phase_taps(taps), 0) if phase == "minimum" else mixed_phase_taps(taps)
        missing = shortfall(measure(converted, spec), spec)
        if missing <= 0.0:
            return converted, latency
        # Rounding, and cutting the converted taps to length, cost some of the attenuation: design for more.
        margin += missing + _PHASE_MARGIN_DB
        taps = design(tightened(spec, margin), method)
    raise ParameterError(
        f"phase {phase!r} stays {missing:.2g} dB short of the specification; expected less attenuation than "
        f"{spec.attenuation:g} dB, more ripple, or phase linear"
    )


@dataclass(frozen=True, repr=False)
class LowPass(Filter):
    """Keep the frequencies below a cutoff.

    Parameters
    ----------
    cutoff : float
        −6 dB point in Hz, below half the sample rate.
    transition, attenuation, phase, ripple, method
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
    """Keep the frequencies above a cutoff; parameters as `LowPass`.

    Examples
    --------
    >>> HighPass(80, phase="minimum").response(48_000).latency
    0
    """

    cutoff: float

    _kind = "highpass"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.cutoff,)


@dataclass(frozen=True, repr=False)
class BandPass(Filter):
    """Keep the frequencies between two cutoffs.

    Parameters
    ----------
    low, high : float
        −6 dB points in Hz, `low` below `high`, both below half the sample rate.
    transition, attenuation, phase, ripple, method
        Keyword-only; see `Filter`.

    Examples
    --------
    >>> BandPass(300, 3400, attenuation=60).report(48_000).attenuation >= 60
    True
    """

    low: float
    high: float

    _kind = "bandpass"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.low, self.high)


@dataclass(frozen=True, repr=False)
class BandStop(Filter):
    """Keep the frequencies outside two cutoffs; parameters as `BandPass`.

    Examples
    --------
    >>> BandStop(900, 1100, transition=100).response(48_000).channels
    1
    """

    low: float
    high: float

    _kind = "bandstop"

    @property
    def _edges(self) -> tuple[float, ...]:
        return (self.low, self.high)
