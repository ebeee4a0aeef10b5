"""The decay of energy in one band: onset, noise floor, backward integration, and lines through the decay curve."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array
from reverb.responses.bands import Band

ONSET_DB = -20.0
"""Level re the peak at which a response starts (ISO 3382-1, A.3.4)."""
FLOOR_MARGIN_DB = 10.0
"""Required distance from the range of a fit down to the noise (ISO 3382-1, 5.3.3)."""
MAX_NONLINEARITY = 10.0
"""Largest allowed 1 − r² of a line, per mille (ISO 3382-2, annex B.2)."""
MAX_NONLINEARITY_EARLY = 100.0
"""The same for EDT, whose range includes the step of the direct sound."""
MIN_CYCLES = 4.0
"""Smallest bandwidth × decay time that a time-reversed filter measures without bias (Jacobsen & Rindel 1987)."""

_DECIBELS_PER_NEPER = 10 / np.log(10)
_MAX_GAP = 15  # intervals of about 10 ms that may be silent between two echoes
_TINY = 1e-300
_MIN_LEVEL = 1e-20  # share of the whole energy: −200 dB, the precision of float64 sums


@dataclass(frozen=True, slots=True)
class DecayTime:
    """A reverberation time from one straight line through the decay curve.

    Attributes
    ----------
    seconds : float
        Time for a decay by 60 dB; NaN where the curve does not cover the range of the fit.
    nonlinearity : float
        1000 (1 − r²) of the line, per mille; NaN without a line.
    reason : str
        Why the figure is not reliable; empty if it is.
    """

    seconds: float
    nonlinearity: float
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Whether the figure is reliable."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """The level of the noise, and the frame at which the decay meets it.

    Attributes
    ----------
    knee : int
        Frame at which the decay reaches the noise; the end of the response if it never does.
    power : float
        Mean square of the noise, 0 if none is visible.
    rate : float
        Exponential rate of the energy before the knee, in nepers per frame.
    """

    knee: int
    power: float
    rate: float

    @property
    def buried(self) -> bool:
        """Whether no decay is visible above the noise."""
        return self.rate == 0 and self.power > 0


@dataclass(frozen=True, slots=True)
class EnergyDecay:
    """A decay curve by backward integration, with the noise subtracted.

    Attributes
    ----------
    energy : ndarray, shape (knee,)
        Energy from each frame to the end.
    level : ndarray, shape (knee,)
        The same in dB re the first frame.
    floor : NoiseFloor
        The subtracted noise, and the end of the curve.
    beyond : float
        Estimated energy after the knee, included in `energy`.
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
        """Range in dB from the start of the curve to its end at the noise or a cut; 0 if noise hides the decay."""
        return 0.0 if self.floor.buried else float(-self.level[-1])

    def split(self, frame: int) -> tuple[float, float]:
        """Return the energy before a frame and from it on, without noise; NaN if noise hides the decay."""
        if self.floor.buried:
            return np.nan, np.nan
        if frame < len(self.energy):
            late = float(self.energy[frame])
        else:
            late = self.beyond * float(np.exp(-self.floor.rate * (frame - len(self.energy))))
        return max(self.total - late, 0.0), late if late > _TINY else 0.0

    def centre_time(self) -> float:
        """Return the center of gravity of the energy in frames (ISO 3382-1, A.2.5); NaN if noise hides the decay.

        The part after the knee counts as an exponential decay.
        """
        if self.floor.buried:
            return np.nan
        tail = self.beyond / self.floor.rate if self.floor.rate > 0 else 0.0
        return float((self.energy[1:].sum() + tail) / max(self.total, _TINY))


def onset(samples: Array) -> int:
    """Return the first frame within 20 dB of the peak; 0 for silence.

    Parameters
    ----------
    samples : ndarray, shape (frames,) or (frames, channels)

    Examples
    --------
    >>> onset(np.array([0.0, 0.05, 0.5, 1.0]))
    2
    """
    size = np.abs(np.ascontiguousarray(samples.T))
    largest = size.max(axis=tuple(range(size.ndim - 1)))
    return int(np.argmax(largest >= 10 ** (ONSET_DB / 20) * largest.max()))


