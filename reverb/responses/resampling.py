"""Resampling of responses: the same frequency response at another rate."""

import math

import numpy as np

from reverb.arrays import Audio
from reverb.responses.shape import dtype_within_limit

# The resampler's ringing is cut where it lies this far below the peak.
_RINGING_FLOOR = 10 ** (-150 / 20)
_RINGING_FRAMES = 512


def resample(
    samples: Audio, source_rate: int, target_rate: int, latency: int, what: str = "the resampled response"
) -> tuple[Audio, int]:
    """Return the samples of a response at another sample rate, with the same frequency response, and their latency.

    A response approximates the integral of a continuous one by a sum, so its samples scale with the rate's
    inverse: ``h'[n] = (rate / rate') · h(n / rate')``. The band limit is that of soxr at its very high quality
    (flat to 0.91 of the lower Nyquist frequency). Its linear-phase ringing before time zero is kept and
    counted in the latency, because cutting it would bend the response near the band's edge.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    source_rate, target_rate : int
        In Hz.
    latency : int
        Frames of `samples` before time zero.
    what : str
        Name of the result in errors.

    Returns
    -------
    samples : ndarray, shape (new frames, channels)
    latency : int

    Raises
    ------
    InvalidAudioError
        If the result would have too many samples for a response.
    """
    import soxr

    common = math.gcd(source_rate, target_rate)
    step_in, step_out = source_rate // common, target_rate // common
    # Zeros in front put time zero on a whole number of steps, hence exactly on a frame of both rates.
    ringing = math.ceil(_RINGING_FRAMES * max(1.0, source_rate / target_rate))
    steps = math.ceil((latency + ringing) / step_in)
    lead = steps * step_in - latency
    expected = round((lead + len(samples) + ringing) * target_rate / source_rate)
    dtype = dtype_within_limit(expected, samples.shape[1], samples.dtype, what)
    padded = np.pad(samples.astype(dtype, copy=False), ((lead, ringing), (0, 0)))
    resampled: Audio = soxr.resample(padded, source_rate, target_rate, quality="VHQ")
    resampled *= resampled.dtype.type(source_rate / target_rate)
    zero = steps * step_out

    magnitude = np.zeros(len(resampled), resampled.dtype)
    for channel in resampled.T:  # faster than within frames, and without a copy of all channels
        np.maximum(magnitude, np.abs(channel), out=magnitude)
    sounding = np.flatnonzero(magnitude > magnitude.max() * _RINGING_FLOOR)
    first, last = (int(sounding[0]), int(sounding[-1])) if len(sounding) else (zero, zero)
    first = min(first, zero)
    return resampled[first : max(last, zero) + 1], zero - first
