"""A limiter without look-ahead, hence without latency: exactly transparent below its threshold."""

import numpy as np

from reverb.errors import ParameterError
from reverb.levels import from_db
from reverb.live.ring import Block

THRESHOLD_DB = -1.5


class Limiter:
    """A soft clipper: no sample leaves it beyond full scale.

    With t the threshold, ``y = x`` for ``|x| ≤ t``, else ``sgn(x) · (t + (1 − t) · tanh((|x| − t) / (1 − t)))``:
    continuous with its slope at t, and never above 1. A true limiter looks ahead and costs that latency; this one
    acts on the very sample and costs harmonics, but only of what would otherwise be clipped.

    Parameters
    ----------
    block_size, channels : int
        Of the blocks.
    threshold_db : float
        In dBFS, −24 to −0.1.

    Attributes
    ----------
    limited : int
        Frames times channels that were beyond the threshold.
    """

    def __init__(self, block_size: int, channels: int, threshold_db: float = THRESHOLD_DB) -> None:
        if not -24.0 <= threshold_db <= -0.1:
            raise ParameterError(f"limiter threshold {threshold_db} dBFS; expected -24 to -0.1 dBFS")
        self.threshold = np.float32(from_db(threshold_db))
        self._room = np.float32(1.0) - self.threshold
        self._below = np.empty((block_size, channels), np.float32)
        self._above = np.empty((block_size, channels), np.float32)
        self.limited = 0

    def process(self, block: Block) -> None:
        """Limit a block (frames, channels) in place."""
        below, above = self._below, self._above
        np.abs(block, out=below)
        if below.max() <= self.threshold:
            return
        np.subtract(below, self.threshold, out=above)
        np.maximum(above, np.float32(0.0), out=above)
        self.limited += int(np.count_nonzero(above))
        np.minimum(below, self.threshold, out=below)
        np.divide(above, self._room, out=above)
        np.tanh(above, out=above)
        np.multiply(above, self._room, out=above)
        np.add(below, above, out=below)
        np.copysign(below, block, out=block)
