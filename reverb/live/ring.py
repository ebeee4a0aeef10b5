"""A bounded queue of frames between two threads, without locks: neither thread waits for the other."""

import numpy as np

from reverb.arrays import Block


class Ring:
    """A ring buffer of frames, with one writing thread and one reading thread.

    Parameters
    ----------
    frames : int
        Capacity.
    channels : int

    Notes
    -----
    Invariant: ``_read <= _written <= _read + frames``, where both count frames since the start; frame n is stored at
    ``n mod frames``. Only the writer changes `_written` and only the reader `_read`, each after its samples have been
    copied; an assignment is atomic in Python, so neither thread sees an incomplete block.
    """

    def __init__(self, frames: int, channels: int) -> None:
        assert frames >= 1
        self._store = np.zeros((frames, channels), np.float32)
        self._written = 0
        self._read = 0

    @property
    def capacity(self) -> int:
        """Frames that fit."""
        return len(self._store)

    @property
    def waiting(self) -> int:
        """Frames that have been written and not yet read."""
        return self._written - self._read

    def push(self, block: Block) -> bool:
        """Append the whole block (frames, channels), or return False if it does not fit."""
        count = len(block)
        if count > self.capacity - self.waiting:
            return False
        start = self._written % self.capacity
        first = min(count, self.capacity - start)
        self._store[start : start + first] = block[:first]
        if first < count:
            self._store[: count - first] = block[first:]
        self._written += count
        return True

    def pull(self, out: Block) -> int:
        """Fill the beginning of `out` (frames, channels) from the queue; return the number of frames."""
        count = min(len(out), self.waiting)
        start = self._read % self.capacity
        first = min(count, self.capacity - start)
        out[:first] = self._store[start : start + first]
        if first < count:
            out[first:count] = self._store[: count - first]
        self._read += count
        return count
