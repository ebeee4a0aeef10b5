"""How energy decays: the noise floor, backward integration, and straight lines through the decay curve.

All functions take the squared response of one band from its onset on, and know nothing of bands or channels.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

FLOOR_MARGIN = 10.0
"""Noise must lie this many dB below the range of a fit (ISO 3382-1, 5.3.3)."""
MOST_NONLINEAR = 10.0
"""Per mille of 1 − r² that a straight line may leave (ISO 3382-2, annex B.2)."""
MOST_NONLINEAR_EARLY = 100.0
"""The same for EDT, which holds the direct sound: a line through little more than that step says nothing."""
LEAST_CYCLES = 4.0
"""Bandwidth × decay time that a time-reversed filter needs (Jacobsen & Rindel 1987)."""

_DECIBELS_PER_NEPER = 10 / np.log(10)
_GAP = 15  # intervals of about 10 ms that may be silent between two echoes
_TINY = 1e-300
_DEEPEST = 1e-20  # of the whole energy: 200 dB, past what float64 sums keep


@dataclass(frozen=True, slots=True)
class DecayTime:
    """A reverberation time from one straight line through the decay curve.

    Attributes
    ----------
    seconds : float
        Time for 60 dB; NaN where the curve does not reach through the range.
    nonlinearity : float
        1000 (1 − r²) of the line, per mille; NaN without a line.
    reason : str
        Why the figure is not to be trusted; empty when it is.
    """

    seconds: float
    nonlinearity: float
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Whether nothing speaks against the figure."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """Where the decay meets the noise.

    Attributes
    ----------
    knee : int
        Frame at which the decay has sunk into the noise; the end, where it never does.
    power : float
        Mean square of the noise, 0 where none shows.
    rate : float
        Exponential rate of the energy before the knee, in nepers per frame.
    """

    knee: int
    power: float
    rate: float

    @property
    def buried(self) -> bool:
        """Whether no decay is seen above the noise."""
        return self.rate == 0 and self.power > 0


@dataclass(frozen=True, slots=True)
class EnergyDecay:
    """A decay curve by backward integration, freed from noise.

    Attributes
    ----------
    energy : ndarray, shape (knee,)
        Energy that is still to come from each frame on.
    level : ndarray, shape (knee,)
        The same in dB, 0 at its start.
    floor : NoiseFloor
        What was taken out, and where the curve was cut.
    beyond : float
        Energy added for what follows the knee.
    """

    energy: Array
    level: Array
    floor: NoiseFloor
    beyond: float

    @property
    def total(self) -> float:
        """Energy of the whole response."""
        return float(self.energy[0])

    @property
    def dynamic_range(self) -> float:
        """How many dB the curve falls before it meets the noise, or is cut; 0 where no decay rises above it."""
        return 0.0 if self.floor.buried else float(-self.level[-1])

    def split(self, frame: int) -> tuple[float, float]:
        """Energy before and from a frame on, free from noise; NaN where no decay rises above it."""
        if self.floor.buried:
            return np.nan, np.nan
        if frame < len(self.energy):
            late = float(self.energy[frame])
        else:
            late = self.beyond * float(np.exp(-self.floor.rate * (frame - len(self.energy))))
        return max(self.total - late, 0.0), late if late > _TINY else 0.0

    def centre_time(self) -> float:
        """Centre of gravity of the energy, in frames (ISO 3382-1, A.2.5); the tail counts as its exponential.

        NaN where no decay rises above the noise.
        """
        if self.floor.buried:
            return np.nan
        tail = self.beyond / self.floor.rate if self.floor.rate > 0 else 0.0
        return float((self.energy[1:].sum() + tail) / max(self.total, _TINY))


def noise_floor(power: Array, interval: int) -> NoiseFloor:
    """Find where a squared response sinks into its noise.

    Parameters
    ----------
    power : ndarray, shape (frames,)
        Squared response.
    interval : int
        Frames to average over at first, at least 1; about 10 ms.

    Returns
    -------
    NoiseFloor

    Notes
    -----
    Lundeby, Vigran, Bietz & Vorländer 1995: noise from the last tenth, a line through the decay above it,
    their crossing; then both again from what lies before and after the crossing. Where the line itself runs
    through the last tenth, the response was cut off in mid-decay and has no noise to take out.
    """
    frames = len(power)
    last = power[-max(frames // 10, 1) :]
    noise = float(last.mean())
    knee, rate, gap = frames, 0.0, _GAP * interval
    for _ in range(6):
        sounding, means = _decay_above(power[:knee], noise, interval, gap)
        while len(sounding) < 3 and interval > 16:
            interval //= 4
            sounding, means = _decay_above(power[:knee], noise, interval, gap)
        if len(sounding) < 3:
            return NoiseFloor(min((int(sounding[-1]) + 1) * interval, frames), noise, 0.0)
        slope, start = np.polyfit((sounding + 0.5) * interval, np.log(means[sounding]), 1)
        if slope >= 0:
            return NoiseFloor(frames, 0.0, 0.0)
        rate = float(-slope)
        if np.exp(start - rate * (frames - len(last) / 2)) > 0.5 * last.mean():
            return NoiseFloor(frames, 0.0, rate)
        crossing = (start - np.log(max(noise, _TINY))) / rate
        knee = int(np.clip(crossing, 1, frames))
        # Noise is taken from 10 dB past the crossing on, but never from less than the last tenth.
        quiet = min(int(knee + 10 / _DECIBELS_PER_NEPER / rate), frames - len(last))
        noise = float(power[quiet:].mean())
        interval = max(int(10 / _DECIBELS_PER_NEPER / rate / 5), 1)
    return NoiseFloor(knee, noise, rate)


def integrate(power: Array, floor: NoiseFloor) -> EnergyDecay:
    """Integrate a squared response backwards, noise subtracted, cut at the knee and completed beyond it.

    Schroeder 1965; subtraction after Chu 1978, the part beyond the knee after Lundeby et al. 1995. Both
    together are the least biased of the methods that Guski & Vorländer 2014 compare.
    """
    kept = power[: floor.knee] - floor.power
    energy = np.cumsum(kept[::-1])[::-1]
    beyond = 0.0
    if floor.rate > 0:
        # The line's level at the knee, from the last 10 dB before it.
        width = min(max(int(10 / _DECIBELS_PER_NEPER / floor.rate), 1), floor.knee)
        mean, reach = float(kept[-width:].mean()), floor.rate * width
        # Where a dip leaves nothing of it, it has the noise's: there they cross.
        at_knee = mean * reach / np.expm1(min(reach, 700.0)) if mean > 0 else floor.power
        beyond = at_knee / floor.rate
    energy = np.maximum(energy + beyond, _TINY)
    level = 10 * np.log10(np.maximum(energy / energy[0], _DEEPEST))
    return EnergyDecay(energy, level, floor, beyond)


def decay_time(decay: EnergyDecay, sample_rate: int, start: float, stop: float, width: float) -> DecayTime:
    """Fit a line to the decay curve from `start` to `stop` dB and extend it to 60 dB.

    Parameters
    ----------
    decay : EnergyDecay
        The curve.
    sample_rate : int
        In Hz.
    start, stop : float
        Range of the fit, in dB below the start of the curve: 0 and 10 for EDT, 5 and 25 for T20, 5 and 35 for T30.
    width : float
        Bandwidth of the signal in Hz.

    Returns
    -------
    DecayTime
        ISO 3382-1, 5.3.3 and 6; with the reason when the range, the line or the bandwidth is not good enough.
    """
    if decay.floor.buried:
        return DecayTime(np.nan, np.nan, "no decay rises above the noise")
    level = decay.level
    first = int(np.argmax(level <= -start)) if start > 0 else 0
    last = int(np.argmax(level <= -stop))
    if last - first < 2:
        return DecayTime(np.nan, np.nan, f"the decay does not reach from -{start:g} to -{stop:g} dB")
    step = 1 + (last - first) // 4000  # a smooth curve: more points say no more
    slope, nonlinearity = _regression(level[first : last + 1 : step])
    if slope >= 0:
        return DecayTime(np.nan, np.nan, "the level does not fall")
    seconds = -60 / slope / sample_rate * step
    return DecayTime(seconds, nonlinearity, _objection(decay, seconds, start, stop, width, nonlinearity))


def _objection(
    decay: EnergyDecay, seconds: float, start: float, stop: float, width: float, nonlinearity: float
) -> str:
    needed = stop + FLOOR_MARGIN
    if decay.dynamic_range < needed:
        return f"{decay.dynamic_range:.0f} dB of decay above the noise or the cut, {needed:.0f} dB needed"
    if width * seconds < LEAST_CYCLES:
        return f"bandwidth times decay time is {width * seconds:.1f}, {LEAST_CYCLES:g} needed"
    allowed = MOST_NONLINEAR if start > 0 else MOST_NONLINEAR_EARLY
    if nonlinearity > allowed:
        return f"the decay is not straight: {nonlinearity:.0f} per mille off a line, {allowed:g} allowed"
    return ""


def _decay_above(power: Array, noise: float, interval: int, gap: int) -> tuple[npt.NDArray[np.intp], Array]:
    """Intervals from the loudest one down to 10 dB above the noise, and all intervals' means."""
    count = max(len(power) // interval, 1)
    means = power[: count * interval].reshape(count, -1).mean(axis=1)
    threshold = max(10 * noise, _TINY)
    first = int(means.argmax())
    loud = np.append(means > threshold, False)
    loud[first] = True
    stop = first + int(np.argmin(loud[first:]))
    # A gap between echoes is no end: the decay goes on where what follows holds as much as what came before.
    while loud[ahead := slice(stop, stop + max(3 * (stop - first), gap // interval))].any():
        if means[ahead].sum() < threshold * (stop - first):
            break
        stop += int(np.flatnonzero(loud[ahead])[-1]) + 1
    return first + np.flatnonzero(loud[first:stop]), means


def _regression(level: Array) -> tuple[float, float]:
    """Slope per frame and 1000 (1 − r²) of the least-squares line."""
    n = np.arange(len(level)) - (len(level) - 1) / 2
    fall = level - level.mean()
    slope = float(n @ fall / (n @ n))
    spread = float(fall @ fall)
    r_squared = slope**2 * float(n @ n) / spread if spread > 0 else 0.0
    return slope, 1000 * (1 - r_squared)
