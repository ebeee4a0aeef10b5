"""A bounded queue of frames between two threads, without locks: neither side ever waits for the other."""

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]


class Ring:
    """A ring of frames with one writing and one reading thread.

    Parameters
    ----------
    frames : int
        How many it holds.
    channels : int

    Attributes
    ----------
    written, taken : int
        Frames since the beginning; only the writer changes `written`, only the reader `taken`.

    Notes
    -----
    Invariant: ``taken <= written <= taken + frames``; frame n lies at ``n mod frames``. Each counter moves only after
    its samples have been copied, and an assignment is atomic in Python, so neither side sees a half-made block.
    """

    def __init__(self, frames: int, channels: int) -> None:
        assert frames >= 1
        self._store = np.zeros((frames, channels), np.float32)
        self.written = 0
        self.taken = 0

    @property
    def capacity(self) -> int:
        """Frames that fit."""
        return len(self._store)

    @property
    def waiting(self) -> int:
        """Frames written and not yet taken."""
        return self.written - self.taken

    def push(self, block: Block) -> bool:
        """Append a block (frames, channels) whole, or leave it and return False where it does not fit."""
        count = len(block)
        if count > self.capacity - self.waiting:
            return False
        start = self.written % self.capacity
        first = min(count, self.capacity - start)
        self._store[start : start + first] = block[:first]
        if first < count:
            self._store[: count - first] = block[first:]
        self.written += count
        return True

    def pull(self, out: Block) -> int:
        """Fill the beginning of `out` (frames, channels) with what waits; return how many frames that were."""
        count = min(len(out), self.waiting)
        start = self.taken % self.capacity
        first = min(count, self.capacity - start)
        out[:first] = self._store[start : start + first]
        if first < count:
            out[first:count] = self._store[: count - first]
        self.taken += count
        return count
