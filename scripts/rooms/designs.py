"""The rooms: geometry, surfaces, positions and the decay times they are built to have.

Lengths are in metres, x along the room's axis, z up from the floor. A plan is walked counter-clockwise.
Absorption is per octave band 125 Hz to 8 kHz, of the materials' class in the tables of Vorländer (2008,
annex) and Cox & D'Antonio (2017, appendix A).
"""

from dataclasses import dataclass

OCTAVES = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Centres in Hz of the octave bands in which absorption, scattering and decay times are given."""

Bands = tuple[float, float, float, float, float, float, float]
Point = tuple[float, float, float]

STONE: Bands = (0.02, 0.03, 0.03, 0.04, 0.05, 0.06, 0.07)
LIMED_PLASTER: Bands = (0.04, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09)
PLASTER_ON_LATH: Bands = (0.14, 0.10, 0.06, 0.05, 0.05, 0.05, 0.05)
WOOD_FLOOR: Bands = (0.15, 0.11, 0.10, 0.07, 0.06, 0.07, 0.07)
PEWS_HALF_FULL: Bands = (0.20, 0.25, 0.31, 0.35, 0.37, 0.35, 0.33)
CHAIRS_ON_STONE: Bands = (0.06, 0.08, 0.12, 0.15, 0.17, 0.17, 0.17)
AUDIENCE: Bands = (0.39, 0.57, 0.70, 0.77, 0.80, 0.80, 0.78)
STAGE_WITH_PLAYERS: Bands = (0.25, 0.30, 0.35, 0.40, 0.45, 0.45, 0.45)
GLAZED_TILES: Bands = (0.03, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08)
CARPET: Bands = (0.05, 0.10, 0.20, 0.30, 0.40, 0.50, 0.55)
FURNISHED_WALL: Bands = (0.20, 0.20, 0.18, 0.18, 0.20, 0.22, 0.24)

MASONRY_RELIEF: Bands = (0.15, 0.25, 0.35, 0.45, 0.55, 0.60, 0.60)
"""Columns, vaults, mouldings, pews: what a historic interior scatters."""
FLAT_RELIEF: Bands = (0.10, 0.15, 0.22, 0.30, 0.40, 0.45, 0.50)
"""Furniture, doors and shallow panels on plane walls."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two cardioids, `spacing` metres apart, each turned outwards from the axis by `angle` degrees."""

    spacing: float
    angle: float


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room to be simulated.

    Attributes
    ----------
    plan : tuple of (x, y)
        Corners of the floor, counter-clockwise; the walls stand upright on it.
    source, microphones : Point
        Where the sound starts, and the middle of the pair, which looks at the source.
    sides : float
        In true stereo, half the angle in degrees between the left and right source as the pair sees them.
    rt60 : Bands
        T30 per octave in seconds that the surfaces are tuned to give.
    """

    name: str
    title: str
    description: str
    plan: tuple[tuple[float, float], ...]
    height: float
    floor: Bands
    ceiling: Bands
    walls: Bands
    relief: Bands
    source: Point
    microphones: Point
    pair: Pair
    rt60: Bands
    temperature: float
    humidity: float
    order: int
    seed: int
    true_stereo: bool = False
    sides: float = 30.0


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
