"""Where a response starts, and how much of it is direct sound."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.responses.bands import Band

Array: TypeAlias = npt.NDArray[np.float64]

ONSET_DB = -20.0
"""Level below the peak at which a response is said to start (ISO 3382-1, A.3.4)."""
DIRECT = 0.005
"""Seconds after the onset that count as direct sound."""
_DIRECT_LEAD = 0.001


def onset(samples: Array) -> int:
    """First frame that comes within 20 dB of the peak; 0 for silence and for a response that starts at once.

    Parameters
    ----------
    samples : ndarray, shape (frames,) or (frames, channels)

    Examples
    --------
    >>> onset(np.array([0.0, 0.05, 0.5, 1.0]))
    2
    """
    size = np.abs(np.ascontiguousarray(samples.T))
    loudest = size.max(axis=tuple(range(size.ndim - 1)))
    return int(np.argmax(loudest >= 10 ** (ONSET_DB / 20) * loudest.max()))


def direct_energy(samples: Array, sample_rate: int, band: Band) -> float:
    """Energy of the direct sound in a band; NaN where the loudest moment comes later, or the band is too narrow."""
    start = onset(samples)
    first, stop = max(start - round(_DIRECT_LEAD * sample_rate), 0), start + round(DIRECT * sample_rate)
    if band.width * DIRECT < 1 or int(np.abs(samples).argmax()) >= stop:
        return float("nan")
    from scipy.fft import next_fast_len, rfft

    direct = samples[first:stop]
    length = next_fast_len(len(direct) + band.settling, real=True)
    power = np.abs(rfft(direct, length)) ** 2
    power[1 : (length + 1) // 2] *= 2  # the lines that stand for negative frequencies, too
    frequencies = np.asarray(np.arange(len(power)) * (sample_rate / length), np.float64)
    return float(power @ band.power_response(frequencies)) / length
