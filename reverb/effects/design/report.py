"""What a designed filter is like: its length, what it reaches, and what it costs in time."""

import math
from dataclasses import dataclass

import numpy as np

from reverb.levels import to_db
from reverb.responses.response import ImpulseResponse

_AUDIBLE = 1e-3  # −60 dB of the peak: where pre-ringing begins to count


@dataclass(frozen=True, kw_only=True)
class FilterReport:
    """A filter at a sample rate.

    Attributes
    ----------
    taps : int
    sample_rate : int
        In Hz.
    ripple : float
        The largest deviation from what is wanted, in dB: from 0 dB in the pass bands, or from an equalizer's curve.
    attenuation : float or None
        The least in the stop bands, in dB; None for an equalizer, which has none.
    latency : int
        Frames before time zero, which rendering makes up for and live sound cannot.
    delay : float
        Seconds from the first tap to the largest.
    pre_ringing : float
        Energy of what rings before the lobe of the largest tap, in dB of the whole; −inf for none.
    pre_ringing_seconds : float
        How long before the largest tap the filter first exceeds −60 dB of it.
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
    """Return the report of a mono response, with what was measured of its specification."""
    taps = response.samples[:, 0].astype(np.float64)
    magnitude = np.abs(taps)
    largest = int(magnitude.argmax())
    first = int(np.flatnonzero(magnitude > _AUDIBLE * magnitude[largest])[0]) if magnitude[largest] else 0
    energy = float(taps @ taps)
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
