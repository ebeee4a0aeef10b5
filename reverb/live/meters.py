"""Level meters: the audio thread only keeps its blocks aside, any other thread takes them in and reads."""

import math
import threading
from dataclasses import dataclass

import numpy as np

from reverb.levels import to_db
from reverb.live.ring import Block

# IEC 60268-10: a type I peak meter falls 20 dB in 1.7 s. The rest is what studio meters usually do.
_FALL_DB_PER_SECOND = 20.0 / 1.7
_HOLD_SECONDS = 1.5
_RMS_SECONDS = 0.3
FULL_SCALE = 1.0
_MEMORY_SECONDS = 2.0  # a server that runs ahead of time brings them in a tenth of that
_AT_ONCE = 64  # blocks: the interpreter is not to be kept for long


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
    """Measures every block. `push` belongs to the audio thread, everything else to any other.

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

    Notes
    -----
    Block n lies at ``n mod`` the number of places, and ``_taken <= _written``. Whoever does not look for seconds misses
    the oldest blocks.
    """

    def __init__(self, channels: int, sample_rate: int, block_size: int) -> None:
        self.channels = channels
        seconds = block_size / sample_rate
        fall = 10.0 ** (-_FALL_DB_PER_SECOND * seconds / 20.0)
        follow = 1.0 - math.exp(-seconds / _RMS_SECONDS)
        hold_blocks = max(1, round(_HOLD_SECONDS / seconds))
        places = max(2, round(_MEMORY_SECONDS / seconds))
        # Filled, not only allocated: a page's first touch must not fall into a callback.
        self._blocks = np.full((places, block_size, channels), 0, np.float32)
        self._written = self._taken = 0
        self._lock = threading.Lock()  # between those who read; the audio thread does not know of it
        self._needles = [_Needle(fall, follow, hold_blocks) for _ in range(channels)]
        self.highest = 0.0
        self.clipped = 0

    def push(self, block: Block) -> None:
        """Keep a block (frames, channels) aside; it must be finite."""
        written = self._written
        self._blocks[written % len(self._blocks)] = block
        self._written = written + 1

    def follow(self) -> None:
        """Take in what has been pushed since the last time."""
        with self._lock:
            places, written = len(self._blocks), self._written
            taken = max(self._taken, written - places + 1)  # the oldest place may be written to right now
            while taken < written:
                first = taken % places
                count = min(written - taken, places - first, _AT_ONCE)
                self._measure(self._blocks[first : first + count])
                taken += count
            self._taken = written

    def _measure(self, blocks: Block) -> None:
        """Take in blocks ``(count, frames, channels)``."""
        peaks = np.abs(blocks).max(axis=1)
        powers = np.square(blocks, dtype=np.float64).mean(axis=1)
        for needle, own_peaks, own_powers in zip(self._needles, peaks.T, powers.T, strict=True):
            for peak, power in zip(own_peaks.tolist(), own_powers.tolist(), strict=True):
                needle.move(peak, power)
        self.highest = max(self.highest, float(peaks.max()))
        self.clipped += int(np.count_nonzero(peaks.max(axis=1) >= FULL_SCALE))

    def calm(self) -> None:
        """Forget what clipped."""
        self.follow()
        self.clipped = 0

    def go_on_counting(self, before: "LevelMeter") -> None:
        """Take over what another meter has counted."""
        before.follow()
        self.highest, self.clipped = before.highest, before.clipped

    def read(self) -> Level:
        """Return what the meter shows now."""
        self.follow()
        return Level(
            peak=tuple(to_db(needle.peak) for needle in self._needles),
            hold=tuple(to_db(needle.hold) for needle in self._needles),
            rms=tuple(to_db(math.sqrt(needle.power)) for needle in self._needles),
            highest=to_db(self.highest),
            clipped=self.clipped,
        )
