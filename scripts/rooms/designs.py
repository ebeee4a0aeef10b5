"""The rooms: geometry, surfaces, positions, and target decay times.

Lengths are in meters, x along the axis of the room, z upwards from the floor. The corners of a plan are in
counterclockwise order.
"""

from reverb.responses.rooms.materials import (
    AUDIENCE,
    CARPET,
    CHAIRS_ON_STONE,
    FLAT_RELIEF,
    FURNISHED_WALL,
    LIMED_PLASTER,
    MASONRY_RELIEF,
    OCTAVES,
    PEWS_HALF_FULL,
    PLASTER_ON_LATH,
    STONE,
    WOOD_FLOOR,
    Bands,
)
from reverb.responses.rooms.room import Pair, Point, Room

__all__ = ["OCTAVES", "ROOMS", "Bands", "Point", "Room"]

CHURCH = Room(
    name="church",
    title="Large parish church",
    description="Cruciform, limed masonry, pews half full; source on the chancel step, pair over the crossing.",
    plan=(
        (0, -4.5),
        (9, -4.5),
        (9, -7.5),
        (11, -7.5),
        (11, -12),
        (18, -12),
        (18, -7.5),
        (42, -7.5),
        (42, 7.5),
        (18, 7.5),
        (18, 12),
        (11, 12),
        (11, 7.5),
        (9, 7.5),
        (9, 4.5),
        (0, 4.5),
    ),
    height=13.0,
    floor=PEWS_HALF_FULL,
    ceiling=PLASTER_ON_LATH,
    walls=LIMED_PLASTER,
    relief=MASONRY_RELIEF,
    source=(9.5, 0.8, 2.2),
    microphones=(19.5, -0.5, 5.2),
    pair=Pair(spacing=0.5, angle=55.0),
    rt60=(4.6, 4.4, 4.1, 3.9, 3.3, 2.5, 1.5),
    temperature=15.0,
    humidity=60.0,
    order=6,
    seed=1,
    true_stereo=True,
)

CATHEDRAL = Room(
    name="cathedral",
    title="Gothic cathedral",
    description="Latin cross of bare stone, chairs on the floor; source in the crossing, pair in the nave.",
    plan=(
        (0, -13),
        (38, -13),
        (38, -27),
        (53, -27),
        (53, -13),
        (112, -13),
        (112, 13),
        (53, 13),
        (53, 27),
        (38, 27),
        (38, 13),
        (0, 13),
    ),
    height=25.0,
    floor=CHAIRS_ON_STONE,
    ceiling=STONE,
    walls=STONE,
    relief=MASONRY_RELIEF,
    source=(44.0, 1.3, 2.5),
    microphones=(59.0, -0.8, 6.2),
    pair=Pair(spacing=0.6, angle=55.0),
    rt60=(8.6, 8.3, 7.9, 7.4, 5.8, 3.6, 1.9),
    temperature=12.0,
    humidity=70.0,
    order=6,
    seed=12,
)

HALL = Room(
    name="hall",
    title="Shoebox concert hall",
    description="After the large hall of the Vienna Musikverein, 19.1 m wide and 17.75 m high, its length set so that"
    " the box holds the hall's 15,000 m³; seats occupied, source at the conductor's place, pair above the stalls.",
    plan=((0, -9.55), (44.25, -9.55), (44.25, 9.55), (0, 9.55)),
    height=17.75,
    floor=AUDIENCE,
    ceiling=PLASTER_ON_LATH,
    walls=PLASTER_ON_LATH,
    relief=MASONRY_RELIEF,
    source=(7.0, 0.7, 1.9),
    microphones=(16.0, -0.4, 5.0),
    pair=Pair(spacing=0.45, angle=50.0),
    rt60=(2.25, 2.2, 2.1, 2.0, 1.85, 1.6, 1.1),
    temperature=20.0,
    humidity=50.0,
    order=10,
    seed=3,
    true_stereo=True,
)

CHAMBER = Room(
    name="chamber",
    title="Small chamber-music room",
    description="Irregular plan with no two walls parallel, plastered, wooden floor; source near one end, pair past"
    " the middle.",
    plan=((0, -3.3), (12.0, -4.1), (13.0, 3.6), (6.2, 4.4), (0.7, 3.5)),
    height=5.4,
    floor=WOOD_FLOOR,
    ceiling=PLASTER_ON_LATH,
    walls=LIMED_PLASTER,
    relief=FLAT_RELIEF,
    source=(2.6, 0.3, 1.5),
    microphones=(7.6, -0.2, 2.2),
    pair=Pair(spacing=0.4, angle=50.0),
    rt60=(1.3, 1.25, 1.2, 1.2, 1.12, 0.98, 0.75),
    temperature=20.0,
    humidity=50.0,
    order=8,
    seed=4,
)

ROOM = Room(
    name="room",
    title="Furnished studio room",
    description="A lived-in room with splayed walls, carpet and furniture.",
    plan=((0, -2.1), (5.6, -2.35), (5.75, 2.2), (0.2, 2.3)),
    height=2.75,
    floor=CARPET,
    ceiling=PLASTER_ON_LATH,
    walls=FURNISHED_WALL,
    relief=FLAT_RELIEF,
    source=(1.3, 0.4, 1.2),
    microphones=(3.4, -0.25, 1.45),
    pair=Pair(spacing=0.34, angle=50.0),
    rt60=(0.52, 0.48, 0.45, 0.43, 0.42, 0.4, 0.36),
    temperature=20.0,
    humidity=50.0,
    order=9,
    seed=32,
)

ROOMS = (CHURCH, CATHEDRAL, HALL, CHAMBER, ROOM)
