"""A room as a value: its walls, its air, a source, and a pair of microphones.

Lengths are in metres, z up from the floor. A plan is walked counter-clockwise.
"""

from dataclasses import dataclass

import numpy as np

from reverb.checks import in_range, whole
from reverb.errors import ParameterError

OCTAVES = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Centres in Hz of the octave bands in which absorption, scattering and decay times are given."""

Bands = tuple[float, float, float, float, float, float, float]
Point = tuple[float, float, float]
Plan = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two microphones, `spacing` metres apart, each turned outwards from the axis by `angle` degrees.

    `directivity` is the share of the pressure gradient: 0 hears all around, 0.5 is a cardioid, 1 a figure of eight.
    """

    spacing: float
    angle: float
    directivity: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room to be simulated.

    Attributes
    ----------
    plan : tuple of (x, y)
        Corners of the floor, counter-clockwise; the walls stand upright on it.
    height : float
        In metres.
    floor, ceiling, walls : Bands
        Absorbed share of energy per octave, 0 to 1.
    relief : Bands
        Scattered share.
    source, microphones : Point
        Where the sound starts, and the middle of the pair, which looks at the source.
    sides : float
        In true stereo, half the angle in degrees between the left and right source as the pair sees them.
    rt60 : Bands, optional
        T30 per octave in seconds that the surfaces are tuned to give; without, they are as they are.
    temperature, humidity : float
        In °C and percent.
    air : float
        How much of the air's absorption counts: 1 as in nature, 0 for none.
    order : int
        Reflections that image sources follow, before the diffuse field takes over.
    density : float
        How many waves make up the diffuse field, against a real one's.
    seed : int
        Of all chance.

    Raises
    ------
    ParameterError
        If the plan is no polygon, a position lies outside the room, or a share or length is out of range.
    """

    name: str = ""
    title: str = ""
    description: str = ""
    plan: Plan
    height: float
    floor: Bands
    ceiling: Bands
    walls: Bands
    relief: Bands
    source: Point
    microphones: Point
    pair: Pair
    rt60: Bands | None = None
    temperature: float = 20.0
    humidity: float = 50.0
    air: float = 1.0
    order: int = 8
    density: float = 1.0
    seed: int = 0
    true_stereo: bool = False
    sides: float = 30.0

    def __post_init__(self) -> None:
        if len(self.plan) < 3 or floor_area(self) <= 0:
            raise ParameterError("the plan has no floor; expected three corners or more, counter-clockwise")
        in_range("height", self.height, 0.5, 200, "m")
        for what in ("floor", "ceiling", "walls", "relief"):
            if not all(0 <= share <= 1 for share in getattr(self, what)):
                raise ParameterError(f"{what} {getattr(self, what)}; expected shares from 0 to 1")
        for what in ("source", "microphones"):
            if not _inside(self, getattr(self, what)):
                raise ParameterError(f"{what} at {getattr(self, what)} m; expected a place inside the room")
        whole("order", self.order, 1, 30, "reflections")


def shoebox(length: float, width: float) -> Plan:
    """Return the plan of a rectangular room with a corner at the origin."""
    return ((0.0, 0.0), (length, 0.0), (length, width), (0.0, width))


def _inside(room: Room, point: Point) -> bool:
    """Whether a point lies in the room: a ray along x crosses the walls an odd number of times."""
    x, y, z = point
    crossings = 0
    for (x1, y1), (x2, y2) in zip(room.plan, room.plan[1:] + room.plan[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1 and 0 < z < room.height


def mean_free_path(room: Room) -> float:
    """4 V / S in metres: how far sound travels between two reflections in a diffuse field."""
    return 4 * volume(room) / (2 * floor_area(room) + perimeter(room) * room.height)


def volume(room: Room) -> float:
    """Cubic metres of air."""
    return floor_area(room) * room.height


def floor_area(room: Room) -> float:
    """Square metres, by the shoelace formula."""
    x, y = np.array(room.plan).T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def perimeter(room: Room) -> float:
    """Metres around the floor."""
    corners = np.array(room.plan)
    return float(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1).sum())
