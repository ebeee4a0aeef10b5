"""From the design of a room to the samples of its files."""

import numpy as np
import numpy.typing as npt

from reverb.responses.rooms.air import speed_of_sound
from reverb.responses.rooms.finishing import finish
from reverb.responses.rooms.microphones import source_positions
from reverb.responses.rooms.plate import Plate, plate_samples
from reverb.responses.rooms.room import Room
from reverb.responses.rooms.simulate import at_pair, tune
from reverb.responses.rooms.tracing import trace_images

Array = npt.NDArray[np.float64]

SAMPLE_RATE = 48_000


def render_room(room: Room) -> dict[str, Array]:
    """Return the responses of a room by name: `(frames, 2)`, and `(frames, 4)` if it has true stereo."""
    speed = speed_of_sound(room.temperature)
    trim, decay = tune(room, speed)
    rng = np.random.default_rng(room.seed)

    def heard(source: Array) -> Array:
        return at_pair(room, trace_images(room, trim, source, speed), decay, source, speed, rng, SAMPLE_RATE)

    center, left, right = source_positions(room)
    out = {room.name: finish([heard(center)], SAMPLE_RATE)}
    if room.true_stereo:
        out[f"{room.name}-true-stereo"] = finish([heard(left), heard(right)], SAMPLE_RATE)
    return out


def finish_plate(plate: Plate) -> Array:
    """Return the plate's response, `(frames, 2)`, from just before its first bending waves arrive."""
    return plate_samples(plate, SAMPLE_RATE)