def energy_decay(samples: Array, sample_rate: int, band: Band | None = None) -> EnergyDecay:
    """Return the decay curve of one channel in one band, from the onset on.

    Parameters
    ----------
    samples : ndarray, shape (frames,)
        Not silent.
    sample_rate : int
        In Hz.
    band : Band, optional
        The whole range by default.

    Returns
    -------
    EnergyDecay
        Its frame 0 is the onset of the unfiltered channel.
    """
    power = band_power(samples, band or Band(None, 1, sample_rate))
    return integrate(power, noise_floor(power, max(sample_rate // 100, 1)))


def band_power(samples: Array, band: Band) -> Array:
    """Return the squared response of one channel in a band; its frame 0 is the onset of the unfiltered channel."""
    power = band.time_reversed(samples) ** 2
    start = max(band.settling + onset(samples) - band.lead, 0)
    before, after = power[:start].sum(), power[start:].copy()
    # The filter smears a hard onset to both sides; the energy before it is added to the first frame.
    after[0] += before
    return np.asarray(after)


def noise_floor(power: Array, interval: int) -> NoiseFloor:
    """Find the noise floor of a squared response, and where the decay meets it.

    Parameters
    ----------
    power : ndarray, shape (frames,)
        Squared response from the onset on.
    interval : int
        Length of the first averages in frames, at least 1; about 10 ms.

    Returns
    -------
    NoiseFloor

    Notes
    -----
    Lundeby, Vigran, Bietz & Vorländer 1995: the noise level comes from the last tenth, the knee is its crossing with
    a line through the decay above; then both are estimated again from the parts before and after the knee. If the
    line continues through the last tenth, the response was cut off in mid-decay and there is no noise to subtract.
    """
    frames = len(power)
    last = power[-max(frames // 10, 1) :]
    noise = float(last.mean())
    knee, rate, gap = frames, 0.0, _MAX_GAP * interval
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
        # The noise starts 10 dB after the crossing, but comprises at least the last tenth.
        quiet = min(int(knee + 10 / _DECIBELS_PER_NEPER / rate), frames - len(last))
        noise = float(power[quiet:].mean())
        interval = max(int(10 / _DECIBELS_PER_NEPER / rate / 5), 1)
    return NoiseFloor(knee, noise, rate)


def integrate(power: Array, floor: NoiseFloor) -> EnergyDecay:
    """Integrate a squared response backwards up to the knee, with noise subtracted and the rest extrapolated.

    Schroeder 1965; subtraction after Chu 1978, the part after the knee after Lundeby et al. 1995. The combination
    has the least bias of the methods compared by Guski & Vorländer 2014.
    """
    kept = power[: floor.knee] - floor.power
    energy = np.cumsum(kept[::-1])[::-1]
    beyond = 0.0
    if floor.rate > 0:
        # Level of the line at the knee, from the last 10 dB before it.
        width = min(max(int(10 / _DECIBELS_PER_NEPER / floor.rate), 1), floor.knee)
        mean, reach = float(kept[-width:].mean()), floor.rate * width
        # In a dip below the noise, take the level of the noise, which the line crosses here.
        at_knee = mean * reach / np.expm1(min(reach, 700.0)) if mean > 0 else floor.power
        beyond = at_knee / floor.rate
    energy = np.maximum(energy + beyond, _TINY)
    level = 10 * np.log10(np.maximum(energy / energy[0], _MIN_LEVEL))
    return EnergyDecay(energy, level, floor, beyond)


def decay_time(decay: EnergyDecay, sample_rate: int, start: float, stop: float, width: float) -> DecayTime:
    """Fit a line to the decay curve from `start` to `stop` dB and extend it to 60 dB.

    Parameters
    ----------
    decay : EnergyDecay
    sample_rate : int
        In Hz.
    start, stop : float
        Range of the fit, in dB below the start of the curve: 0 and 10 for EDT, 5 and 25 for T20, 5 and 35 for T30.
    width : float
        Bandwidth of the signal in Hz.

    Returns
    -------
    DecayTime
        After ISO 3382-1, 5.3.3 and 6; with a reason if the range, the line or the bandwidth is insufficient.
    """
    if decay.floor.buried:
        return DecayTime(np.nan, np.nan, "no decay rises above the noise")
    level = decay.level
    first = int(np.argmax(level <= -start)) if start > 0 else 0
    last = int(np.argmax(level <= -stop))
    if last - first < 2:
        return DecayTime(np.nan, np.nan, f"the decay does not reach from -{start:g} to -{stop:g} dB")
    step = 1 + (last - first) // 4000  # more points of a smooth curve add no information
    slope, nonlinearity = _regression(level[first : last + 1 : step])
    if slope >= 0:
        return DecayTime(np.nan, np.nan, "the level does not fall")
    seconds = -60 / slope / sample_rate * step
    return DecayTime(seconds, nonlinearity, _objection(decay, seconds, start, stop, width, nonlinearity))


def _objection(
    decay: EnergyDecay, seconds: float, start: float, stop: float, width: float, nonlinearity: float
) -> str:
    needed = stop + FLOOR_MARGIN_DB
    if decay.dynamic_range < needed:
        return f"{decay.dynamic_range:.0f} dB of decay above the noise or the cut, {needed:.0f} dB needed"
    if width * seconds < MIN_CYCLES:
        return f"bandwidth times decay time is {width * seconds:.1f}, {MIN_CYCLES:g} needed"
    allowed = MAX_NONLINEARITY if start > 0 else MAX_NONLINEARITY_EARLY
    if nonlinearity > allowed:
        return f"the decay is not straight: {nonlinearity:.0f} per mille off a line, {allowed:g} allowed"
    return ""


def _decay_above(power: Array, noise: float, interval: int, gap: int) -> tuple[npt.NDArray[np.intp], Array]:
    """Return the intervals from the loudest one down to 10 dB above the noise, and the means of all intervals."""
    count = max(len(power) // interval, 1)
    means = power[: count * interval].reshape(count, -1).mean(axis=1)
    threshold = max(10 * noise, _TINY)
    first = int(means.argmax())
    loud = np.append(means > threshold, False)
    loud[first] = True
    stop = first + int(np.argmin(loud[first:]))
    # Pass over gaps between echoes: the decay continues if the intervals after a gap are as loud as those before.
    while loud[ahead := slice(stop, stop + max(3 * (stop - first), gap // interval))].any():
        if means[ahead].sum() < threshold * (stop - first):
            break
        stop += int(np.flatnonzero(loud[ahead])[-1]) + 1
    return first + np.flatnonzero(loud[first:stop]), means


def _regression(level: Array) -> tuple[float, float]:
    """Return the slope per frame and 1000 (1 − r²) of the least-squares line."""
    n = np.arange(len(level)) - (len(level) - 1) / 2
    fall = level - level.mean()
    slope = float(n @ fall / (n @ n))
    spread = float(fall @ fall)
    r_squared = slope**2 * float(n @ n) / spread if spread > 0 else 0.0
    return slope, 1000 * (1 - r_squared)
