"""Extension of tails: each band of a response continues to decay where noise or a cut ends it.

Every band is unchanged up to the point where it meets the noise (Lundeby et al. 1995, `decay.noise_floor`) or ends.
From there noise of the same band continues its decay (`decay.model`; Bryan & Abel 2010 describe a similar method).
The noise of the channels is independent, as in a diffuse field.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from reverb.arrays import Array
from reverb.checks import in_range, whole
from reverb.errors import InvalidAudioError
from reverb.responses.decay.decay import onset
from reverb.responses.decay.model import Decay, octave_decays, sounding_frames
from reverb.responses.filter_bank import Subband, bandwidth, join, ringing_frames, split_decimated
from reverb.responses.response import ImpulseResponse, check_response, derived

MAX_TAIL_SECONDS = 60.0
MAX_SEED = (1 << 64) - 1
_FADED = 0.25  # share of the fitted power below which an end counts as faded out


def extend_tail(response: ImpulseResponse, floor_db: float = -90.0, seed: int = 0) -> ImpulseResponse:
    """Continue the decay of every band from the noise floor or the end down to `floor_db`.

    Parameters
    ----------
    response : ImpulseResponse
        Its octaves must decay by about 10 dB before the noise or the end.
    floor_db : float
        Level of the slowest octave at the end of the result, in dB, −200 to −20. The result lasts at most 60 seconds.
    seed : int
        Seed of the noise; the same seed gives the same tail.

    Raises
    ------
    ParameterError
        If an argument is not allowed.
    InvalidAudioError
        If no octave decays.
    """
    check_response(response)
    seed = whole("seed", seed, 0, MAX_SEED)
    floor_db = in_range("floor of the tail", floor_db, -200, -20, "dB")
    samples = response.samples.astype(np.float64)
    decays = octave_decays(samples, response.sample_rate)
    frames = onset(samples) + frames_to_fall(decays, -floor_db)
    frames = min(frames, round(MAX_TAIL_SECONDS * response.sample_rate))
    extended = continue_bands(samples, response.sample_rate, decays, frames, seed)
    return derived(response, extended.astype(response.samples.dtype))


def frames_to_fall(decays: Sequence[Sequence[Decay]], decibels: float) -> int:
    """Return the frames that the slowest octave needs to decay by so many dB.

    Raises
    ------
    InvalidAudioError
        If no octave decays.
    """
    slowest = min((min(decay.early, decay.late) for channel in decays for decay in channel), default=0.0)
    if slowest <= 0:
        raise InvalidAudioError(
            "no octave of the impulse response decays clearly above its noise; it has no decay to continue"
        )
    return int(decibels / 10 * np.log(10) / slowest) + 1


def continue_bands(
    samples: Array,
    sample_rate: int,
    decays: Sequence[Sequence[Decay]],
    frames: int,
    seed: int,
    stretch: Callable[[float], float] = lambda _: 1.0,
) -> Array:
    """Return `samples` with the decay of every band continued from its knee, float64 `(frames, channels)`.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
    sample_rate : int
    decays : sequence of sequence of Decay
        A list per channel, from `octave_decays`; a channel with an empty list does not change.
    frames : int
        Length of the result; at least that of `samples`.
    seed : int
        Seed of the noise.
    stretch : callable
        Function from the center of a band in Hz to the factor by which its decay becomes longer: the band has
        the same level, so many times later.
    """
    frames = max(frames, len(samples))
    start = onset(samples)
    padded = np.zeros((frames, samples.shape[1]))
    padded[: len(samples)] = samples
    noise = np.random.default_rng(seed).standard_normal(padded.shape)
    ends = [sounding_frames(channel) - start for channel in samples.T]

    def bands() -> Iterator[Subband]:
        carriers = split_decimated(noise, sample_rate)
        for band, carrier in zip(split_decimated(padded, sample_rate), carriers, strict=True):
            step, longer = band.step, stretch(band.centre)
            first = -(-start // step)
            since = np.arange(first * step - start, frames - start, step, dtype=np.float64)
            sounding = slice(first, first + len(since))
            for channel, found in enumerate(decays):
                if not found or ends[channel] <= 0 or not len(since):
                    continue
                own = band.sound[channel, sounding]
                decay = _interpolated(found, band.centre)
                course = decay.course(since / longer)
                knee = min(decay.knee, ends[channel])
                kept = min(-(-knee // step), len(own))
                if longer != 1.0:
                    own[:kept] *= np.exp(0.5 * (course[:kept] - decay.course(since[:kept])))
                # Before a cut end, leave out the part that the band's filter smears over the end.
                guard = round(sample_rate / bandwidth(band.centre) / step)
                smeared = min(guard, kept // 4) if knee == ends[channel] else 0
                _continue(own, carrier.sound[channel, sounding], course, max(kept - smeared, 1), smeared)
                band.sound[channel, sounding.stop : -(ringing_frames(sample_rate) // step)] = 0.0
            yield band

    return join(bands(), frames)


def _continue(own: Array, carrier: Array, course: Array, knee: int, fade: int) -> None:
    """Crossfade in place from `own`, which begins at the onset, to the carrier with the envelope `course`.

    The fade takes the `fade` frames before the knee. With 0 it takes the last neper of the decay, so that little
    noise remains.
    """
    fitted = _before(course, knee, 1.5 * np.log(10))
    line = np.exp(course[:knee])
    level = float((own[knee - fitted : knee] ** 2).sum() / max(line[-fitted:].sum(), 1e-300))
    # If the end was faded out, move the knee to the start of the fade, where the power falls below the line.
    width = _before(course, knee, 1.0)
    energy = np.concatenate([[0.0], np.cumsum(own[:knee] ** 2)])
    high = np.flatnonzero(energy[width:] - energy[:-width] > _FADED * level * width * line[width - 1 :])
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
    """Return the frames before the knee in which a decay falls by so many nepers; at least 1."""
    above = np.searchsorted(-course[:knee], -course[knee - 1] - nepers)
    return int(np.clip(knee - above, 1, knee))


def _interpolated(found: Sequence[Decay], centre: float) -> Decay:
    """Return the decay at a frequency in Hz, interpolated over log frequency between octaves."""
    octaves = np.log2([decay.centre for decay in found])

    def at_centre(values: list[float]) -> float:
        return float(np.interp(np.log2(centre), octaves, values))

    early, late = (
        float(np.exp(at_centre([float(np.log(getattr(decay, name))) for decay in found])))
        for name in ("early", "late")
    )
    knee, bend = at_centre([decay.knee for decay in found]), at_centre([decay.bend for decay in found])
    return Decay(centre, int(knee), early, late, bend)
