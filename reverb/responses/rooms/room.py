"""A room as a value: walls, air, a source, and a pair of microphones.

Lengths are in meters, z is upwards from the floor. The corners of a floor plan are in counterclockwise order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reverb.arrays import Array
from reverb.checks import in_range, instance, is_number, one_of, whole
from reverb.choices import Layout
from reverb.errors import ParameterError, shown
from reverb.responses.layouts import LAYOUTS
from reverb.responses.rooms.materials import MATERIALS, RELIEFS, Bands, octave_times, surface_bands

Point = tuple[float, float, float]
Plan = tuple[tuple[float, float], ...]

MAX_ORDER = 30
"""Largest number of reflections of an image source."""
_MIN_HEIGHT, _MAX_HEIGHT = 0.5, 200.0


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two microphones, `spacing` meters apart, each turned outwards from the axis by `angle` degrees.

    `directivity` is the share of the pressure gradient: 0 is omnidirectional, 0.5 a cardioid, 1 a figure of eight.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """

    spacing: float
    angle: float
    directivity: float = 0.5

    def __post_init__(self) -> None:
        in_range("spacing", self.spacing, 0, 10, "m")
        in_range("angle", self.angle, -180, 180, "degrees")
        in_range("directivity", self.directivity, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room to be simulated.

    Attributes
    ----------
    plan : tuple of (x, y)
        Corners of the floor, counterclockwise; the walls are vertical.
    height : float
        In meters, 0.5 to 200.
    floor, ceiling, walls : Bands
        Absorbed share of energy per octave, 0 to 1.
    relief : Bands
        Scattered share of the reflected energy per octave, 0 to 1.
    source, microphones : Point
        Positions of the source, and of the center of the pair, which faces the source.
    sides : float
        In true stereo, half the angle in degrees between the left and right source, seen from the pair.
    rt60 : Bands, optional
        Target T30 per octave in seconds, to which the absorption of the surfaces is adjusted.
    temperature, humidity : float
        In °C, −50 to 60, and percent, 0 to 100.
    air : float
        Factor of the absorption by air: 1 is natural, 0 none.
    order : int
        Number of reflections of image sources, 1 to 30; later reflections belong to the diffuse field.
    density : float
        Number of waves in the diffuse field re that of a real one.
    seed : int
        Seed of the random numbers.

    Raises
    ------
    ParameterError
        If the plan is not a polygon, a position is outside the room, or a value is out of range.
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
        if _checked_plan(self.plan) is None or floor_area(self) <= 0:
            raise ParameterError("the plan has no floor; expected three corners or more, counterclockwise")
        in_range("height", self.height, _MIN_HEIGHT, _MAX_HEIGHT, "m")
        for what in ("floor", "ceiling", "walls", "relief"):
            values = getattr(self, what)
            if not _numbers(values, 7) or not all(0 <= share <= 1 for share in values):
                raise ParameterError(f"{what} {shown(repr(values))}; expected seven shares from 0 to 1")
        for what in ("source", "microphones"):
            place = getattr(self, what)
            if not _numbers(place, 3) or not _inside(self, place):
                raise ParameterError(f"{what} at {shown(repr(place))} m; expected a place inside the room")
        instance("pair", self.pair, Pair, "a Pair")
        if self.rt60 is not None and not _numbers(self.rt60, 7):
            raise ParameterError(f"rt60 {shown(repr(self.rt60))}; expected seven decay times in seconds")
        for seconds in self.rt60 or ():
            in_range("decay time", seconds, 0.001, 1000, "s")
        in_range("temperature", self.temperature, -50, 60, "°C")
        in_range("humidity", self.humidity, 0, 100, "%")
        in_range("air", self.air, 0, 100)
        whole("order", self.order, 1, MAX_ORDER, "reflections")
        in_range("density", self.density, 0.001, 100)
        whole("seed", self.seed, 0, (1 << 64) - 1)
        in_range("sides", self.sides, -180, 180, "degrees")


def build(
    *,
    size: Sequence[float] | None = None,
    plan: Plan | None = None,
    height: float | None = None,
    walls: str = "plaster",
    floor: str = "wood-floor",
    ceiling: str = "plaster",
    relief: str = "flat",
    rt60: float | Mapping[float, float] | None = None,
    source: Sequence[float] | None = None,
    microphones: Sequence[float] | None = None,
    spacing: float = 0.4,
    angle: float = 50.0,
    order: int = 8,
    seed: int = 0,
) -> Room:
    """Return a room from sizes, names of surfaces, and decay times.

    Parameters
    ----------
    size : (length, width, height), optional
        Of a rectangular room, in meters; otherwise give `plan` and `height`.
    plan : tuple of (x, y), optional
        Corners of the floor in meters, in either direction.
    height : float, optional
        In meters.
    walls, floor, ceiling, relief : str
        Absorption of the surfaces and scattering of all, see `surface_bands`.
    rt60 : float or mapping of float to float, optional
        Target decay times in seconds, see `octave_times`.
    source, microphones : (x, y, z), optional
        By default at a third and at two thirds of the length.
    spacing, angle, order, seed
        See `Pair` and `Room`.

    Raises
    ------
    ParameterError, UnknownNameError
        If a value is missing, unknown or out of range.

    Examples
    --------
    >>> volume(build(size=(8, 5, 3), floor="carpet", rt60=0.4))
    120.0
    """
    if size is not None and plan is None:
        if not _numbers(size, 3):
            raise ParameterError(f"size {shown(repr(size))}; expected length, width and height in meters")
        length, width, height = size
        corners = shoebox(length, width)
    elif plan is None or size is not None:
        raise ParameterError("expected either a size (12x8x4) or a plan with a height")
    else:
        if height is None:
            raise ParameterError("a plan has no height; give one in meters (--height 3)")
        checked = _checked_plan(plan)
        if checked is None:
            raise ParameterError(
                f"plan {shown(repr(plan))}; expected three corners (x, y) or more, in meters"
            )
        corners = checked if _is_counterclockwise(checked) else checked[::-1]
    height = in_range("height", height, _MIN_HEIGHT, _MAX_HEIGHT, "m")
    return Room(
        plan=corners,
        height=height,
        floor=surface_bands(floor, MATERIALS),
        ceiling=surface_bands(ceiling, MATERIALS),
        walls=surface_bands(walls, MATERIALS),
        relief=surface_bands(relief, RELIEFS),
        rt60=None if rt60 is None else octave_times(rt60),
        source=_place("source", source, corners, height, 1 / 3, 0.54),
        microphones=_place("microphones", microphones, corners, height, 2 / 3, 0.48),
        pair=Pair(spacing=spacing, angle=angle),
        order=order,
        seed=seed,
    )


def shoebox(length: float, width: float) -> Plan:
    """Return the plan of a rectangular room with a corner at the origin."""
    return ((0.0, 0.0), (length, 0.0), (length, width), (0.0, width))


def volume(room: Room) -> float:
    """Return the volume in cubic meters."""
    return floor_area(room) * room.height


def floor_area(room: Room) -> float:
    """Return the area of the floor in square meters, by the shoelace formula."""
    x, y = np.array(room.plan).T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def perimeter(room: Room) -> float:
    """Return the perimeter of the floor in meters."""
    corners = np.array(room.plan)
    return float(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1).sum())


