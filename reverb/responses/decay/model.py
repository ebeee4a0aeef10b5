"""A model of decays: two straight lines per octave, fitted where noise and cut ends have no influence.

`reverb.responses.acoustics` measures decay times. This model is for changing a decay: it gives the slope at the end,
and the position of the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reverb.arrays import Array
from reverb.responses.bands import Band, band_set
from reverb.responses.decay.decay import NoiseFloor, band_power, integrate, noise_floor

_FIT_DB = 25.0  # range before the knee whose slope the tail continues
_MIN_FIT_DB = 8.0
_BEND_PER_DB = (
    0.004  # share of its slope that the decay of a real room loses per dB: T30 is 2 % above T20 in the median
)
_SILENCE = 1e-7  # amplitude re the peak; an end below it counts as cut off
_MAX_NOISE_CHANGE = 0.5  # of the rate of the decay; a level that changes faster is not noise
_STEADY_BLOCKS = 50
_FIT_BLOCKS = 400
_OCTAVE_SPREAD = 0.15  # standard deviation of the log rate between adjacent octaves


@dataclass(frozen=True)
class Decay:
    """The decay of one octave of one channel: two straight lines in nepers of energy over frames from the onset.

    Attributes
    ----------
    centre : float
        In Hz.
    knee : int
        Frame at which the decay meets the noise or the end.
    early, late : float
        Slopes in nepers per frame: in the range of T30, and at the knee.
    bend : float
        Frame at which the two lines cross.
    """

    centre: float
    knee: int
    early: float
    late: float
    bend: float

    def course(self, frames: Array) -> Array:
        """Return the level at frames from the onset, in nepers of energy: 0 at the onset, then negative."""
        before = np.minimum(frames, self.bend)
        return -self.early * before - self.late * (frames - before)


class _Observed(NamedTuple):
    """One octave of one channel: energy of equal blocks, their length in frames, the knee, and the fit ranges."""

    blocks: Array
    step: float
    knee: int
    early: slice
    late: slice


def octave_decays(samples: Array, sample_rate: int) -> list[list[Decay]]:
    """Return a list of decays per channel, one per octave that decays clearly; it may be empty.

    The late slope is a property of the room, so that it is the same for all channels. If an octave does not determine
    it well, the adjacent octaves contribute.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
        In Hz.
    """
    bands = band_set("octave", sample_rate)
    seen = [[_observe(channel, sample_rate, band) for channel in samples.T] for band in bands]
    rates = _smoothed(
        [_late_rate(row, band.width / sample_rate) for row, band in zip(seen, bands, strict=True)]
    )
    found: list[list[Decay]] = [[] for _ in samples.T]
    for row, band, late in zip(seen, bands, rates, strict=True):
        for channel, octave in enumerate(row):
            if octave is not None and late > 0:
                found[channel].append(_decay(octave, float(band.centre or 0), late))
    return found


def _observe(channel: Array, sample_rate: int, band: Band) -> _Observed | None:
    channel = np.ascontiguousarray(channel[: sounding_frames(channel)])
    if not channel.any():
        return None
    power = band_power(channel, band)
    floor = noise_floor(power, max(sample_rate // 100, 1))
    if not _steady(power[floor.knee : -2 * band.lead or None], floor.rate, band.width / sample_rate):
        floor = NoiseFloor(len(power), 0.0, floor.rate)
    decay = integrate(power, floor)
    deepest = decay.dynamic_range - 3
    if decay.floor.buried or decay.floor.rate <= 0 or deepest < 5 + _MIN_FIT_DB:
        return None
    # The filter runs backwards and first has to settle at the end.
    last = max(decay.floor.knee - 2 * band.lead, 1)
    step = max(last / _FIT_BLOCKS, 1.0)
    energy = np.append(decay.energy, decay.beyond)
    edges = energy[np.minimum(np.arange(0, last / step + 1) * step, len(energy) - 1).astype(int)]

    def block(decibels: float) -> int:
        return min(int(np.argmax(decay.level <= -decibels) / step), len(edges) - 1)

    early = slice(block(5), max(block(min(deepest, 35.0)), block(5) + 1))
    late = slice(block(max(5.0, deepest - _FIT_DB)), max(block(deepest), block(5) + 1))
    if min(early.stop - early.start, late.stop - late.start) < 4:
        return None
    return _Observed(np.maximum(-np.diff(edges), 0.0), step, decay.floor.knee, early, late)


def _steady(power: Array, rate: float, bandwidth: float) -> bool:
    """Return whether the part after the knee may be noise.

    Otherwise it is the bend of a decay, which still falls, or a swell, which rises. The level of noise
    also varies, but seldom as fast as a decay. A part too short to decide counts as noise.
    """
    step = len(power) // _STEADY_BLOCKS
    if step == 0:
        return True
    blocks = power[: _STEADY_BLOCKS * step].reshape(_STEADY_BLOCKS, step).sum(axis=1)
    falls, rises = decay_rate(blocks) / step, decay_rate(blocks[::-1]) / step
    # Two standard deviations of the rate by the Cramér-Rao bound for this many independent values.
    chance = 2 * np.sqrt(24 / (2 * bandwidth * len(power))) / len(power)
    return bool(falls <= _MAX_NOISE_CHANGE * rate and rises <= max(_MAX_NOISE_CHANGE * rate, chance))


def decay_rate(power: Array) -> float:
    """Return the most likely decay rate of exponentially decaying noise, in nepers per step; 0 if it does not decay.

    For the powers p at steps t of Gaussian noise with variance ``A exp(−k t)``, the likelihood is largest where
    ``Σ t p exp(k t) ÷ Σ p exp(k t)`` is the mean of t (Ratnam et al. 2003). Unlike a backward integral, it is not
    biased by a cut end.
    """
    t = np.arange(len(power)) - 0.5 * (len(power) - 1)
    low, high = 0.0, 500.0 / len(power)

    def moment(k: float) -> float:
        return float(t @ (power * np.exp(k * t)))

    if not power.any() or moment(low) >= 0:
        return 0.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if moment(middle) < 0 else (low, middle)
    return 0.5 * (low + high)


def _late_rate(row: Sequence[_Observed | None], bandwidth: float) -> tuple[float, float]:
    """Return the rate of an octave at the knee over all channels, in nepers per frame, and its relative uncertainty.

    The uncertainty is infinite if no channel decays. The most likely rate is that of the middle of the fit; from there
    to the knee a decay bends.
    """
    rates, independent, span = [], 0.0, 0.0
    for octave in row:
        rate = decay_rate(octave.blocks[octave.late]) / octave.step if octave else 0.0
        if octave and rate > 0:
            span = (octave.late.stop - octave.late.start) * octave.step
            rates.append(rate)
            independent += 2 * bandwidth * span
    if not rates:
        return 0.0, np.inf
    mean = float(np.mean(rates))
    fall = 10 / np.log(10) * mean * span
    # Standard error of the least-squares slope of the log power of this many independent values over the span.
    return mean * (1 - 0.5 * _BEND_PER_DB * fall), float(np.sqrt(12 / independent) / (mean * span))


def _smoothed(rates: Sequence[tuple[float, float]]) -> list[float]:
    """Return the rate of each octave, averaged with the adjacent ones with weights by their uncertainties."""
    out = []
    for n, (own, _) in enumerate(rates):
        weights, logs = [], []
        for m in (n - 1, n, n + 1):
            if 0 <= m < len(rates) and rates[m][0] > 0:
                spread = 0.0 if m == n else _OCTAVE_SPREAD
                weights.append(1 / (rates[m][1] ** 2 + spread**2))
                logs.append(np.log(rates[m][0]))
        out.append(float(np.exp(np.average(logs, weights=weights))) if own > 0 else 0.0)
    return out


def _decay(octave: _Observed, centre: float, late: float) -> Decay:
    early = decay_rate(octave.blocks[octave.early]) / octave.step or late
    heights = []
    for rate, part in ((early, octave.early), (late, octave.late)):
        t = (np.arange(part.start, part.stop) + 0.5) * octave.step
        heights.append(np.log(np.mean(octave.blocks[part] * np.exp(rate * (t - t[0])))) + rate * t[0])
    bend = (heights[0] - heights[1]) / (early - late) if abs(early - late) > 1e-3 * late else 0.0
    inside = 0 < bend < octave.knee
    return Decay(centre, octave.knee, early, late, bend if inside else float(octave.knee))


def sounding_frames(channel: Array) -> int:
    """Return the number of frames up to the last one that is not silent."""
    size = np.abs(channel)
    loud = np.flatnonzero(size > _SILENCE * size.max(initial=0.0))
    return int(loud[-1]) + 1 if len(loud) else 0
