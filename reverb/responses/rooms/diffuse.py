"""The diffuse field: a growing crowd of plane waves, shaped band by band by the ray-traced decay."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reverb.errors import ParameterError
from reverb.responses.rooms.air import energy_absorption
from reverb.responses.rooms.images import specular_share
from reverb.responses.rooms.microphones import capsules, sensitivity
from reverb.responses.rooms.room import OCTAVES, Room, mean_free_path, volume
from reverb.responses.rooms.tracing import Decay

Array = npt.NDArray[np.float64]

SPARSEST, DENSEST = 2_500.0, 24_000.0  # waves per second: no single one sticks out, and more cannot be heard
WAVELETS = 8  # scattered wavelets into which one image's sound is broken by relief
STEPS_PER_OCTAVE = 6
FIT_FROM, FIT_TO = -8.0, -45.0  # dB of the ray-traced decay that say how it goes on


def diffuse_sound(
    room: Room,
    decay: Decay,
    frames: int,
    sample_rate: int,
    speed: float,
    origin: float,
    rng: np.random.Generator,
) -> Array:
    """Late reverberation at both microphones, `(frames, 2)`, time counted from `origin` seconds."""
    noise = plane_waves(room, frames, sample_rate, speed, origin, rng)
    times = origin + np.arange(frames) / sample_rate
    out = np.zeros_like(noise)
    envelopes = Envelopes(room, decay, speed)
    for centre, band in narrow_bands(noise, sample_rate):
        out += band * np.sqrt(envelopes.diffuse(centre, times))[:, None]
    return out


def plane_waves(
    room: Room, frames: int, sample_rate: int, speed: float, origin: float, rng: np.random.Generator
) -> Array:
    """Plane waves from all directions as the pair hears them, `(frames, 2)`.

    Each capsule would take up unit energy per second, were it equally sensitive all around.
    Image sources fill space evenly, so waves arrive at the rate 4π c³ t² / V (Kuttruff, Room Acoustics, 4.2).
    As each capsule has its own delay and gain for each wave, their coherence is that of a real diffuse field.
    """
    grid = origin + np.arange(0, frames, 64) / sample_rate
    rate = np.clip(WAVELETS * 4 * np.pi * speed**3 * grid**2 / volume(room), SPARSEST, DENSEST)
    rate = room.density * rate
    count = np.concatenate([[0], np.cumsum(0.5 * (rate[1:] + rate[:-1])) * 64 / sample_rate])
    times = np.interp(np.sort(rng.uniform(0, count[-1], rng.poisson(count[-1]))), count, grid)
    signs = rng.choice([-1.0, 1.0], len(times)) / np.sqrt(np.interp(times, grid, rate))
    directions = rng.standard_normal((len(times), 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    middle = np.array(room.microphones)
    channels = []
    for place, axis in capsules(room):
        arrivals = (times - origin - directions @ (place - middle) / speed) * sample_rate
        channels.append(
            _impulses(arrivals, signs * sensitivity(directions, axis, room.pair.directivity), frames)
        )
    return np.stack(channels, axis=1)


class Envelopes:
    """Energy per second of the diffuse field at any frequency and time.

    The walls' part is ray-traced in octaves; the air's is added per frequency, as it varies within an octave.
    """

    def __init__(self, room: Room, decay: Decay, speed: float) -> None:
        self._room, self._speed = room, speed
        self._times = decay.times
        self._rates = np.array([decay_rate(decay.times, e) for e in decay.energy])
        self._levels = np.stack(
            [_flattened(decay.times, e, k) for e, k in zip(decay.energy, self._rates, strict=True)]
        )

    @property
    def rates(self) -> Array:
        """How fast the walls alone take energy away, in 1/s per octave."""
        return self._rates

    def total(self, frequency: float, times: Array) -> Array:
        """All reflected energy per second at `frequency` in Hz and `times` in seconds since emission."""
        return self._blend(frequency, times, np.ones((len(OCTAVES), 1)))

    def diffuse(self, frequency: float, times: Array) -> Array:
        """Return the part of it that has been scattered, or lies past the last image source."""
        reflections = np.maximum(self._speed * times / mean_free_path(self._room), 1.0)
        return self._blend(
            frequency, times, 1 - specular_share(reflections, self._room.relief, self._room.order)
        )

    def _blend(self, frequency: float, times: Array, share: Array) -> Array:
        octave = np.clip(np.log2(frequency / OCTAVES[0]), 0, len(OCTAVES) - 1)
        lower = min(int(octave), len(OCTAVES) - 2)
        weights = np.array([lower + 1 - octave, octave - lower])
        pair = slice(lower, lower + 2)
        levels = np.stack([np.interp(times, self._times, level) for level in self._levels[pair]])
        walls = np.log(np.maximum(levels * share[pair], 1e-12)) - self._rates[pair, None] * times
        air = self._room.air * energy_absorption(frequency, self._room.temperature, self._room.humidity)
        return np.exp(weights @ walls - air * self._speed * times)


def decay_rate(times: Array, energy: Array) -> float:
    """Exponential rate in 1/s of a ray-traced decay, by its logarithm from FIT_FROM to FIT_TO dB, or else all of it."""
    width = max(len(energy) // 60, 1)
    usable = len(energy) // width * width
    coarse = energy[:usable].reshape(-1, width).mean(axis=1)
    middles = times[:usable].reshape(-1, width).mean(axis=1)
    start = int(np.argmax(coarse))
    level = 10 * np.log10(np.maximum(coarse, 1e-30) / coarse[start])
    inside = (np.arange(len(level)) >= start) & (level < FIT_FROM) & (level > FIT_TO)
    if np.count_nonzero(inside) < 2:  # the traced time ends before
        inside = np.arange(len(level)) >= start
    slope = np.polyfit(middles[inside], np.log(coarse[inside]), 1)[0]
    if not slope < -1e-9:  # what rounding leaves of none
        raise ParameterError("the room does not decay; let its surfaces take more")
    return float(-slope)


def narrow_bands(signal: Array, sample_rate: int) -> Iterator[tuple[float, Array]]:
    """Split `(frames, channels)` into bands that overlap and add up to the signal again."""
    spectrum = np.fft.rfft(signal, axis=0)
    frequencies = np.fft.rfftfreq(len(signal), 1 / sample_rate)
    steps = STEPS_PER_OCTAVE * np.log2(np.maximum(frequencies, 1e-3) / 1000)
    lowest, highest = -5 * STEPS_PER_OCTAVE, int(STEPS_PER_OCTAVE * np.log2(sample_rate / 2000))
    for step in range(lowest, highest + 1):
        # The outermost bands take all that lies beyond them.
        distance = np.clip(steps, lowest, highest) - step
        mask = np.cos(np.pi / 2 * np.clip(np.abs(distance), 0, 1)) ** 2
        yield (
            1000 * 2 ** (step / STEPS_PER_OCTAVE),
            np.fft.irfft(spectrum * mask[:, None], len(signal), axis=0),
        )


def _flattened(times: Array, energy: Array, rate: float) -> Array:
    """Return the decay with its exponential taken out, smoothed, and constant where too few rays are left."""
    flat = energy * np.exp(rate * times)
    first, last = np.searchsorted(times * rate, [1.5, 7.0])  # −6.5 to −30 dB
    level = flat[min(first, len(flat) // 2) : last].mean()
    trusted = times * rate < 7.0
    total = np.concatenate([[0.0], np.cumsum(np.where(trusted, flat, level))])
    edges = np.concatenate([[0.0], times + 0.5 * (times[1] - times[0])])
    arrival = times[np.flatnonzero(energy)[0]]
    half = np.clip(0.15 * (times - arrival), 0.006, 0.1)
    low, high = np.maximum(times - half, 0), np.minimum(times + half, edges[-1])
    return np.asarray(
        (np.interp(high, edges, total) - np.interp(low, edges, total)) / (high - low) * np.diff(edges)[0]
    )


def _impulses(arrivals: Array, amplitudes: Array, frames: int) -> Array:
    """Sum band-limited impulses at fractional frames."""
    whole = np.floor(arrivals).astype(np.int64)
    fraction = arrivals - whole
    out = np.zeros(frames)
    for n in range(-7, 9):
        taps = np.sinc(n - fraction) * np.cos(np.pi / 2 * (n - fraction) / 8.5) ** 2
        place = whole + n
        inside = (place >= 0) & (place < frames)
        out += np.bincount(place[inside], (amplitudes * taps)[inside], frames)
    return out
