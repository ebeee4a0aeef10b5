"""Level meters that the audio thread feeds and any other thread may read."""

import math
from dataclasses import dataclass

import numpy as np

from reverb.levels import to_db
from reverb.live.ring import Block

# IEC 60268-10: a type I peak meter falls 20 dB in 1.7 s. The rest is what studio meters usually do.
_FALL_DB_PER_SECOND = 20.0 / 1.7
_HOLD_SECONDS = 1.5
_RMS_SECONDS = 0.3
FULL_SCALE = 1.0
_BROKEN = 1e16  # no sound is 320 dB over full scale, and its square is no float32 any more


@dataclass(frozen=True)
class Level:
    """What a meter shows, each value a tuple of one number per channel, in dBFS.

    Attributes
    ----------
    peak : tuple of float
        Falling by 20 dB in 1.7 s.
    hold : tuple of float
        The highest peak, kept for 1.5 s.
    rms : tuple of float
        Over 0.3 s; a full-scale sine reads −3.
    highest : float
        The highest sample since the start, over all channels.
    clipped : int
        Blocks that reached full scale.
    """

    peak: tuple[float, ...]
    hold: tuple[float, ...]
    rms: tuple[float, ...]
    highest: float
    clipped: int


class _Needle:
    """One channel's meter."""

    def __init__(self, fall: float, follow: float, hold_blocks: int) -> None:
        self._fall, self._follow, self._hold_blocks = fall, follow, hold_blocks
        self.peak = self.hold = self.power = 0.0
        self._held = 0

    def move(self, peak: float, power: float) -> None:
        """Take in a block's largest sample and its mean square."""
        self.peak = max(peak, self.peak * self._fall)
        self.power += self._follow * (power - self.power)
        self._held += 1
        if peak > self.hold or self._held >= self._hold_blocks:
            self.hold, self._held = self.peak, 0


class LevelMeter:
    """Measures every block; its arrays are made once.

    Parameters
    ----------
    channels, sample_rate, block_size : int

    Attributes
    ----------
    channels : int
    highest : float
        Largest absolute sample so far.
    clipped : int
        Blocks that reached full scale, since the last `calm`.
    """

    def __init__(self, channels: int, sample_rate: int, block_size: int) -> None:
        self.channels = channels
        seconds = block_size / sample_rate
        fall = 10.0 ** (-_FALL_DB_PER_SECOND * seconds / 20.0)
        follow = 1.0 - math.exp(-seconds / _RMS_SECONDS)
        hold_blocks = max(1, round(_HOLD_SECONDS / seconds))
        # Channel by channel, where NumPy is quickest; below 500 samples it keeps the interpreter's lock, too.
        self._planar = np.empty((channels, block_size), np.float32)
        self._peaks, self._powers = np.zeros((2, channels), np.float32)
        self._needles = [_Needle(fall, follow, hold_blocks) for _ in range(channels)]
        self.highest = 0.0
        self.clipped = 0

    def measure(self, block: Block) -> bool:
        """Take in a block (frames, channels); return False, and measure nothing, if it is broken (NaN, infinity)."""
        planar = self._planar
        np.abs(block.T, out=planar)
        np.maximum.reduce(planar, axis=1, out=self._peaks)
        peaks = self._peaks.tolist()
        for peak in peaks:
            if not peak < _BROKEN:  # NaN wins every maximum
                return False
        np.multiply(planar, planar, out=planar)
        np.add.reduce(planar, axis=1, out=self._powers)
        for needle, peak, power in zip(self._needles, peaks, self._powers.tolist(), strict=True):
            needle.move(peak, power / len(block))
        highest = max(peaks)
        if highest > self.highest:
            self.highest = highest
        if highest >= FULL_SCALE:
            self.clipped += 1
        return True

    def calm(self) -> None:
        """Forget what clipped."""
        self.clipped = 0

    def go_on_counting(self, before: "LevelMeter") -> None:
        """Take over what another meter has counted."""
        self.highest, self.clipped = before.highest, before.clipped

    def read(self) -> Level:
        """Return what the meter shows now."""
        return Level(
            peak=tuple(to_db(needle.peak) for needle in self._needles),
            hold=tuple(to_db(needle.hold) for needle in self._needles),
            rms=tuple(to_db(math.sqrt(needle.power)) for needle in self._needles),
            highest=to_db(self.highest),
            clipped=self.clipped,
        )
