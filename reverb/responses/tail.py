"""Tails without an end: where noise or a cut has swallowed a decay, each band goes on by its own.

In every band the response is kept down to where it meets the noise (Lundeby et al. 1995, `decay.noise_floor`) or its
end, and is continued there by noise of the band that falls as the decay did before (`decay_course`; Bryan & Abel 2010
describe the like). Channels get noise of their own: a tail is diffuse.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.checks import in_range
from reverb.errors import InvalidAudioError
from reverb.responses.decay.model import Decay, octave_decays, sounding_frames
from reverb.responses.direct_sound import onset
from reverb.responses.filter_bank import Band, bandwidth, joined, lead, split_low
from reverb.responses.response import ImpulseResponse, derived

Array: TypeAlias = npt.NDArray[np.float64]

LONGEST = 60.0
"""Seconds that a tail may last."""
_DIP = 0.25  # of the fitted power, below which an end is taken as faded out


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
    floor_db = in_range("floor of the tail", floor_db, -200, -20, "dB")
    samples = response.samples.astype(np.float64)
    decays = octave_decays(samples, response.sample_rate)
    frames = min(onset(samples) + frames_to_fall(decays, -floor_db), round(LONGEST * response.sample_rate))
    extended = continued(samples, response.sample_rate, decays, frames, seed)
    return derived(response, extended.astype(response.samples.dtype))


def frames_to_fall(decays: Sequence[Sequence[Decay]], decibels: float) -> int:
    """Return how long the slowest octave takes to fall so far, in frames; InvalidAudioError where none decays."""
    slowest = min((min(decay.early, decay.late) for channel in decays for decay in channel), default=0.0)
    if slowest <= 0:
        raise InvalidAudioError(
            "no octave of the impulse response falls clearly above its noise; it has no decay to go on with"
        )
    return int(decibels / 10 * np.log(10) / slowest) + 1


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
    ends = [sounding_frames(channel) - start for channel in samples.T]

    def bands() -> Iterator[Band]:
        for band, carrier in zip(split_low(padded, sample_rate), split_low(noise, sample_rate), strict=True):
            step, longer = band.step, stretch(band.centre)
            first = -(-start // step)
            since = np.arange(first * step - start, frames - start, step, dtype=np.float64)
            sounding = slice(first, first + len(since))
            for channel, found in enumerate(decays):
                if not found or ends[channel] <= 0 or not len(since):
                    continue
                own = band.sound[channel, sounding]
                decay = _between(found, band.centre)
                course = decay.course(since / longer)
                knee = min(decay.knee, ends[channel])
                kept = min(-(-knee // step), len(own))
                if longer != 1.0:
                    own[:kept] *= np.exp(0.5 * (course[:kept] - decay.course(since[:kept])))
                # What the band's filter smears over a cut end is not used.
                guard = round(sample_rate / bandwidth(band.centre) / step)
                smeared = min(guard, kept // 4) if knee == ends[channel] else 0
                _continue(own, carrier.sound[channel, sounding], course, max(kept - smeared, 1), smeared)
                band.sound[channel, sounding.stop : -(lead(sample_rate) // step)] = 0.0
            yield band

    return joined(bands(), frames)


def _continue(own: Array, carrier: Array, course: Array, knee: int, fade: int) -> None:
    """Turn from `own`, which begins at the onset, to the carrier on the course of the band's decay.

    It takes the `fade` frames before the knee; with 0 the last neper, so that little of the noise there is kept.
    """
    fitted = _before(course, knee, 1.5 * np.log(10))
    line = np.exp(course[:knee])
    level = float((own[knee - fitted : knee] ** 2).sum() / max(line[-fitted:].sum(), 1e-300))
    # An end that was faded out lies below the line: the tail begins where it does.
    width = _before(course, knee, 1.0)
    energy = np.concatenate([[0.0], np.cumsum(own[:knee] ** 2)])
    high = np.flatnonzero(energy[width:] - energy[:-width] > _DIP * level * width * line[width - 1 :])
    knee = int(high[-1]) + width if len(high) else knee
    scale = np.sqrt(level / max(float((carrier**2).mean()), 1e-300))
    width = min(fade, width) if fade else width
    first = knee - width
    turn = np.linspace(0, np.pi / 2, width, endpoint=False)
    own[first:knee] *= np.cos(turn)
    own[knee:] = 0.0
    tail = scale * np.exp(0.5 * course[first:]) * carrier[first:]
    tail[:width] *= np.sin(turn)
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
