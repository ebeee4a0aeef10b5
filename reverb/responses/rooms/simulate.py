"""Rooms by geometry and materials: image sources first, a ray-traced diffuse field after them.

pyroomacoustics (extra `rooms`) finds the image sources and traces the rays; what reaches the microphones is put
together here (`early`, `late`).
"""

import warnings

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_sample_rate
from reverb.responses.layouts import Layout
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.rooms.air import energy_absorption, speed_of_sound
from reverb.responses.rooms.diffuse import Envelopes, decay_rate, diffuse_sound
from reverb.responses.rooms.finishing import finish
from reverb.responses.rooms.images import early_sound
from reverb.responses.rooms.microphones import capsules, source_positions
from reverb.responses.rooms.room import OCTAVES, Bands, Room, floor_area, mean_free_path, perimeter
from reverb.responses.rooms.tracing import Decay, Images, trace_decay, trace_images

Array = npt.NDArray[np.float64]

_FAR = 0.1  # of a decay time, by which a room may miss it unsaid
_LEAST_FALL = np.log(10)  # nepers that walls take at least while rays are traced, or it would not show


def simulate(room: Room, sample_rate: int = 48_000, layout: Layout = "stereo") -> ImpulseResponse:
    """Return what a room does to sound between its source and its microphones.

    Parameters
    ----------
    room : Room
    sample_rate : int
        In Hz.
    layout : {'mono', 'stereo', 'true-stereo'}
        Mono hears with one microphone all around in the middle of the pair; true stereo has two sources.

    Returns
    -------
    ImpulseResponse
        float32, peak −1 dBFS, the direct sound on frame 0. The same room gives the same samples.

    Raises
    ------
    MissingExtraError
        If pyroomacoustics is not installed.
    ParameterError
        If the layout is none of these, or the surfaces take nothing.

    Warns
    -----
    UserWarning
        If an octave misses its decay time by more than 10 %: air ends high sounds, and walls take no more than all.
    """
    from reverb.responses.rooms.microphones import with_microphones

    rate = as_sample_rate(sample_rate)
    room = with_microphones(room, layout)
    speed = speed_of_sound(room.temperature)
    trim, decay = tune(room, speed)
    rng = np.random.default_rng(room.seed)
    centre, left, right = source_positions(room)
    sources = (left, right) if layout == "true-stereo" else (centre,)
    pairs = [
        at_pair(room, trace_images(room, trim, source, speed), decay, source, speed, rng, rate)
        for source in sources
    ]
    sound = finish(pairs, rate)
    samples = sound[:, :1] if layout == "mono" else sound
    return owning(samples.astype(np.float32), rate, room.name or "room")


def expected_rt60(room: Room) -> Bands:
    """Return the decay times per octave a room is designed for; else what Eyring (1930) expects of its surfaces."""
    if room.rt60 is not None:
        return room.rt60
    speed = speed_of_sound(room.temperature)
    ground, around = floor_area(room), perimeter(room) * room.height
    absorbed = ground * (np.array(room.floor) + room.ceiling) + around * np.array(room.walls)
    mean = np.clip(absorbed / (2 * ground + around), 0.005, 0.95)
    air = room.air * energy_absorption(OCTAVES, room.temperature, room.humidity)
    rates = speed * (-np.log(1 - mean) / mean_free_path(room) + air)
    return _seven(6 * np.log(10) / rates)


def _seven(values: Array) -> Bands:
    a, b, c, d, e, f, g = (float(value) for value in values)
    return a, b, c, d, e, f, g


def tune(room: Room, speed: float) -> tuple[Bands, Decay]:
    """Scale the surfaces' absorption per octave until the ray-traced room decays as designed, where it says how."""
    trim = np.ones(len(OCTAVES))
    seconds = 0.8 * max(expected_rt60(room))
    decay = trace_decay(room, _seven(trim), seconds, speed)
    for _ in range(4 if room.rt60 else 0):
        got = predicted_rt60(room, decay, speed)
        walls = np.array([decay_rate(decay.times, e) for e in decay.energy])
        wanted = walls + 6 * np.log(10) * (1 / np.array(room.rt60) - 1 / got)
        wanted = np.maximum(wanted, _LEAST_FALL / seconds)
        trim *= np.maximum(wanted / walls, 0.2)
        decay = trace_decay(room, _seven(trim), seconds, speed)
    if room.rt60:
        _tell_what_is_missed(np.array(room.rt60), predicted_rt60(room, decay, speed))
    return _seven(trim), decay


def _tell_what_is_missed(wanted: Array, got: Array) -> None:
    missed = [
        f"{shall:.2g} s at {hz:g} Hz (it gets {is_:.2g} s)"
        for hz, is_, shall in zip(OCTAVES, got, wanted, strict=True)
        if abs(is_ / shall - 1) > _FAR
    ]
    if missed:
        warnings.warn(f"the room's air and walls do not allow {', '.join(missed)}", stacklevel=4)


def predicted_rt60(room: Room, decay: Decay, speed: float) -> Array:
    """T30 per octave that the reflections will show, air and the octave's width included."""
    times = np.arange(0, 1.5 * max(expected_rt60(room)), 0.004)
    envelopes = Envelopes(room, decay, speed)
    out = []
    for centre in OCTAVES:
        power = sum(
            envelopes.total(f, times) for f in np.linspace(centre / np.sqrt(2), centre * np.sqrt(2), 9)
        )
        energy = np.cumsum(np.asarray(power)[::-1])[::-1]
        level = 10 * np.log10(energy / energy[0])
        span = (level <= -5) & (level >= -35)
        out.append(-60 / np.polyfit(times[span], level[span], 1)[0])
    return np.array(out)


def at_pair(
    room: Room,
    images: Images,
    decay: Decay,
    source: Array,
    speed: float,
    rng: np.random.Generator,
    sample_rate: int,
) -> Array:
    """One source at both microphones, `(frames, 2)`; frame 0 is the direct sound's arrival at the nearer one."""
    frames = round(1.8 * max(expected_rt60(room)) * sample_rate)
    origin = min(float(np.linalg.norm(source - place)) for place, _ in capsules(room)) / speed
    early = early_sound(room, images, frames, sample_rate, speed, origin)
    return early + diffuse_sound(room, decay, frames, sample_rate, speed, origin, rng)
