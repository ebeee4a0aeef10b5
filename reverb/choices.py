"""The words that arguments accept, as types and as tuples.

They are apart from the modules that use them because those import NumPy, and `reverb COMMAND --help` does not.
"""

from typing import Literal, TypeAlias, get_args

Layout: TypeAlias = Literal["mono", "stereo", "true-stereo"]
"""Layouts into which a response can be converted."""
PlateLayout: TypeAlias = Literal["mono", "stereo"]
"""Layouts of a plate reverberator."""
Level: TypeAlias = Literal["loudness", "energy", "peak", "none"]
"""Quantities by which a response is normalized before mixing."""
GainMode: TypeAlias = Literal["none", "peak", "energy", "loudness", "peak-safe"]
"""Levels to which a response can be set."""
BandSet: TypeAlias = Literal["octave", "third", "broadband"]
"""Bands in which the acoustic figures are measured."""
Phase: TypeAlias = Literal["linear", "minimum", "mixed"]
"""Phase of a filter."""
Method: TypeAlias = Literal["kaiser", "least-squares", "equiripple"]
"""Ways to design a filter to a specification."""
Weight: TypeAlias = Literal["A", "C", "K"]
"""Frequency weightings."""
Normalize: TypeAlias = Literal["none", "peak"]
"""Levels to which an output is scaled."""
Transition: TypeAlias = Literal["crossfade", "spillover"]
"""Ways to change the response of a live session; the engine, which knows arrays only, names them itself."""

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
PLATE_LAYOUTS: tuple[PlateLayout, ...] = get_args(PlateLayout)
LEVELS: tuple[Level, ...] = get_args(Level)
GAIN_MODES: tuple[GainMode, ...] = get_args(GainMode)
BAND_SETS: tuple[BandSet, ...] = get_args(BandSet)
PHASES: tuple[Phase, ...] = get_args(Phase)
METHODS: tuple[Method, ...] = get_args(Method)
WEIGHTS: tuple[Weight, ...] = get_args(Weight)
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)
TRANSITIONS: tuple[Transition, ...] = get_args(Transition)
