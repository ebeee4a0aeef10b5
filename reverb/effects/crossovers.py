"""Crossovers: one sound into bands that sum to the sound again, delayed as linear phase has to."""

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache

import numpy as np

from reverb.effects.effect import Effect, HasResponse
from reverb.effects.equalisers import Equaliser, check_slope
from reverb.effects.filters import DEFAULT_ATTENUATION, LowPass
from reverb.effects.phases import Taps
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse, unit

_MOST_EDGES = 30
_MOST_TAPS = 1 << 21  # of all low-pass filters together
_TOLERANCE = 0.002  # dB; the bands sum exactly all the same


def crossover(
    *frequencies: float,
    slope: int | None = 24,
    transition: float | None = None,
    attenuation: float = DEFAULT_ATTENUATION,
) -> tuple["Band", ...]:
    """Return the bands between some frequencies, lowest first; their sum is the sound itself.

    Parameters
    ----------
    *frequencies : float
        The −6 dB points in Hz, rising; one makes two bands.
    slope : int or None
        In dB per octave, a multiple of 6 up to 96: the magnitudes of Linkwitz and Riley, with linear phase.
        None for steep filters to a specification.
    transition, attenuation : float, optional
        Of these steep filters; see `reverb.effects.filters.Filter`.

    Examples
    --------
    >>> low, high = crossover(200)
    >>> (low + high).response(48_000).samples[low.response(48_000).latency].round(9).tolist()
    [1.0]
    """
    settings = {"slope": slope, "transition": transition, "attenuation": attenuation}
    return tuple(Band(frequencies, number, **settings) for number in range(len(frequencies) + 1))  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class Band(Effect):
    """One band of a crossover.

    The lowest is a low-pass filter; each further one is the difference between the low-pass filters at its
    borders, so that all of them sum to a delay, whatever the filters.

    Parameters
    ----------
    frequencies : sequence of float
        All −6 dB points of the crossover in Hz, rising.
    number : int
        From 0, the lowest.
    slope, transition, attenuation
        Keyword-only; see `crossover`.
    """

    frequencies: Sequence[float]
    number: int
    _: KW_ONLY
    slope: int | None = 24
    transition: float | None = None
    attenuation: float = DEFAULT_ATTENUATION

    def __post_init__(self) -> None:
        edges = tuple(float(frequency) for frequency in self.frequencies)
        object.__setattr__(self, "frequencies", edges)
        if not 1 <= len(edges) <= _MOST_EDGES:
            raise ParameterError(f"{len(edges)} crossover frequencies; expected 1 to {_MOST_EDGES}")
        if not all(0 < low < high for low, high in zip(edges, (*edges[1:], math.inf), strict=True)):
            listed = ", ".join(f"{edge:g}" for edge in edges)
            raise ParameterError(f"crossover frequencies {listed} Hz; expected more than 0 Hz, rising")
        if not 0 <= self.number <= len(edges):
            raise ParameterError(f"band {self.number}; expected 0 to {len(edges)}")
        if self.slope is not None:
            check_slope(self.slope)
            if self.transition is not None:
                raise ParameterError("slope stands beside transition; give slope=None for a steep filter")
        for edge in edges:
            self._low_pass(edge)

    def _low_pass(self, edge: float) -> HasResponse:
        if self.slope is not None:
            return _LinkwitzRiley(edge, self.slope, phase="linear", tolerance=_TOLERANCE)
        return LowPass(edge, transition=self.transition, attenuation=self.attenuation)

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the band's taps at `sample_rate` Hz; all bands of a crossover have the same length and latency.

        Raises
        ------
        ParameterError
            If a frequency is not below half the sample rate.
        """
        if self.frequencies[-1] >= sample_rate / 2:
            raise ParameterError(
                f"crossover frequency {self.frequencies[-1]:g} Hz; expected less than {sample_rate / 2:g} Hz, half the "
                "sample rate"
            )
        below = _below(tuple(map(self._low_pass, self.frequencies)), sample_rate)
        latency = max(response.latency for response in below)
        taps = _padded(below[self.number], latency)
        if self.number > 0:
            taps = taps - _padded(below[self.number - 1], latency)
        return ImpulseResponse(taps, sample_rate, f"band {self.number + 1}", latency=latency)


@lru_cache(maxsize=1)
def _below(filters: tuple[HasResponse, ...], sample_rate: int) -> list[ImpulseResponse]:
    """Return what lets all below each edge pass, and at last everything; kept, for all bands ask for it."""
    below, taps = list[ImpulseResponse](), 0
    for filter in filters:
        below.append(filter.response(sample_rate))
        taps += below[-1].frames
        if taps > _MOST_TAPS:
            raise ParameterError(
                f"{len(filters)} crossover frequencies take more than {_MOST_TAPS} taps at {sample_rate} Hz; expected "
                "fewer, or a wider transition"
            )
    return [*below, unit(sample_rate)]


def _padded(response: ImpulseResponse, latency: int) -> Taps:
    missing = latency - response.latency
    return np.pad(response.samples[:, 0].astype(np.float64), missing)


@dataclass(frozen=True, repr=False)
class _LinkwitzRiley(Equaliser):
    """A low-pass filter with the magnitude ``1 / (1 + (f/frequency)^n)``, n = slope/6.

    S. H. Linkwitz, "Active crossover networks for noncoincident drivers", J. Audio Eng. Soc. 24(1), 1976.
    """

    frequency: float
    slope: int

    def magnitude(self, frequencies: Taps) -> Taps:
        """Return the wanted linear gain at frequencies in Hz, an array of the same shape."""
        return 1.0 / (1.0 + np.minimum(frequencies / self.frequency, 1e3) ** (self.slope / 6))
