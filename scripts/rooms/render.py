"""From a room's design to the finished samples."""

import numpy as np
import numpy.typing as npt

from reverb.responses.acoustics import onset
from rooms.air import speed_of_sound
from rooms.designs import OCTAVES, Bands, Room
from rooms.early import early_sound
from rooms.late import Envelopes, decay_rate, diffuse_sound
from rooms.pair import capsules, stage
from rooms.plate import Plate, render_plate
from rooms.tracing import Decay, trace_decay, trace_images

Array = npt.NDArray[np.float64]

SAMPLE_RATE = 48_000
PEAK_DB = -1.0
FLOOR_DB = -90.0
FADE = 0.08  # s
LEAD_IN = 24  # frames of fade before a start that is not a single impulse
LOWEST = 22.0  # Hz: below, image sources pile up to a push of air that no loudspeaker gives


def render_room(room: Room) -> dict[str, Array]:
    """Return the responses of a room by name: `(frames, 2)`, and `(frames, 4)` where it has true stereo."""
    speed = speed_of_sound(room.temperature)
    trim, decay = tune(room, speed)
    centre, left, right = stage(room)
    rng = np.random.default_rng(room.seed)
    out = {room.name: finish([_at_pair(room, trim, decay, centre, speed, rng)])}
    if room.true_stereo:
        sides = [_at_pair(room, trim, decay, side, speed, rng) for side in (left, right)]
        out[f"{room.name}-true-stereo"] = finish(sides)
    return out


def finish_plate(plate: Plate) -> Array:
    """Return the plate's response, `(frames, 2)`, from just before its first bending waves arrive."""
    sound = render_plate(plate, SAMPLE_RATE, round(1.8 * plate.rt60_low * SAMPLE_RATE))
    start = max(onset(sound) - LEAD_IN, 0)
    sound = sound[start:]
    sound[:LEAD_IN] *= np.sin(np.linspace(0, np.pi / 2, LEAD_IN, endpoint=False))[:, None] ** 2
    return finish([sound])


def tune(room: Room, speed: float) -> tuple[Bands, Decay]:
    """Scale the surfaces' absorption per octave until the ray-traced room decays as designed."""
    trim = np.ones(len(OCTAVES))
    seconds = 0.8 * max(room.rt60)
    decay = trace_decay(room, tuple(trim), seconds, speed)
    for _ in range(4):
        got = predicted_rt60(room, decay, speed)
        walls = np.array([decay_rate(decay.times, e) for e in decay.energy])
        wanted = walls + 6 * np.log(10) * (1 / np.array(room.rt60) - 1 / got)
        trim *= np.maximum(wanted / walls, 0.2)
        decay = trace_decay(room, tuple(trim), seconds, speed)
    return tuple(trim), decay


def predicted_rt60(room: Room, decay: Decay, speed: float) -> Array:
    """T30 per octave that the reflections will show, air and the octave's width included."""
    times = np.arange(0, 1.5 * max(room.rt60), 0.004)
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


def _at_pair(
    room: Room, trim: Bands, decay: Decay, source: Array, speed: float, rng: np.random.Generator
) -> Array:
    """One source at both microphones, `(frames, 2)`; frame 0 is the direct sound's arrival at the nearer one."""
    frames = round(1.8 * max(room.rt60) * SAMPLE_RATE)
    origin = min(float(np.linalg.norm(source - place)) for place, _ in capsules(room)) / speed
    images = trace_images(room, trim, source, speed)
    early = early_sound(room, images, frames, SAMPLE_RATE, speed, origin)
    return early + diffuse_sound(room, decay, frames, SAMPLE_RATE, speed, origin, rng)


def finish(pairs: list[Array]) -> Array:
    """Take out what lies below hearing, cut at −90 dB, fade out, and set the peak."""
    from scipy.signal import butter, sosfilt

    sound = np.concatenate(pairs, axis=1)
    sound = sosfilt(butter(2, LOWEST, "highpass", fs=SAMPLE_RATE, output="sos"), sound, axis=0)
    end = _end(sound)
    fade = round(FADE * SAMPLE_RATE)
    sound = sound[:end]
    sound[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade))[:, None] ** 2
    return np.asarray(sound * (10 ** (PEAK_DB / 20) / np.abs(sound).max()))


def _end(sound: Array) -> int:
    """Frames until in each octave of each channel what remains is FLOOR_DB below the whole."""
    from scipy.signal import butter, sosfilt

    ends = []
    for centre in OCTAVES:
        edges = centre / np.sqrt(2), centre * np.sqrt(2)
        band = sosfilt(butter(4, edges, "bandpass", fs=SAMPLE_RATE, output="sos"), sound[::-1], axis=0)
        remaining = np.cumsum(band**2, axis=0)
        loud = remaining > remaining[-1] * 10 ** (FLOOR_DB / 10)
        ends.append(len(sound) - int(loud.argmax(axis=0).min()))
    return max(ends)
