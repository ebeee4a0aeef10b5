"""Tails without an end: where noise or a cut has swallowed a decay, each band goes on by its own.

In every band the response is kept down to where it meets the noise (Lundeby et al. 1995, `decay.noise_floor`) or its
end, and is continued there by noise of the band that falls at the rate of the last 30 dB before (Bryan & Abel 2010
describe the like). Channels get noise of their own: a tail is diffuse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import band_power, onset
from reverb.responses.bands import Band, band_set
from reverb.responses.decay import NoiseFloor, integrate, noise_floor
from reverb.responses.filter_bank import bandwidth, split
from reverb.responses.response import ImpulseResponse

Array: TypeAlias = npt.NDArray[np.float64]

LONGEST = 60.0
"""Seconds that a tail may last."""
_FIT = 30.0  # dB before the knee whose slope the tail follows
_LEAST_FIT = 8.0
_SILENT = 1e-7  # of the peak: what lies below at the end is taken as cut off
_NO_NOISE = 0.5
_BLOCKS = 400
_NEIGHBOURS = 0.15
_DIP = 0.25  # of the fitted power, below which an end is taken as faded out


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
        Nepers per frame: the slope that T30 sees, and that of the last 30 dB before the knee.
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


def extend_tail(response: ImpulseResponse, floor_db: float = -90.0, seed: int = 0) -> ImpulseResponse:
    """Continue every band by its own decay, from the noise floor or the end down to `floor_db`.

    Parameters
    ----------
    response : ImpulseResponse
        Its octaves must fall by some 10 dB before noise or end.
    floor_db : float
        How far the slowest octave shall fall, in dB, −200 to −20. The result lasts at most 60 seconds.
    seed : int
        Of the noise: the same gives the same tail.

    Raises
    ------
    ParameterError
        If `floor_db` is out of range.
    InvalidAudioError
        If no octave decays.
    """
    if not -200 <= floor_db <= -20:
        raise ParameterError(f"tail down to {floor_db:g} dB; expected -200 to -20 dB")
    samples = response.samples.astype(np.float64)
    decays = octave_decays(samples, response.sample_rate)
    frames = min(onset(samples) + frames_to_fall(decays, -floor_db), round(LONGEST * response.sample_rate))
    extended = continued(samples, response.sample_rate, decays, frames, seed)
    return replace(response, samples=extended.astype(response.samples.dtype))


def frames_to_fall(decays: Sequence[Sequence[Decay]], decibels: float) -> int:
    """Return how long the slowest octave takes to fall so far, in frames; InvalidAudioError where none decays."""
    slowest = min((min(decay.early, decay.late) for channel in decays for decay in channel), default=0.0)
    if slowest <= 0:
        raise InvalidAudioError(
            "no octave of the impulse response falls clearly above its noise; it has no decay to go on with"
        )
    return int(decibels / 10 * np.log(10) / slowest) + 1


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
    channel = np.ascontiguousarray(channel[: _sounding(channel)])
    if not channel.any():
        return None
    power = band_power(channel, band)
    floor = noise_floor(power, max(sample_rate // 100, 1))
    if _still_falls(power[floor.knee : -2 * band.lead or None], floor.rate):
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


def _still_falls(power: Array, rate: float) -> bool:
    """Whether what was taken for noise is the end of a decay that was cut off, a bend in it misread as its floor."""
    step = len(power) // 50
    if step == 0:
        return False
    return decay_rate(power[: 50 * step].reshape(50, step).sum(axis=1)) / step > _NO_NOISE * rate


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
    """Rate in nepers per frame over all channels of an octave, and its relative uncertainty (inf without)."""
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
    # Least-squares slope of log power of so many independent values over that span.
    return mean, float(np.sqrt(12 / independent) / (mean * span))


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


def continued(
    samples: Array,
    sample_rate: int,
    decays: Sequence[Sequence[Decay]],
    frames: int,
    seed: int,
    stretch: Callable[[float], float] = lambda _: 1.0,
) -> Array:
    """Return `samples` with every band continued from its knee to `frames`, float64 `(frames, channels)`.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
    sample_rate : int
    decays : one list per channel, as `octave_decays` gives it; channels without any stay as they are.
    frames : int
        Length of the result; at least as long as what is kept.
    seed : int
    stretch : callable
        How many times as long a band's decay shall take, by its centre in Hz: its level follows the course it
        had, but so many times later.
    """
    frames = max(frames, len(samples))
    start = onset(samples)
    padded = np.zeros((frames, samples.shape[1]))
    padded[: len(samples)] = samples
    noise = np.random.default_rng(seed).standard_normal(padded.shape)
    ends = [_sounding(channel) - start for channel in samples.T]
    out = np.zeros_like(padded)
    since = np.arange(frames - start, dtype=np.float64)
    for (centre, band), (_, carrier) in zip(
        split(padded, sample_rate), split(noise, sample_rate), strict=True
    ):
        guard, longer = round(sample_rate / bandwidth(centre)), stretch(centre)
        for channel, found in enumerate(decays):
            own = band[:, channel]
            if found and ends[channel] > 0:
                decay = _between(found, centre)
                course = decay.course(since / longer)
                knee = min(decay.knee, ends[channel])
                if longer != 1.0:
                    kept = slice(start, start + knee)
                    own[kept] *= np.exp(0.5 * (course - decay.course(since))[:knee])
                _continue(own[start:], carrier[start:, channel], course, knee, guard)
            out[:, channel] += own
    return out


def _continue(own: Array, carrier: Array, course: Array, knee: int, guard: int) -> None:
    """Fade from `own`, which begins at the onset, to the carrier on the course of the band's decay."""
    knee = max(knee - min(guard, knee // 4), 1)
    fitted = _before(course, knee, 1.5 * np.log(10))
    line = np.exp(course[:knee])
    level = float((own[knee - fitted : knee] ** 2).sum() / max(line[-fitted:].sum(), 1e-300))
    # An end that was faded out lies below the line: the tail begins where it does.
    width = _before(course, knee, 1.0)
    energy = np.concatenate([[0.0], np.cumsum(own[:knee] ** 2)])
    high = np.flatnonzero(energy[width:] - energy[:-width] > _DIP * level * width * line[width - 1 :])
    knee = int(high[-1]) + width if len(high) else knee
    scale = np.sqrt(level / max(float((carrier**2).mean()), 1e-300))
    first = knee - width
    fade = np.linspace(0, np.pi / 2, width, endpoint=False)
    own[first:knee] *= np.cos(fade)
    own[knee:] = 0.0
    tail = scale * np.exp(0.5 * course[first:]) * carrier[first:]
    tail[:width] *= np.sin(fade)
    own[first:] += tail


def _before(course: Array, knee: int, nepers: float) -> int:
    """Frames in which a decay falls so far, up to its knee; at least 1."""
    above = np.searchsorted(-course[:knee], -course[knee - 1] - nepers)
    return int(np.clip(knee - above, 1, knee))


def _between(found: Sequence[Decay], centre: float) -> Decay:
    """Return the decay at a frequency, drawn over log frequency between the octaves that are known."""
    octaves = np.log2([decay.centre for decay in found])

    def drawn(values: list[float]) -> float:
        return float(np.interp(np.log2(centre), octaves, values))

    early, late = (
        float(np.exp(drawn([float(np.log(getattr(decay, name))) for decay in found])))
        for name in ("early", "late")
    )
    knee, bend = drawn([decay.knee for decay in found]), drawn([decay.bend for decay in found])
    return Decay(centre, int(knee), early, late, bend)


def _sounding(channel: Array) -> int:
    """Frames up to the last one that is more than digital silence."""
    size = np.abs(channel)
    loud = np.flatnonzero(size > _SILENT * size.max(initial=0.0))
    return int(loud[-1]) + 1 if len(loud) else 0
