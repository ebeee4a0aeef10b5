"""How each octave of a room falls: its course in two straight lines, found where noise and cut ends do not reach.

`reverb.responses.acoustics` measures decay times; this is for work on a decay: what slope it had at its end, and where
that end is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.responses.acoustics import band_power
from reverb.responses.bands import Band, band_set
from reverb.responses.decay.decay import NoiseFloor, integrate, noise_floor

Array: TypeAlias = npt.NDArray[np.float64]

_FIT = 25.0  # dB before the knee whose slope the tail follows
_BEND = 0.004  # share of its slope that a real room's decay loses per dB: T30 is 2 % above T20 in the median octave
_LEAST_FIT = 8.0
_SILENT = 1e-7  # of the peak: what lies below at the end is taken as cut off
_NO_NOISE = 0.5  # of the decay's rate: what changes as fast as this is decay itself
_PARTS = 50
_BLOCKS = 400
_NEIGHBOURS = 0.15


@dataclass(frozen=True)
class Decay:
    """How one octave of one channel falls: two straight lines in nepers of energy, in frames from the onset.

    Attributes
    ----------
    centre : float
        In Hz.
    knee : int
        Where the decay meets the noise or the end.
    early, late : float
        Nepers per frame: the slope that T30 sees, and the one at the knee.
    bend : float
        Frame at which the two lines cross.
    """

    centre: float
    knee: int
    early: float
    late: float
    bend: float

    def course(self, frames: Array) -> Array:
        """Return the level in nepers of energy, 0 at the onset, negative after it."""
        before = np.minimum(frames, self.bend)
        return -self.early * before - self.late * (frames - before)


class _Observed(NamedTuple):
    """What an octave of one channel shows: energy of equal blocks, their length, the knee, where lines are fitted."""

    blocks: Array
    step: float
    knee: int
    early: slice
    late: slice


def octave_decays(samples: Array, sample_rate: int) -> list[list[Decay]]:
    """Find knee and slopes per channel, in each octave that decays clearly; an empty list for a channel without any.

    The slope that a tail follows is one for all channels, as a room has one; where an octave says little about it,
    its neighbours help.
    """
    bands = band_set("octave", sample_rate)
    seen = [[_observe(channel, sample_rate, band) for channel in samples.T] for band in bands]
    rates = _agreed(
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
    if decay.floor.buried or decay.floor.rate <= 0 or deepest < 5 + _LEAST_FIT:
        return None
    # The filter needs a while to swing in before an end, backwards in time.
    last = max(decay.floor.knee - 2 * band.lead, 1)
    step = max(last / _BLOCKS, 1.0)
    energy = np.append(decay.energy, decay.beyond)
    edges = energy[np.minimum(np.arange(0, last / step + 1) * step, len(energy) - 1).astype(int)]

    def block(decibels: float) -> int:
        return min(int(np.argmax(decay.level <= -decibels) / step), len(edges) - 1)

    early = slice(block(5), max(block(min(deepest, 35.0)), block(5) + 1))
    late = slice(block(max(5.0, deepest - _FIT)), max(block(deepest), block(5) + 1))
    if min(early.stop - early.start, late.stop - late.start) < 4:
        return None
    return _Observed(np.maximum(-np.diff(edges), 0.0), step, decay.floor.knee, early, late)


def _steady(power: Array, rate: float, bandwidth: float) -> bool:
    """Whether what was taken for noise may be noise: of a decay that was cut off, a bend still falls, a swell rises.

    Noise, too, grows louder with time and chance, but seldom as fast as a decay falls. What is too short to tell
    passes for noise.
    """
    step = len(power) // _PARTS
    if step == 0:
        return True
    blocks = power[: _PARTS * step].reshape(_PARTS, step).sum(axis=1)
    falls, rises = decay_rate(blocks) / step, decay_rate(blocks[::-1]) / step
    # Two standard deviations of the most likely rate (its Cramér-Rao bound) of so many independent values.
    chance = 2 * np.sqrt(24 / (2 * bandwidth * len(power))) / len(power)
    return bool(falls <= _NO_NOISE * rate and rises <= max(_NO_NOISE * rate, chance))


def decay_rate(power: Array) -> float:
    """Most likely rate of decay, in nepers per step, of noise whose mean power falls exponentially; 0 without.

    With powers p at steps t of Gaussian noise of variance ``A exp(−k t)`` the likelihood is largest where
    ``Σ t p exp(k t) ÷ Σ p exp(k t)`` is the mean of t (Ratnam et al. 2003). A cut end does not bend it, as it does a
    backward integral.
    """
    t = np.arange(len(power)) - 0.5 * (len(power) - 1)
    low, high = 0.0, 500.0 / len(power)

    def lean(k: float) -> float:
        return float(t @ (power * np.exp(k * t)))

    if not power.any() or lean(low) >= 0:
        return 0.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if lean(middle) < 0 else (low, middle)
    return 0.5 * (low + high)


def _late_rate(row: Sequence[_Observed | None], bandwidth_: float) -> tuple[float, float]:
    """Rate at the knee in nepers per frame over all channels of an octave, its relative uncertainty (inf without).

    The most likely rate is that of the fit's middle; from there to the knee a decay bends.
    """
    rates, independent, span = [], 0.0, 0.0
    for octave in row:
        rate = decay_rate(octave.blocks[octave.late]) / octave.step if octave else 0.0
        if octave and rate > 0:
            span = (octave.late.stop - octave.late.start) * octave.step
            rates.append(rate)
            independent += 2 * bandwidth_ * span
    if not rates:
        return 0.0, np.inf
    mean = float(np.mean(rates))
    fall = 10 / np.log(10) * mean * span
    # Least-squares slope of log power of so many independent values over that span.
    return mean * (1 - 0.5 * _BEND * fall), float(np.sqrt(12 / independent) / (mean * span))


def _agreed(rates: Sequence[tuple[float, float]]) -> list[float]:
    """Weigh each octave's rate with its neighbours', which differ from it by about `_NEIGHBOURS`."""
    out = []
    for n, (own, _) in enumerate(rates):
        weights, logs = [], []
        for m in (n - 1, n, n + 1):
            if 0 <= m < len(rates) and rates[m][0] > 0:
                spread = 0.0 if m == n else _NEIGHBOURS
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
    """Frames up to the last one that is more than digital silence."""
    size = np.abs(channel)
    loud = np.flatnonzero(size > _SILENT * size.max(initial=0.0))
    return int(loud[-1]) + 1 if len(loud) else 0
