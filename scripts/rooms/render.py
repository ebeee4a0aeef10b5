"""From the design of a room to the samples of its files."""

import numpy as np
import numpy.typing as npt

from reverb.responses.rooms.air import speed_of_sound
from reverb.responses.rooms.plate import Plate, plate_samples
from reverb.responses.rooms.room import Room, source_positions
from reverb.responses.rooms.simulate import at_microphones, finish, fit_absorption, trace_images

Array = npt.NDArray[np.float64]

SAMPLE_RATE = 48_000


def render_room(room: Room) -> dict[str, Array]:
    """Return the responses of a room by name: `(frames, 2)`, and `(frames, 4)` if it has true stereo."""
    speed = speed_of_sound(room.temperature)
    scale, echogram = fit_absorption(room, speed)
    rng = np.random.default_rng(room.seed)

    def pair_of(source: Array) -> Array:
        images = trace_images(room, scale, source, speed)
        return at_microphones(room, images, echogram, source, speed, rng, SAMPLE_RATE)

    center, left, right = source_positions(room)
    out = {room.name: finish([pair_of(center)], SAMPLE_RATE)}
    if room.true_stereo:
        out[f"{room.name}-true-stereo"] = finish([pair_of(left), pair_of(right)], SAMPLE_RATE)
    return out


def finish_plate(plate: Plate) -> Array:
    """Return the plate's response, `(frames, 2)`, from just before its first bending waves arrive."""
    return plate_samples(plate, SAMPLE_RATE)
