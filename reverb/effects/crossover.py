"""Crossovers: linear-phase bands that sum to the delayed sound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache

import numpy as np

from reverb.arrays import Double, as_sample_rate
from reverb.checks import in_range, whole
from reverb.effects.design.magnitude import deviation
from reverb.effects.design.specify import Bands, FilterReport, measure_bands, report_on
from reverb.effects.effect import Effect, HasResponse
from reverb.effects.equalizers import Equalizer, check_slope
from reverb.effects.filters import (
    DEFAULT_ATTENUATION,
    MAX_ATTENUATION,
    MIN_ATTENUATION,
    LowPass,
    check_transition,
)
from reverb.errors import ParameterError, shown
from reverb.responses.response import ImpulseResponse, owning, unit

_MAX_EDGES = 30
_TWICE_DB = 20 * math.log10(2)
_MAX_TAPS = 1 << 21  # of all low-pass filters together
_TOLERANCE_DB = 0.002  # of each curve; the sum of the bands is exact in any case


def crossover(
    *frequencies: float,
    slope: int | None = 24,
    transition: float | None = None,
    attenuation: float = DEFAULT_ATTENUATION,
) -> tuple[Band, ...]:
    """Return the bands of a crossover, lowest first; their sum is the sound itself.

    Parameters
    ----------
    *frequencies : float
        −6 dB points in Hz, rising. One frequency makes two bands.
    slope : int or None
        In dB per octave, a multiple of 6 from 6 to 96: Linkwitz-Riley magnitudes with linear phase. None for steep
        filters designed to a specification.
    transition, attenuation : float, optional
        Specification of the steep filters; see `reverb.effects.filters.Filter`.

    Examples
    --------
    >>> low, high = crossover(200)
    >>> (low + high).response(48_000).samples[low.response(48_000).latency].round(9).tolist()
    [1.0]
    """
    return tuple(
        Band(frequencies, number, slope=slope, transition=transition, attenuation=attenuation)
        for number in range(len(frequencies) + 1)
    )


@dataclass(frozen=True, repr=False)
class Band(Effect):
    """One band of a crossover.

    The lowest band is a low-pass filter. Each other band is the difference between the low-pass filters at its borders,
    so that all bands sum to a delay for any kind of filter.

    Parameters
    ----------
    frequencies : sequence of float
        All −6 dB points of the crossover in Hz, rising.
    number : int
        Index of the band; 0 is the lowest.
    slope, transition, attenuation
        Keyword-only; see `crossover`.

    Examples
    --------
    >>> Band((200, 2000), 1) == crossover(200, 2000)[1]
    True
    """

    frequencies: Sequence[float]
    number: int
    _: KW_ONLY
    slope: int | None = 24
    transition: float | None = None
    attenuation: float = DEFAULT_ATTENUATION

    def __post_init__(self) -> None:
        if isinstance(self.frequencies, str) or not isinstance(self.frequencies, Iterable):
            raise ParameterError(f"frequencies is {shown(repr(self.frequencies))}; expected a sequence of Hz")
        edges = tuple(in_range("frequencies", edge, 0, math.inf, "Hz") for edge in self.frequencies)
        object.__setattr__(self, "frequencies", edges)
        if not 1 <= len(edges) <= _MAX_EDGES:
            raise ParameterError(f"{len(edges)} crossover frequencies; expected 1 to {_MAX_EDGES}")
        if not all(0 < low < high for low, high in zip(edges, (*edges[1:], math.inf), strict=True)):
            listed = ", ".join(f"{edge:g}" for edge in edges)
            raise ParameterError(f"crossover frequencies {listed} Hz; expected more than 0 Hz, rising")
        whole("number", self.number, 0, len(edges))
        check_transition(self.transition)
        if self.slope is not None:
            check_slope(self.slope)
            if self.transition is not None:
                raise ParameterError(
                    "slope is given together with transition; expected slope=None for a steep filter"
                )
        most = MAX_ATTENUATION - self._margin_db
        if in_range("attenuation", self.attenuation, MIN_ATTENUATION, MAX_ATTENUATION, "dB") > most:
            raise ParameterError(
                f"attenuation {self.attenuation:g} dB; expected at most {most:.0f} dB at {len(edges)} frequencies"
            )
        for edge in edges:
            self._low_pass(edge)

    def _low_pass(self, edge: float) -> _LinkwitzRiley | LowPass:
        return self._steep(edge) if self.slope is None else self._gentle(edge)

    def _gentle(self, edge: float) -> _LinkwitzRiley:
        assert self.slope is not None
        return _LinkwitzRiley(edge, self.slope, phase="linear", tolerance=_TOLERANCE_DB)

    def _steep(self, edge: float) -> LowPass:
        return LowPass(edge, transition=self.transition, attenuation=self.attenuation + self._margin_db)

    @property
    def _margin_db(self) -> float:
        """The dB by which the errors of two low-pass filters can add up in the band between them."""
        return _TWICE_DB if len(self.frequencies) > 1 else 0.0

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the band's taps at `sample_rate` Hz; all bands of a crossover have the same length and latency.

        Raises
        ------
        ParameterError
            If a frequency is not below half the sample rate.
        """
        sample_rate = as_sample_rate(sample_rate)
        if self.frequencies[-1] >= sample_rate / 2:
            raise ParameterError(
                f"crossover frequency {self.frequencies[-1]:g} Hz; expected less than {sample_rate / 2:g} Hz, half the "
                "sample rate"
            )
        below = _low_passes(tuple(map(self._low_pass, self.frequencies)), sample_rate)
        latency = max(response.latency for response in below)
        taps = _padded(below[self.number], latency)
        if self.number > 0:
            taps = taps - _padded(below[self.number - 1], latency)
        return owning(taps, sample_rate, f"band {self.number + 1}", latency=latency)

    def report(self, sample_rate: int) -> FilterReport:
        """Return the number of taps at `sample_rate` Hz, and their ripple and attenuation; errors as `response`.

        The ripple of a band with slopes is its deviation from the difference of their curves, relative to full gain.
        Only a steep band has an attenuation.
        """
        sample_rate = as_sample_rate(sample_rate)
        response = self.response(sample_rate)
        taps = response.samples[:, 0].astype(np.float64)
        if self.slope is not None:
            return report_on(response, deviation(taps, self._magnitude, sample_rate, floor=1.0))
        reached = measure_bands(taps, self._bands(sample_rate), sample_rate)
        return report_on(response, reached.ripple, reached.attenuation)

    def _magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain of a band with slopes, at frequencies in Hz."""
        below = [self._gentle(edge).magnitude(frequencies) for edge in self.frequencies]
        low, high = [np.zeros_like(frequencies), *below, np.ones_like(frequencies)][self.number :][:2]
        return high - low

    def _bands(self, sample_rate: int) -> Bands:
        """Return the pass band and the stop bands of a steep band."""
        low_passes = [self._steep(edge).specification(sample_rate).bands for edge in self.frequencies]
        ends = [passes[1] for passes, _ in low_passes]
        starts = [stops[0] for _, stops in low_passes]
        number, nyquist = self.number, sample_rate / 2
        return [
            *((0.0, end, False) for end in ends[:number][-1:]),
            ((0.0, *starts)[number], (*ends, nyquist)[number], True),
            *((start, nyquist, False) for start in starts[number:][:1]),
        ]


@lru_cache(maxsize=1)
def _low_passes(filters: tuple[HasResponse, ...], sample_rate: int) -> list[ImpulseResponse]:
    """Return the low-pass of every edge, then the identity. Cached, because all bands of a crossover share the list."""
    below, taps = list[ImpulseResponse](), 0
    for low_pass in filters:
        below.append(low_pass.response(sample_rate))
        taps += below[-1].frames
        if taps > _MAX_TAPS:
            raise ParameterError(
                f"{len(filters)} crossover frequencies take more than {_MAX_TAPS} taps at {sample_rate} Hz; expected "
                "fewer, or a wider transition"
            )
    return [*below, unit(sample_rate)]


def _padded(response: ImpulseResponse, latency: int) -> Double:
    """Return symmetric taps padded with zeros on both sides to a larger latency."""
    missing = latency - response.latency
    return np.pad(response.samples[:, 0].astype(np.float64), missing)


@dataclass(frozen=True, repr=False)
class _LinkwitzRiley(Equalizer):
    """A low-pass filter with the magnitude ``1 / (1 + (f/frequency)^n)``, n = slope/6.

    S. H. Linkwitz, "Active crossover networks for noncoincident drivers", J. Audio Eng. Soc. 24(1), 1976.
    """

    frequency: float
    slope: int

    def magnitude(self, frequencies: Double) -> Double:
        """Return the exact linear gain at frequencies in Hz, an array of the same shape."""
        return 1.0 / (1.0 + np.minimum(frequencies / self.frequency, 1e3) ** (self.slope / 6))
