"""A room from everyday terms: sizes, names of surfaces, one decay time or several.

Absorption per octave band 125 Hz to 8 kHz is that of the materials' class in the tables of Vorländer (2008, annex)
and Cox & D'Antonio (2017, appendix A).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from reverb.checks import in_range
from reverb.errors import ParameterError, UnknownNameError
from reverb.responses.rooms.room import OCTAVES, Bands, Pair, Plan, Point, Room, shoebox

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

MATERIALS: dict[str, Bands] = {
    "stone": STONE,
    "plaster": LIMED_PLASTER,
    "lath-plaster": PLASTER_ON_LATH,
    "wood-floor": WOOD_FLOOR,
    "pews": PEWS_HALF_FULL,
    "chairs": CHAIRS_ON_STONE,
    "audience": AUDIENCE,
    "stage": STAGE_WITH_PLAYERS,
    "tiles": GLAZED_TILES,
    "carpet": CARPET,
    "furnished": FURNISHED_WALL,
}
"""The surfaces that have a name."""
RELIEFS: dict[str, Bands] = {"masonry": MASONRY_RELIEF, "flat": FLAT_RELIEF}
"""The scattering that has a name."""


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
    """Return a room.

    Parameters
    ----------
    size : (length, width, height), optional
        Of a rectangular room, in metres; else give `plan` and `height`.
    plan : tuple of (x, y), optional
        Corners of the floor in metres; either way round.
    height : float, optional
    walls, floor, ceiling, relief : str
        As `bands` takes them.
    rt60 : float or mapping of float to float, optional
        Seconds, for all octaves or by octave centre in Hz, to which the surfaces are tuned.
    source, microphones : (x, y, z), optional
        By default at a third and at two thirds of the length.
    spacing, angle, order, seed
        As `Pair` and `Room`.

    Raises
    ------
    ParameterError, UnknownNameError
        If something is missing, unknown or out of range.
    """
    if size is not None and plan is None:
        length, width, height = size
        corners = shoebox(length, width)
    elif plan is None or size is not None:
        raise ParameterError("expected either a size (12x8x4) or a plan with a height")
    else:
        if height is None:
            raise ParameterError("a plan has no height; give one in metres (--height 3)")
        corners = plan if _turns_left(plan) else plan[::-1]
    return Room(
        plan=corners,
        height=height,
        floor=bands(floor, MATERIALS),
        ceiling=bands(ceiling, MATERIALS),
        walls=bands(walls, MATERIALS),
        relief=bands(relief, RELIEFS),
        rt60=None if rt60 is None else octaves(rt60),
        source=_place(source, corners, height, 1 / 3, 0.54),
        microphones=_place(microphones, corners, height, 2 / 3, 0.48),
        pair=Pair(spacing=spacing, angle=angle),
        order=order,
        seed=seed,
    )


def octaves(rt60: float | Mapping[float, float]) -> Bands:
    """Return a decay time per octave, 125 Hz to 8 kHz: lines over log frequency between those that are named."""
    named = rt60 if isinstance(rt60, Mapping) else dict.fromkeys(OCTAVES, rt60)
    if not named or set(named) - set(OCTAVES):
        known = ", ".join(f"{centre:g}" for centre in OCTAVES)
        raise ParameterError(f"octaves {sorted(named)} Hz; expected at least one of {known} Hz")
    for seconds in named.values():
        in_range("decay time", seconds, 0.05, 30, "s")
    known_bands = sorted(named.items())
    at, logs = np.log2([hz for hz, _ in known_bands]), np.log([seconds for _, seconds in known_bands])
    a, b, c, d, e, f, g = (float(seconds) for seconds in np.exp(np.interp(np.log2(OCTAVES), at, logs)))
    return a, b, c, d, e, f, g


def _place(given: Sequence[float] | None, plan: Plan, height: float, along: float, across: float) -> Point:
    if given is not None:
        x, y, z = given
        return x, y, z
    corners = np.array(plan)
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y = low + (high - low) * (along, across)
    return float(x), float(y), min(1.6, 0.5 * height)


def _turns_left(plan: Plan) -> bool:
    x, y = np.array(plan).T
    return bool(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0)


def bands(text: str, known: dict[str, Bands]) -> Bands:
    """Return seven shares from a name, one number for all octaves, or seven numbers with commas between.

    Raises
    ------
    UnknownNameError
        If it is neither a known name nor numbers.
    ParameterError
        If there are neither one nor seven numbers.
    """
    if text in known:
        return known[text]
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UnknownNameError(
            f"no surface {text!r}; expected one of {', '.join(known)}, a share from 0 to 1, or seven, 125 Hz to 8 kHz"
        ) from None
    if len(shares) == 1:
        shares *= 7
    if len(shares) != 7:
        raise ParameterError(
            f"surface {text!r} has {len(shares)} numbers; expected 1, or 7 for 125 Hz to 8 kHz"
        )
    first, second, third, fourth, fifth, sixth, seventh = shares
    return first, second, third, fourth, fifth, sixth, seventh
