"""How long callbacks take against their deadline: the length of a block."""

from dataclasses import dataclass

import numpy as np

_BINS_PER_PERIOD = 400
_PERIODS = 4


@dataclass(frozen=True)
class Load:
    """Callback times as shares of the period.

    Attributes
    ----------
    callbacks : int
        How many were timed.
    mean, p50, p99, p999, worst : float
        1.0 is the deadline.
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


class Timing:
    """A histogram of callback times.

    Attributes
    ----------
    load : float
        A running mean of about the last hundred callbacks, as a share of the period.
    """

    def __init__(self, sample_rate: int) -> None:
        self._per_frame = sample_rate / 1e9
        self._counts = np.zeros(_BINS_PER_PERIOD * _PERIODS + 1, np.int64)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._counts[:] = 0
        self.load = 0.0
        self._worst = 0.0
        self._sum = 0.0

    def note(self, nanoseconds: int, frames: int) -> None:
        """Take in one callback's time; called by the audio thread."""
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
