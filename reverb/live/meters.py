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
    """

    def __init__(self, channels: int, sample_rate: int, block_size: int) -> None:
        self.channels = channels
        seconds = block_size / sample_rate
        self._fall = np.float32(10.0 ** (-_FALL_DB_PER_SECOND * seconds / 20.0))
        self._keep = np.float32(math.exp(-seconds / _RMS_SECONDS))
        self._hold_blocks = max(1, round(_HOLD_SECONDS / seconds))
        self._share = np.float32((1.0 - self._keep) / block_size)
        self._scratch = np.empty((block_size, channels), np.float32)
        self._now, self._peak, self._hold, self._power, self._new_power = np.zeros((5, channels), np.float32)
        self._held = 0
        self.highest = 0.0
        self._clipped = 0

    def measure(self, block: Block) -> bool:
        """Take in a block (frames, channels); return False, and measure nothing, if it holds NaN or infinity."""
        scratch = self._scratch
        np.abs(block, out=scratch)
        np.maximum.reduce(scratch, axis=0, out=self._now)
        highest = float(self._now.max())  # NaN wins every maximum
        if not highest < math.inf:
            return False
        np.multiply(self._peak, self._fall, out=self._peak)
        np.maximum(self._peak, self._now, out=self._peak)
        self._held += 1
        if self._held >= self._hold_blocks:
            self._hold[:] = self._peak
            self._held = 0
        elif (self._now > self._hold).any():
            np.maximum(self._hold, self._now, out=self._hold)
            self._held = 0
        np.multiply(scratch, scratch, out=scratch)
        np.add.reduce(scratch, axis=0, out=self._new_power)
        np.multiply(self._new_power, self._share, out=self._new_power)
        np.multiply(self._power, self._keep, out=self._power)
        np.add(self._power, self._new_power, out=self._power)
        if highest > self.highest:
            self.highest = highest
        if highest >= FULL_SCALE:
            self._clipped += 1
        return True

    def calm(self) -> None:
        """Forget what clipped."""
        self._clipped = 0

    def read(self) -> Level:
        """Return what the meter shows now."""
        return Level(
            peak=tuple(to_db(float(value)) for value in self._peak),
            hold=tuple(to_db(float(value)) for value in self._hold),
            rms=tuple(to_db(math.sqrt(float(value))) for value in self._power),
            highest=to_db(self.highest),
            clipped=self._clipped,
        )
