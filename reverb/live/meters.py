"""Measurements of a running session: levels, callback times, and xruns.

The audio thread only stores blocks and counts; the computing is done by the threads that read.
"""

import math
import threading
from dataclasses import dataclass

import numpy as np

from reverb.arrays import Block
from reverb.levels import to_db

# IEC 60268-10: a type I peak meter falls by 20 dB in 1.7 s. The other constants are common in studio meters.
_FALL_DB_PER_SECOND = 20.0 / 1.7
_HOLD_SECONDS = 1.5
_RMS_SECONDS = 0.3
_FULL_SCALE = 1.0
_MEMORY_SECONDS = 2.0  # a server that runs faster than real time fills this in 0.2 s
_MAX_BLOCKS_AT_ONCE = 64  # bounds the time for which NumPy keeps the interpreter
_BINS_PER_PERIOD = 400
_PERIODS = 4


@dataclass(frozen=True)
class Level:
    """The reading of a level meter in dBFS; tuples have one number per channel.

    Attributes
    ----------
    peak : tuple of float
        Falls by 20 dB in 1.7 s.
    hold : tuple of float
        The highest peak, held for 1.5 s.
    rms : tuple of float
        Over 0.3 s; a full-scale sine reads −3.
    highest : float
        The highest sample of all channels since the start.
    clipped : int
        Blocks that reached full scale.
    """

    peak: tuple[float, ...]
    hold: tuple[float, ...]
    rms: tuple[float, ...]
    highest: float
    clipped: int


@dataclass(frozen=True)
class Load:
    """Callback times as fractions of the period, which is the length of a block; 1.0 is the deadline.

    Attributes
    ----------
    callbacks : int
        Number of callbacks.
    mean, p50, p99, p999, worst : float
        Mean, percentiles, and maximum.
    late : int
        Callbacks that took longer than the period.
    """

    callbacks: int
    mean: float
    p50: float
    p99: float
    p999: float
    worst: float
    late: int


@dataclass(frozen=True, kw_only=True)
class Meters:
    """Current readings.

    Attributes
    ----------
    input, output : Level
    load : float
        Callback time as a fraction of the period, averaged over about a hundred callbacks.
    """

    input: Level
    output: Level
    load: float


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Figures of a session since its start.

    Attributes
    ----------
    seconds : float
        Time played.
    sample_rate, block_size : int
    card_latency : float
        Seconds from input to output as stated by the card, 0 if unknown; see `measure_latency`.
    effect_latency : int
        Frames by which the effect is late: 0, except for linear-phase filters.
    overflows, underflows : int
        Blocks before which the card dropped input, or ran out of output.
    xruns : int
        Blocks with either.
    load : Load
    input, output : Level
    limited : int
        Samples that the limiter reduced.
    bad_blocks : int
        Blocks with NaN or infinity, played as silence.
    howls : int
        Times at which the feedback guard turned the output down.
    recorded, lost : int
        Recorded frames on disk, and frames dropped because the disk was too slow.
    starved : int
        Blocks of the input file that were not read in time.
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


class _ChannelMeter:
    """Peak, hold and mean power of one channel."""

    def __init__(self, fall: float, follow: float, hold_blocks: int) -> None:
        self._fall, self._follow, self._hold_blocks = fall, follow, hold_blocks
        self.peak = self.hold = self.power = 0.0
        self._held = 0

    def update(self, peak: float, power: float) -> None:
        """Update the readings with the largest sample and the mean square of a block."""
        self.peak = max(peak, self.peak * self._fall)
        self.power += self._follow * (power - self.power)
        self._held += 1
        if peak > self.hold or self._held >= self._hold_blocks:
            self.hold, self._held = self.peak, 0


