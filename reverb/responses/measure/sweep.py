"""The exponential sine sweep for measuring rooms, and its inverse filter.

Farina 2000, "Simultaneous measurement of impulse response and distortion with a swept-sine technique" (AES
108th Convention): ``sin(2π f₁ L (exp(t/L) − 1))`` with ``L = T / ln(f₂/f₁)``. All octaves have the same length. After
deconvolution the n-th harmonic distortion of a loudspeaker appears ``L ln n`` seconds before the linear response.
"""

import math
from dataclasses import dataclass

import numpy as np

from reverb.arrays import Array, as_sample_rate
from reverb.checks import in_range, instance, whole
from reverb.errors import ParameterError
from reverb.levels import from_db

LEAD_SECONDS = 1.0
"""Silence before the first sweep, for estimating the noise of the room."""
_MAX_HZ = 20_000.0
_MAX_NYQUIST_SHARE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The measurement signal: sweeps with pauses, from one loudspeaker after the other.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    seconds : float
        Length of one sweep, 0.1 to 120; doubling it lowers the noise by 3 dB.
    low, high : float
        First and last frequency in Hz; `high` is 20 kHz by default, or 95 % of the Nyquist frequency if that is lower.
    level : float
        Peak in dB re full scale, −80 to 0.
    fade_in, fade_out : float
        Lengths of the raised-cosine fades within the sweep, in seconds.
    pause : float
        Silence after each sweep, 0.1 to 60 s. This is the length of the response; it must be longer than the decay.
    repetitions : int
        Sweeps per source, 1 to 64. They are averaged, and reveal a drift between the clocks of player and recorder.
    sources : int
        Loudspeakers that play one after the other, 1 to 16, each on its own channel; 2 for true stereo.

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
        in_range("sweep length", self.seconds, 0.1, 120, "s")
        in_range("pause", self.pause, 0.1, 60, "s")
        in_range("level", self.level, -80, 0, "dBFS")
        object.__setattr__(self, "repetitions", whole("repetitions", self.repetitions, 1, 64))
        object.__setattr__(self, "sources", whole("sources", self.sources, 1, 16))
        for name, frequency in (("first", self.low), ("last", self.high)):
            in_range(f"{name} frequency", frequency, 0, math.inf, "Hz")
        for name, seconds in (("fade-in", self.fade_in), ("fade-out", self.fade_out)):
            in_range(name, seconds, 0, math.inf, "s")
        if self.high == 0:
            object.__setattr__(self, "high", min(_MAX_HZ, _MAX_NYQUIST_SHARE * nyquist))
        if not 1 <= self.low < self.high <= nyquist:
            raise ParameterError(
                f"sweep from {self.low:g} to {self.high:g} Hz; expected 1 Hz or more, rising, up to {nyquist:g} Hz"
            )
        if not self.fade_in + self.fade_out <= self.seconds:
            raise ParameterError(
                f"fades of {self.fade_in:g} and {self.fade_out:g} s; expected at most {self.seconds:g} s together"
            )

    @property
    def lag(self) -> float:
        """Farina's L: the time in seconds in which the frequency grows by the factor e."""
        return self.seconds / math.log(self.high / self.low)

    @property
    def frames(self) -> int:
        """Length of one sweep in frames."""
        return round(self.seconds * self.sample_rate)

    @property
    def period(self) -> int:
        """Frames from the start of one sweep to that of the next."""
        return self.frames + round(self.pause * self.sample_rate)


def one_sweep(sweep: Sweep) -> Array:
    """Return one sweep, shape (frames,), without pauses."""
    instance("sweep", sweep, Sweep, "a Sweep")
    times = np.arange(sweep.frames) / sweep.sample_rate
    wave = np.sin(2 * np.pi * sweep.low * sweep.lag * np.expm1(times / sweep.lag))
    for seconds, part in ((sweep.fade_in, wave), (sweep.fade_out, wave[::-1])):
        frames = round(seconds * sweep.sample_rate)
        part[:frames] *= np.sin(0.5 * np.pi * (np.arange(frames) + 0.5) / max(frames, 1)) ** 2
    return np.asarray(from_db(sweep.level) * wave)


def signal(sweep: Sweep) -> Array:
    """Return the measurement signal, shape (frames, sources): a second of silence, then the sweeps with pauses."""
    instance("sweep", sweep, Sweep, "a Sweep")
    lead = round(LEAD_SECONDS * sweep.sample_rate)
    played = np.zeros((lead + sweep.sources * sweep.repetitions * sweep.period, sweep.sources))
    wave = one_sweep(sweep)
    for turn in range(sweep.sources * sweep.repetitions):
        start = lead + turn * sweep.period
        played[start : start + len(wave), turn // sweep.repetitions] = wave
    return played


def inverse(sweep: Sweep) -> Array:
    """Return the inverse filter, shape (frames,): the reversed sweep, with its level falling by 6 dB per octave.

    The convolution of a recording with it is the response, with time zero at frame ``frames - 1``: Farina's method, for
    any convolver. `reverb.responses.measure.sweep_deconvolution` divides spectra instead, which avoids the ripple at
    both ends of the band.
    """
    wave = one_sweep(sweep)
    times = np.arange(len(wave)) / sweep.sample_rate
    backwards = (wave * np.exp(times / sweep.lag))[::-1]
    size = 1 << (2 * len(wave)).bit_length()
    gain = np.abs(np.fft.rfft(wave, size) * np.fft.rfft(backwards, size))
    frequencies = np.fft.rfftfreq(size, 1 / sweep.sample_rate)
    middle = (frequencies > 2 * sweep.low) & (frequencies < sweep.high / 2)
    return backwards / float(np.median(gain[middle] if middle.any() else gain.max()))
