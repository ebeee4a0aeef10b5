"""Values per octave, 125 Hz to 8 kHz: absorption and scattering of surfaces, and decay times.

Absorption is that of the class of each material in the tables of Vorländer (2008, annex) and
Cox & D'Antonio (2017, appendix A).
"""

from collections.abc import Iterable, Mapping

import numpy as np

from reverb.checks import in_range, instance, is_number
from reverb.errors import ParameterError, UnknownNameError, shown

OCTAVES = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Centers in Hz of the octave bands for absorption, scattering and decay times."""
MIN_RT60_SECONDS, MAX_RT60_SECONDS = 0.05, 30.0

Bands = tuple[float, float, float, float, float, float, float]

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
"""Scattering by columns, vaults, moldings and pews in a historic interior."""
FLAT_RELIEF: Bands = (0.10, 0.15, 0.22, 0.30, 0.40, 0.45, 0.50)
"""Scattering by furniture, doors and shallow panels on plane walls."""

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
"""Absorption by name."""
RELIEFS: dict[str, Bands] = {"masonry": MASONRY_RELIEF, "flat": FLAT_RELIEF}
"""Scattering by name."""


def surface_bands(text: str, known: Mapping[str, Bands]) -> Bands:
    """Return seven coefficients from a name, one number for all octaves, or seven numbers separated by commas.

    Raises
    ------
    UnknownNameError
        If the text is neither a known name nor numbers.
    ParameterError
        If there are neither one nor seven numbers.

    Examples
    --------
    >>> surface_bands("carpet", MATERIALS)[0]
    0.05
    """
    instance("surface", text, str, "a name or numbers")
    if text in known:
        return known[text]
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UnknownNameError(
            f"no surface {text!r}; expected one of {', '.join(known)}, a coefficient from 0 to 1, or seven, "
            "125 Hz to 8 kHz"
        ) from None
    if len(shares) not in (1, 7):
        raise ParameterError(
            f"surface {text!r} has {len(shares)} numbers; expected 1, or 7 for 125 Hz to 8 kHz"
        )
    return as_bands(shares if len(shares) == 7 else shares * 7)


def octave_times(rt60: float | Mapping[float, float]) -> Bands:
    """Return the decay time per octave, 125 Hz to 8 kHz, in seconds.

    Parameters
    ----------
    rt60 : float or mapping of float to float
        Seconds, 0.05 to 30: for all octaves, or by octave center in Hz. Other octaves are interpolated linearly over
        log frequency between those given, and are equal to the nearest one outside.

    Raises
    ------
    ParameterError
        If a time or an octave is not allowed.
    """
    given = dict(rt60) if isinstance(rt60, Mapping) else dict.fromkeys(OCTAVES, rt60)
    if not given or not all(is_number(centre) for centre in given) or set(given) - set(OCTAVES):
        known = ", ".join(f"{centre:g}" for centre in OCTAVES)
        raise ParameterError(f"octaves {shown(repr(list(given)))} Hz; expected at least one of {known} Hz")
    for seconds in given.values():
        in_range("decay time", seconds, MIN_RT60_SECONDS, MAX_RT60_SECONDS, "s")
    points = sorted(given.items())
    octaves, logs = np.log2([hz for hz, _ in points]), np.log([seconds for _, seconds in points])
    return as_bands(np.exp(np.interp(np.log2(OCTAVES), octaves, logs)))


def as_bands(values: Iterable[float]) -> Bands:
    """Return seven numbers as a tuple of floats."""
    a, b, c, d, e, f, g = (float(value) for value in values)
    return a, b, c, d, e, f, g