def mean_free_path(room: Room) -> float:
    """Return 4 V / S in meters, the mean distance between two reflections in a diffuse field."""
    return 4 * volume(room) / (2 * floor_area(room) + perimeter(room) * room.height)


def with_microphones(room: Room, layout: Layout) -> Room:
    """Return the room with the microphones of a layout: for mono one omnidirectional, at the center of the pair."""
    one_of("layout", layout, LAYOUTS)
    return replace(room, pair=Pair(spacing=0.0, angle=0.0, directivity=0.0)) if layout == "mono" else room


def sensitivity(directions: Array, axis: Array, directivity: float) -> Array:
    """Return the gain for sound from unit vectors of shape (n, 3): (1 + cos) / 2 for a cardioid, directivity 0.5."""
    return np.asarray((1 - directivity) + directivity * (directions @ axis))


def capsules(room: Room) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return the position and the axis of the left and the right capsule."""
    centre = np.array(room.microphones)
    forward, left = _horizontal_axes(room)
    turn = np.radians(room.pair.angle)
    ahead, aside = np.cos(turn) * forward, np.sin(turn) * left
    half = 0.5 * room.pair.spacing * left
    return (centre + half, ahead + aside), (centre - half, ahead - aside)


def source_positions(room: Room) -> tuple[Array, Array, Array]:
    """Return source positions in the center, on the left and on the right, at equal distances from the pair."""
    centre = np.array(room.microphones)
    source = np.array(room.source)
    forward, left = _horizontal_axes(room)
    reach = np.hypot(*(source - centre)[:2])
    turn = np.radians(room.sides)
    lift = np.array([0, 0, source[2] - centre[2]])
    ahead, aside = reach * np.cos(turn) * forward, reach * np.sin(turn) * left
    return source, centre + lift + ahead + aside, centre + lift + ahead - aside


def _horizontal_axes(room: Room) -> tuple[Array, Array]:
    """Return horizontal unit vectors from the pair to the source, and to the left of that."""
    forward = np.subtract(room.source, room.microphones)
    forward[2] = 0
    forward /= np.linalg.norm(forward)
    return forward, np.array([-forward[1], forward[0], 0])


def _inside(room: Room, point: Point) -> bool:
    """Return whether a point is in the room: a ray along x crosses the walls an odd number of times."""
    x, y, z = point
    crossings = 0
    for (x1, y1), (x2, y2) in zip(room.plan, room.plan[1:] + room.plan[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1 and 0 < z < room.height


def _place(
    name: str, given: Sequence[float] | None, plan: Plan, height: float, along: float, across: float
) -> Point:
    """Return a given position, or else one at shares of the length and width of the plan."""
    if given is not None:
        if not _numbers(given, 3):
            raise ParameterError(f"{name} at {shown(repr(given))}; expected x, y and z in meters")
        x, y, z = given
        return x, y, z
    corners = np.array(plan)
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y = low + (high - low) * (along, across)
    return float(x), float(y), min(1.6, 0.5 * height)


def _is_counterclockwise(plan: Plan) -> bool:
    x, y = np.array(plan).T
    return bool(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0)


def _checked_plan(plan: object) -> Plan | None:
    """Return a plan as a tuple, or None unless it has three corners of two numbers each or more."""
    if not isinstance(plan, Sequence) or len(plan) < 3 or not all(_numbers(corner, 2) for corner in plan):
        return None
    return tuple(plan)


def _numbers(values: object, count: int) -> bool:
    """Return whether a value is a sequence of so many finite numbers."""
    if not isinstance(values, Sequence | np.ndarray) or len(values) != count:
        return False
    return all(is_number(value) and np.isfinite(value) for value in values)
