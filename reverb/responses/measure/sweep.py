"""The exponential sine sweep with which rooms are measured, and its inverse.

Farina 2000, "Simultaneous measurement of impulse response and distortion with a swept-sine technique" (AES
108th Convention): ``sin(2π f₁ L (exp(t/L) − 1))`` with ``L = T / ln(f₂/f₁)``. Equal time is spent in every octave, and
the n-th harmonic of a loudspeaker's distortion comes out ``L ln n`` seconds before the linear response.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_sample_rate
from reverb.errors import ParameterError
from reverb.levels import from_db

Array: TypeAlias = npt.NDArray[np.float64]

LEAD_SECONDS = 1.0
"""Silence before the first sweep, from which the room's noise is learned."""
_HIGHEST = 20_000.0
_OF_NYQUIST = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is played to measure a room: sweeps with pauses, from one loudspeaker after the other.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    seconds : float
        Length of one sweep, 0.1 to 120; twice as long gives 3 dB less noise.
    low, high : float
        First and last frequency in Hz; `high` is 20 kHz by default, or 95 % of the Nyquist frequency if that is lower.
    level : float
        Peak in dB re full scale, at most 0.
    fade_in, fade_out : float
        Seconds of raised-cosine fades within the sweep.
    pause : float
        Silence after each sweep, 0.1 to 60 s: the length of the response, and longer than the room rings.
    repetitions : int
        Sweeps per source, 1 to 64; they are averaged, and tell how far two clocks drift apart.
    sources : int
        Loudspeakers that play one after the other, each on a channel of its own; 2 for true stereo.

    Raises
    ------
    ParameterError
        If a value is out of range.
    """

    sample_rate: int = 48_000
    seconds: float = 10.0
    low: float = 20.0
    high: float = 0.0
    level: float = -6.0
    fade_in: float = 0.05
    fade_out: float = 0.01
    pause: float = 3.0
    repetitions: int = 1
    sources: int = 1

    def __post_init__(self) -> None:
        nyquist = as_sample_rate(self.sample_rate) / 2
        if self.high == 0:
            object.__setattr__(self, "high", min(_HIGHEST, _OF_NYQUIST * nyquist))
        _check("sweep length", self.seconds, 0.1, 120, "s")
        _check("pause", self.pause, 0.1, 60, "s")
        _check("level", self.level, -80, 0, "dBFS")
        _check("repetitions", self.repetitions, 1, 64, "")
        _check("sources", self.sources, 1, 16, "")
        if not 1 <= self.low < self.high <= nyquist:
            raise ParameterError(
                f"sweep from {self.low:g} to {self.high:g} Hz; expected 1 Hz or more, rising, up to {nyquist:g} Hz"
            )
        if min(self.fade_in, self.fade_out) < 0 or not self.fade_in + self.fade_out <= self.seconds:
            raise ParameterError(
                f"fades of {self.fade_in:g} and {self.fade_out:g} s; expected at most {self.seconds:g} s together"
            )

    @property
    def lag(self) -> float:
        """Farina's L: seconds in which the frequency grows by e."""
        return self.seconds / math.log(self.high / self.low)

    @property
    def frames(self) -> int:
        """Length of one sweep."""
        return round(self.seconds * self.sample_rate)

    @property
    def period(self) -> int:
        """Frames from the start of one sweep to that of the next."""
        return self.frames + round(self.pause * self.sample_rate)


def once(sweep: Sweep) -> Array:
    """Return one sweep, shape (frames,), without pauses."""
    times = np.arange(sweep.frames) / sweep.sample_rate
    wave = np.sin(2 * np.pi * sweep.low * sweep.lag * np.expm1(times / sweep.lag))
    for seconds, part in ((sweep.fade_in, wave), (sweep.fade_out, wave[::-1])):
        frames = round(seconds * sweep.sample_rate)
        part[:frames] *= np.sin(0.5 * np.pi * (np.arange(frames) + 0.5) / max(frames, 1)) ** 2
    return np.asarray(from_db(sweep.level) * wave)


def signal(sweep: Sweep) -> Array:
    """Return all that is played, shape (frames, sources): a second of silence, then the sweeps with their pauses."""
    lead = round(LEAD_SECONDS * sweep.sample_rate)
    played = np.zeros((lead + sweep.sources * sweep.repetitions * sweep.period, sweep.sources))
    wave = once(sweep)
    for turn in range(sweep.sources * sweep.repetitions):
        start = lead + turn * sweep.period
        played[start : start + len(wave), turn // sweep.repetitions] = wave
    return played


def inverse(sweep: Sweep) -> Array:
    """Return the inverse filter, shape (frames,): the sweep run backwards, falling by 6 dB per octave played.

    A recording convolved with it is the response, its time zero at frame ``frames - 1``: Farina's method for any
    convolver. `reverb.responses.measure.deconvolution` divides spectra instead, which leaves no ripple at the ends.
    """
    wave = once(sweep)
    times = np.arange(len(wave)) / sweep.sample_rate
    backwards = (wave * np.exp(times / sweep.lag))[::-1]
    size = 1 << (2 * len(wave)).bit_length()
    gain = np.abs(np.fft.rfft(wave, size) * np.fft.rfft(backwards, size))
    frequencies = np.fft.rfftfreq(size, 1 / sweep.sample_rate)
    middle = (frequencies > 2 * sweep.low) & (frequencies < sweep.high / 2)
    return backwards / float(np.median(gain[middle] if middle.any() else gain.max()))


def _check(name: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:
        raise ParameterError(
            f"{name} {value:g} {unit}; expected {least:g} to {most:g} {unit}".replace(" ;", ";")
        )
