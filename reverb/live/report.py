"""What a session tells about itself."""

from dataclasses import dataclass

from reverb.live.meters import Level
from reverb.live.timing import Load


@dataclass(frozen=True, kw_only=True)
class Meters:
    """What the meters show now.

    Attributes
    ----------
    input, output : Level
    load : float
        Callback time as a share of the block's, over about the last hundred callbacks.
    """

    input: Level
    output: Level
    load: float


@dataclass(frozen=True, kw_only=True)
class Stats:
    """What has happened since the start.

    Attributes
    ----------
    seconds : float
        Played so far.
    sample_rate, block_size : int
    card_latency : float
        Seconds from input to output as the card states them, 0 where it does not know; `measure_latency` measures.
    effect_latency : int
        Frames that the effect itself is late by: 0, but for linear-phase filters.
    overflows, underflows : int
        Blocks before which the card dropped input, or had nothing to play.
    xruns : int
        Blocks with either.
    load : Load
    input, output : Level
    limited : int
        Samples that the limiter held below full scale.
    bad_blocks : int
        Blocks with NaN or infinity, played as silence.
    howls : int
    recorded, lost : int
        Frames on disk, and frames that the disk was too slow for.
    starved : int
        Blocks that the input file was read too slowly for.
    """

    seconds: float
    sample_rate: int
    block_size: int
    card_latency: float
    effect_latency: int
    overflows: int
    underflows: int
    xruns: int
    load: Load
    input: Level
    output: Level
    limited: int
    bad_blocks: int
    howls: int
    recorded: int
    lost: int
    starved: int


@dataclass
class Xruns:
    """Counts the card's complaints."""

    overflows: int = 0
    underflows: int = 0
    blocks: int = 0

    def reset(self) -> None:
        """Begin anew."""
        self.overflows = self.underflows = self.blocks = 0

    def note(self, status: object) -> None:
        """Take in the status of a callback: PortAudio's flags, by sounddevice's names."""
        overflow = bool(getattr(status, "input_overflow", False))
        underflow = bool(getattr(status, "output_underflow", False))
        self.overflows += overflow
        self.underflows += underflow
        self.blocks += overflow or underflow
