"""To what level a rendering is brought: by its peak, its loudness, that of its input, and under a ceiling."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from reverb.arrays import Audio
from reverb.errors import ParameterError
from reverb.levels import from_db, to_db
from reverb.render.loudness import LoudnessMeter, TruePeakMeter
from reverb.render.quantize import Meter

Normalize = Literal["none", "peak"]
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)
PEAK_TARGET_DB = -1.0
"""Where ``normalize="peak"`` brings the largest sample: below full scale, as peaks between samples are higher."""

_FULL_SCALE_DB = -0.001  # so that rounding cannot clip
_LOUDNESSES = (-70.0, 0.0)
_CEILINGS = (-60.0, 0.0)
LARGEST_GAIN_DB = 120.0


@dataclass(frozen=True, kw_only=True)
class Levelling:
    """The level that is asked for.

    Parameters
    ----------
    gain : float
        In dB; on top of what the input's loudness demands, and without effect where the final level is given.
    normalize : {'none', 'peak'}
        ``peak`` brings the largest sample to −1 dBFS.
    match_loudness : bool
        The integrated loudness becomes that of the input.
    loudness : float, optional
        The integrated loudness becomes this, in LUFS, −70 to 0.
    ceiling : float, optional
        The true peak stays at or under this, in dBTP, −60 to 0. Without it, a loudness that is asked for is reached as
        far as no sample goes beyond full scale.

    Raises
    ------
    ParameterError
        If a value is out of range, or two of them contradict each other.
    """

    gain: float = 0.0
    normalize: Normalize = "none"
    match_loudness: bool = False
    loudness: float | None = None
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if not self.gain <= LARGEST_GAIN_DB:
            raise ParameterError(f"gain {self.gain} dB; expected a number up to {LARGEST_GAIN_DB:g}")
        if self.normalize not in NORMALIZE:
            raise ParameterError(f"normalize {self.normalize!r}; expected one of {', '.join(NORMALIZE)}")
        for name, value, (low, high), unit in (
            ("loudness", self.loudness, _LOUDNESSES, "LUFS"),
            ("ceiling", self.ceiling, _CEILINGS, "dBTP"),
        ):
            if value is not None and not low <= value <= high:
                raise ParameterError(f"{name} {value:g} {unit}; expected {low:g} to {high:g} {unit}")
        if (self.normalize != "none") + self.match_loudness + (self.loudness is not None) > 1:
            raise ParameterError("normalize, match_loudness and loudness all set the level; give one of them")

    @property
    def measures(self) -> bool:
        """Whether the output has to be measured before it can be written."""
        return self.normalize != "none" or self.weighs

    @property
    def weighs(self) -> bool:
        """Whether loudness and true peak are measured."""
        return self.match_loudness or self.loudness is not None or self.ceiling is not None


class Measurement:
    """What a first pass finds out: `heard` takes blocks of the input, `watch` blocks of the output.

    Each may be called from a thread of its own.
    """

    def __init__(self, levelling: Levelling, sample_rate: int, inputs: int, outputs: int) -> None:
        self._asked = levelling
        self._peak = Meter()
        weighs = levelling.weighs
        self._input = LoudnessMeter(sample_rate, inputs) if weighs else None
        self._output = LoudnessMeter(sample_rate, outputs) if weighs else None
        self._true_peak = TruePeakMeter(outputs) if weighs else None

    def heard(self, block: Audio) -> None:
        """Take a block of the input into account."""
        if self._input is not None:
            self._input.watch(block)

    def watch(self, block: Audio) -> None:
        """Take a block of the output, without the gain, into account."""
        self._peak.watch(block)
        if self._output is not None and self._true_peak is not None:
            self._output.watch(block)
            self._true_peak.watch(block)

    def result(self) -> "Verdict":
        """Return the gain that the output needs, and what it is then like."""
        asked = self._asked
        input_loudness = self._input.integrated if self._input else -math.inf
        loudness = self._output.integrated if self._output else -math.inf
        true_peak = to_db(self._true_peak.finish()) if self._true_peak else -math.inf
        wanted = self._wanted(input_loudness, loudness)
        held = max(0.0, true_peak + wanted - asked.ceiling) if asked.ceiling is not None else 0.0
        if asked.ceiling is None and asked.weighs:
            held = max(0.0, to_db(self._peak.peak) + wanted - _FULL_SCALE_DB)
        gain = wanted - held
        if not asked.weighs:
            return Verdict(gain)
        return Verdict(gain, input_loudness, loudness + gain, true_peak + gain, held)

    def _wanted(self, input_loudness: float, loudness: float) -> float:
        """Return the gain in dB that is asked for, ceilings aside; that of a silent output is 0."""
        asked = self._asked
        if asked.normalize == "peak":
            return PEAK_TARGET_DB - to_db(self._peak.peak) if self._peak.peak > 0.0 else 0.0
        if asked.loudness is not None:
            return asked.loudness - loudness if loudness > -math.inf else 0.0
        if asked.match_loudness and loudness > -math.inf and input_loudness > -math.inf:
            return input_loudness - loudness + asked.gain
        return asked.gain


class Verdict(NamedTuple):
    """What follows from a first pass.

    Attributes
    ----------
    gain : float
        For the output, in dB.
    input_loudness, loudness : float or None
        Of input and output, in LUFS; −inf for silence.
    true_peak : float or None
        Of the output, in dBTP.
    held : float
        By how many dB the ceiling lowers it.
    """

    gain: float
    input_loudness: float | None = None
    loudness: float | None = None
    true_peak: float | None = None
    held: float = 0.0

    @property
    def factor(self) -> float:
        """The gain as a linear factor."""
        return from_db(self.gain)
