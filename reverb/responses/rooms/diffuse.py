"""The diffuse field: plane waves of growing density, with the envelope of an echogram in each band."""

from dataclasses import dataclass

import numpy as np

from reverb.arrays import Array
from reverb.errors import ParameterError
from reverb.responses.filter_bank import split_sixths
from reverb.responses.rooms.air import energy_absorption
from reverb.responses.rooms.images import specular_share
from reverb.responses.rooms.materials import OCTAVES
from reverb.responses.rooms.room import Room, capsules, mean_free_path, sensitivity, volume

_MIN_WAVES, _MAX_WAVES = 2_500.0, 24_000.0  # per second: single waves are inaudible, and more sound the same
_WAVELETS = 8  # into which scattering breaks the sound of one image
_FIT_START_DB, _FIT_END_DB = -8.0, -45.0  # range of an echogram that determines its rate
_TRUSTED_NEPERS = 7.0  # decay after which too few rays are left: 30 dB
_SINC_FRAMES = 8  # on either side of a fractional delay


@dataclass(frozen=True)
class Echogram:
    """Reflected energy per second at an omnidirectional receiver, relative to 1 at 1 m, without air absorption.

    Shapes: `times` (bins,) in seconds since the emission, `energy` (octaves, bins).
    """

    times: Array
    energy: Array


def diffuse_sound(
    room: Room,
    echogram: Echogram,
    frames: int,
    sample_rate: int,
    speed: float,
    origin: float,
    rng: np.random.Generator,
) -> Array:
    """Return the late reverberation at both microphones, `(frames, 2)`, from `origin` in seconds on."""
    noise = plane_waves(room, frames, sample_rate, speed, origin, rng)
    times = origin + np.arange(frames) / sample_rate
    out = np.zeros_like(noise)
    envelopes = Envelopes(room, echogram, speed)
    for centre, band in split_sixths(noise, sample_rate):
        out += band * np.sqrt(envelopes.diffuse(centre, times))[:, None]
    return out


def plane_waves(
    room: Room, frames: int, sample_rate: int, speed: float, origin: float, rng: np.random.Generator
) -> Array:
    """Return plane waves from all directions at the two capsules, `(frames, 2)`.

    An omnidirectional capsule would receive unit energy per second.
    Image sources fill space evenly, so that waves arrive at the rate 4π c³ t² / V (Kuttruff, Room Acoustics, 4.2).
    As each capsule has its own delay and gain for each wave, their coherence is that of a real diffuse field.
    """
    grid = origin + np.arange(0, frames, 64) / sample_rate
    rate = np.clip(_WAVELETS * 4 * np.pi * speed**3 * grid**2 / volume(room), _MIN_WAVES, _MAX_WAVES)
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

    Absorption by the walls is that of the echogram, per octave; absorption by air varies within an octave and is added
    per frequency.
    """

    def __init__(self, room: Room, echogram: Echogram, speed: float) -> None:
        self._room, self._speed = room, speed
        self._times = echogram.times
        self._rates = np.array([decay_rate(echogram.times, e) for e in echogram.energy])
        self._levels = np.stack(
            [_flattened(echogram.times, e, k) for e, k in zip(echogram.energy, self._rates, strict=True)]
        )

    def total(self, frequency: float, times: Array) -> Array:
        """Return all reflected energy per second at a frequency in Hz and times in seconds since the emission."""
        return self._envelope(frequency, times, np.ones((len(OCTAVES), 1)))

    def diffuse(self, frequency: float, times: Array) -> Array:
        """Return the scattered part of it, and the part after the last image source."""
        reflections = np.maximum(self._speed * times / mean_free_path(self._room), 1.0)
        specular = specular_share(reflections, self._room.relief, self._room.order)
        return self._envelope(frequency, times, 1 - specular)

    def _envelope(self, frequency: float, times: Array, share: Array) -> Array:
        octave = np.clip(np.log2(frequency / OCTAVES[0]), 0, len(OCTAVES) - 1)
        lower = min(int(octave), len(OCTAVES) - 2)
        weights = np.array([lower + 1 - octave, octave - lower])
        pair = slice(lower, lower + 2)
        levels = np.stack([np.interp(times, self._times, level) for level in self._levels[pair]])
        walls = np.log(np.maximum(levels * share[pair], 1e-12)) - self._rates[pair, None] * times
        air = self._room.air * energy_absorption(frequency, self._room.temperature, self._room.humidity)
        return np.asarray(np.exp(weights @ walls - air * self._speed * times))


def decay_rate(times: Array, energy: Array) -> float:
    """Return the exponential rate of an echogram in 1/s, from a line through its logarithm.

    The line fits the range from −8 to −45 dB, or everything if the echogram ends earlier.
    """
    width = max(len(energy) // 60, 1)
    usable = len(energy) // width * width
    coarse = energy[:usable].reshape(-1, width).mean(axis=1)
    middles = times[:usable].reshape(-1, width).mean(axis=1)
    start = int(np.argmax(coarse))
    level = 10 * np.log10(np.maximum(coarse, 1e-30) / coarse[start])
    inside = (np.arange(len(level)) >= start) & (level < _FIT_START_DB) & (level > _FIT_END_DB)
    if np.count_nonzero(inside) < 2:  # the echogram is too short
        inside = np.arange(len(level)) >= start
    slope = np.polyfit(middles[inside], np.log(coarse[inside]), 1)[0]
    if not slope < -1e-9:  # 0 with rounding errors
        raise ParameterError("the room does not decay; increase the absorption of its surfaces")
    return float(-slope)


def _flattened(times: Array, energy: Array, rate: float) -> Array:
    """Return an echogram divided by its exponential and smoothed, constant after the time with enough rays."""
    flat = energy * np.exp(rate * times)
    first, last = np.searchsorted(times * rate, [1.5, _TRUSTED_NEPERS])  # −6.5 to −30 dB
    level = flat[min(first, len(flat) // 2) : last].mean()
    trusted = times * rate < _TRUSTED_NEPERS
    total = np.concatenate([[0.0], np.cumsum(np.where(trusted, flat, level))])
    edges = np.concatenate([[0.0], times + 0.5 * (times[1] - times[0])])
    arrival = times[np.flatnonzero(energy)[0]]
    half = np.clip(0.15 * (times - arrival), 0.006, 0.1)
    low, high = np.maximum(times - half, 0), np.minimum(times + half, edges[-1])
    return np.asarray(
        (np.interp(high, edges, total) - np.interp(low, edges, total)) / (high - low) * np.diff(edges)[0]
    )


def _impulses(arrivals: Array, amplitudes: Array, frames: int) -> Array:
    """Return the sum of band-limited impulses at fractional frames."""
    whole = np.floor(arrivals).astype(np.int64)
    fraction = arrivals - whole
    out = np.zeros(frames)
    for n in range(1 - _SINC_FRAMES, _SINC_FRAMES + 1):
        taps = np.sinc(n - fraction) * np.cos(np.pi / 2 * (n - fraction) / (_SINC_FRAMES + 0.5)) ** 2
        place = whole + n
        inside = (place >= 0) & (place < frames)
        out += np.bincount(place[inside], (amplitudes * taps)[inside], frames)
    return out
