"""The settings of a rendering: one frozen value from `process_file` and `process_files` down to each pass."""

import math
from dataclasses import dataclass
from typing import TypedDict

from reverb.audiofiles.files import output_format
from reverb.checks import flag, in_range, instance, one_of
from reverb.choices import NORMALIZE, Normalize
from reverb.errors import ParameterError

MAX_GAIN_DB = 120.0
_RANGES = {
    "gain": (-math.inf, MAX_GAIN_DB, "dB"),
    "loudness": (-70.0, 0.0, "LUFS"),
    "ceiling": (-60.0, 0.0, "dBTP"),
    "floor_db": (-math.inf, 0.0, "dB"),
}


class RenderKeywords(TypedDict, total=False):
    """The fields of `RenderSettings` as keyword arguments, for signatures."""

    tail: bool
    gain: float
    normalize: Normalize
    match_loudness: bool
    loudness: float | None
    ceiling: float | None
    floor_db: float | None
    container: str | None
    subtype: str | None
    dither: bool | None


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """The settings that determine the samples and the format of an output.

    The fields are parameters of `reverb.process_file` and are described there. Numbers are kept as floats, so that
    equal settings are equal in a report, too.

    Raises
    ------
    ParameterError
        If a value is out of range, or two of them contradict each other.
    """

    tail: bool = True
    gain: float = 0.0
    normalize: Normalize = "none"
    match_loudness: bool = False
    loudness: float | None = None
    ceiling: float | None = None
    floor_db: float | None = None
    container: str | None = None
    subtype: str | None = None
    dither: bool | None = None

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _RANGES.items():
            value = getattr(self, name)
            if value is not None or name == "gain":
                object.__setattr__(self, name, in_range(name, value, low, high, unit))
        one_of("normalize", self.normalize, NORMALIZE)
        for name in ("tail", "match_loudness"):
            flag(name, getattr(self, name))
        if self.dither is not None:
            instance("dither", self.dither, bool, "True, False, or None for 16 bits and fewer")
        if self.container is not None:
            output_format("", self.container)
        if self.subtype is not None:
            instance("subtype", self.subtype, str, "a name such as 'PCM_16', or None for the source's own")
        if (self.normalize != "none") + self.match_loudness + (self.loudness is not None) > 1:
            raise ParameterError("normalize, match_loudness and loudness all set the level; give one of them")

    @property
    def needs_first_pass(self) -> bool:
        """Whether the output is measured before it is written."""
        return self.normalize != "none" or self.needs_loudness

    @property
    def needs_loudness(self) -> bool:
        """Whether loudness and true peak are measured."""
        return self.match_loudness or self.loudness is not None or self.ceiling is not None
