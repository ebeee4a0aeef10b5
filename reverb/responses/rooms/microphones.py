"""The stereo microphone: two capsules that face the source, turned outwards, and where sources stand before it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reverb.checks import one_of
from reverb.responses.layouts import LAYOUTS, Layout
from reverb.responses.rooms.room import Pair, Room

Array = npt.NDArray[np.float64]


def with_microphones(room: Room, layout: Layout) -> Room:
    """Return the room with the microphones of a layout: for mono one omnidirectional point, the center of the pair."""
    one_of("layout", layout, LAYOUTS)
    return replace(room, pair=Pair(spacing=0.0, angle=0.0, directivity=0.0)) if layout == "mono" else room


def sensitivity(directions: Array, axis: Array, directivity: float) -> Array:
    """Return the gain for sound from unit vectors of shape (n, 3): (1 + cos) / 2 for a cardioid, directivity 0.5."""
    return np.asarray((1 - directivity) + directivity * (directions @ axis))


def capsules(room: Room) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return the place and the axis of the left and the right capsule."""
    centre = np.array(room.microphones)
    forward, left = _level_frame(room)
    turn = np.radians(room.pair.angle)
    outwards = np.cos(turn) * forward, np.sin(turn) * left
    half = 0.5 * room.pair.spacing * left
    return (centre + half, outwards[0] + outwards[1]), (centre - half, outwards[0] - outwards[1])


def source_positions(room: Room) -> tuple[Array, Array, Array]:
    """Return sources in the center, on the left and on the right, at equal distances from the pair."""
    centre = np.array(room.microphones)
    source = np.array(room.source)
    forward, left = _level_frame(room)
    reach = np.hypot(*(source - centre)[:2])
    turn = np.radians(room.sides)
    lift = np.array([0, 0, source[2] - centre[2]])
    ahead, aside = reach * np.cos(turn) * forward, reach * np.sin(turn) * left
    return source, centre + lift + ahead + aside, centre + lift + ahead - aside


def _level_frame(room: Room) -> tuple[Array, Array]:
    """Return horizontal unit vectors from the pair to the source, and to the left of that."""
    forward = np.subtract(room.source, room.microphones)
    forward[2] = 0
    forward /= np.linalg.norm(forward)
    return forward, np.array([-forward[1], forward[0], 0])