class LevelMeter:
    """Measures every block. `push` belongs to the audio thread, everything else to other threads.

    Parameters
    ----------
    channels, sample_rate, block_size : int

    Attributes
    ----------
    highest : float
        Largest absolute sample so far.
    clipped : int
        Blocks that reached full scale since the last `clear_clips`.

    Notes
    -----
    Invariant: block n is stored at ``n mod len(_blocks)``, and ``_measured <= _written``. After two seconds without an
    `update`, the oldest blocks are not measured.
    """

    def __init__(self, channels: int, sample_rate: int, block_size: int) -> None:
        seconds = block_size / sample_rate
        fall = 10.0 ** (-_FALL_DB_PER_SECOND * seconds / 20.0)
        follow = 1.0 - math.exp(-seconds / _RMS_SECONDS)
        hold_blocks = max(1, round(_HOLD_SECONDS / seconds))
        places = max(2, round(_MEMORY_SECONDS / seconds))
        # Filled, not only allocated: the first access to a page must not fall into a callback.
        self._blocks = np.full((places, block_size, channels), 0, np.float32)
        self._written = self._measured = 0
        self._lock = threading.Lock()  # between reading threads only
        self._channels = [_ChannelMeter(fall, follow, hold_blocks) for _ in range(channels)]
        self.highest = 0.0
        self.clipped = 0

    def push(self, block: Block) -> None:
        """Store a block (frames, channels) of finite samples."""
        written = self._written
        self._blocks[written % len(self._blocks)] = block
        self._written = written + 1

    def update(self) -> None:
        """Measure the blocks that have been stored since the last update."""
        with self._lock:
            places, written = len(self._blocks), self._written
            # The audio thread may be writing to the oldest place.
            measured = max(self._measured, written - places + 1)
            while measured < written:
                first = measured % places
                count = min(written - measured, places - first, _MAX_BLOCKS_AT_ONCE)
                self._measure(self._blocks[first : first + count])
                measured += count
            self._measured = written

    def _measure(self, blocks: Block) -> None:
        """Measure blocks of shape ``(count, frames, channels)``."""
        peaks = np.abs(blocks).max(axis=1)
        powers = np.square(blocks, dtype=np.float64).mean(axis=1)
        for meter, own_peaks, own_powers in zip(self._channels, peaks.T, powers.T, strict=True):
            for peak, power in zip(own_peaks.tolist(), own_powers.tolist(), strict=True):
                meter.update(peak, power)
        self.highest = max(self.highest, float(peaks.max()))
        self.clipped += int(np.count_nonzero(peaks.max(axis=1) >= _FULL_SCALE))

    def clear_clips(self) -> None:
        """Set the count of clipped blocks to zero."""
        self.update()
        self.clipped = 0

    def carry_counts_from(self, before: "LevelMeter") -> None:
        """Continue the counts of another meter."""
        before.update()
        self.highest, self.clipped = before.highest, before.clipped

    def read(self) -> Level:
        """Return the current reading."""
        self.update()
        return Level(
            peak=tuple(to_db(meter.peak) for meter in self._channels),
            hold=tuple(to_db(meter.hold) for meter in self._channels),
            rms=tuple(to_db(math.sqrt(meter.power)) for meter in self._channels),
            highest=to_db(self.highest),
            clipped=self.clipped,
        )


class CallbackTimes:
    """A histogram of callback times.

    Attributes
    ----------
    load : float
        Callback time as a fraction of the period, averaged over about a hundred callbacks.
    """

    def __init__(self, sample_rate: int) -> None:
        self._per_frame = sample_rate / 1e9
        self._counts = np.zeros(_BINS_PER_PERIOD * _PERIODS + 1, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget all callbacks."""
        self._counts[:] = 0
        self.load = 0.0
        self._worst = 0.0
        self._sum = 0.0

    def add(self, nanoseconds: int, frames: int) -> None:
        """Count one callback; called by the audio thread."""
        share = nanoseconds * self._per_frame / frames
        self._counts[min(int(share * _BINS_PER_PERIOD), _BINS_PER_PERIOD * _PERIODS)] += 1
        self.load += 0.01 * (share - self.load)
        self._sum += share
        if share > self._worst:
            self._worst = share

    def read(self) -> Load:
        """Return the figures so far; a percentile is the upper edge of its bin, 1/400 of the period wide."""
        counts = self._counts.copy()
        total = int(counts.sum())
        if total == 0:
            return Load(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
        below = np.cumsum(counts)

        def percentile(share: float) -> float:
            edge = (int(np.searchsorted(below, share * total)) + 1) / _BINS_PER_PERIOD
            return min(edge, self._worst)

        late = int(counts[_BINS_PER_PERIOD:].sum())
        return Load(
            total, self._sum / total, percentile(0.5), percentile(0.99), percentile(0.999), self._worst, late
        )


@dataclass
class Xruns:
    """Counts of blocks for which the card reported lost sound."""

    overflows: int = 0
    underflows: int = 0
    blocks: int = 0

    def reset(self) -> None:
        """Set all counts to zero."""
        self.overflows = self.underflows = self.blocks = 0

    def add(self, status: object) -> None:
        """Count one callback's status, the flags of PortAudio as sounddevice names them."""
        overflow = bool(getattr(status, "input_overflow", False))
        underflow = bool(getattr(status, "output_underflow", False))
        self.overflows += overflow
        self.underflows += underflow
        self.blocks += overflow or underflow
