"""A room from what people say of it: sizes, names of surfaces, one decay time or several."""

from collections.abc import Mapping, Sequence

import numpy as np

from reverb.errors import ParameterError
from reverb.responses.rooms.materials import MATERIALS, RELIEFS, bands
from reverb.responses.rooms.room import OCTAVES, Bands, Pair, Plan, Point, Room, shoebox


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
        As `materials.bands` takes them.
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
    if (size is None) == (plan is None):
        raise ParameterError("expected either a size (12x8x4) or a plan with a height")
    if size is not None:
        length, width, height = size
        corners = shoebox(length, width)
    else:
        assert plan is not None
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
        if not 0.05 <= seconds <= 30:
            raise ParameterError(f"decay time {seconds:g} s; expected 0.05 to 30 s")
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
