"""How a room is heard: which microphones a layout stands for."""

from dataclasses import replace

from reverb.errors import ParameterError
from reverb.responses.layouts import LAYOUTS, Layout
from reverb.responses.rooms.room import Pair, Room


def heard(room: Room, layout: Layout) -> Room:
    """Return the room with the microphones of a layout: for mono both in the middle, hearing all around."""
    if layout not in LAYOUTS:
        raise ParameterError(f"layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    return replace(room, pair=Pair(spacing=0.0, angle=0.0, directivity=0.0)) if layout == "mono" else room
