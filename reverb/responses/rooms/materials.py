"""What surfaces take of sound, and what they scatter.

Absorption per octave band 125 Hz to 8 kHz, of the materials' class in the tables of Vorländer (2008, annex) and Cox &
D'Antonio (2017, appendix A).
"""

from reverb.errors import ParameterError, UnknownNameError
from reverb.responses.rooms.room import Bands

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
