"""Resampling a response: the same frequency response at another rate."""

import math
from dataclasses import replace

import numpy as np

from reverb.arrays import as_sample_rate
from reverb.responses.response import ImpulseResponse, fitting

# Where the resampler's ringing lies this far below the peak it is left out.
_RINGING_FLOOR = 10 ** (-150 / 20)
_RINGING_FRAMES = 512


def resample(response: ImpulseResponse, sample_rate: int) -> ImpulseResponse:
    """Return the response at another sample rate, its frequency response kept.

    A response approximates the integral of a continuous one by a sum, so its samples scale with the rate's
    inverse: ``h'[n] = (rate / rate') · h(n / rate')``. The band limit is soxr's at its very high quality
    (flat to 0.91 of the lower Nyquist frequency). Its linear-phase ringing before time zero is kept and
    counted in `latency`, for cutting it would bend the response near the band's edge.

    Parameters
    ----------
    response : ImpulseResponse
    sample_rate : int
        In Hz.

    Returns
    -------
    ImpulseResponse
        The same object where the rate is already right.
    """
    sample_rate = as_sample_rate(sample_rate)
    if sample_rate == response.sample_rate:
        return response
    import soxr

    common = math.gcd(response.sample_rate, sample_rate)
    step_in, step_out = response.sample_rate // common, sample_rate // common
    # Zeros in front put time zero on a whole number of steps, hence exactly on a frame of both rates.
    ringing = math.ceil(_RINGING_FRAMES * max(1.0, response.sample_rate / sample_rate))
    steps = math.ceil((response.latency + ringing) / step_in)
    lead = steps * step_in - response.latency
    expected = round((lead + response.frames + ringing) * sample_rate / response.sample_rate)
    what = f"impulse response {response.name!r}, from {response.sample_rate} Hz to {sample_rate} Hz,"
    dtype = fitting(expected, response.channels, response.samples.dtype, what)
    samples = soxr.resample(
        np.pad(response.samples.astype(dtype, copy=False), ((lead, ringing), (0, 0))),
        response.sample_rate,
        sample_rate,
        quality="VHQ",
    )
    samples *= samples.dtype.type(response.sample_rate / sample_rate)
    zero = steps * step_out

    magnitude = np.zeros(len(samples), samples.dtype)
    for channel in samples.T:  # quicker than within frames, and no copy of all
        np.maximum(magnitude, np.abs(channel), out=magnitude)
    sounding = np.flatnonzero(magnitude > magnitude.max() * _RINGING_FLOOR)
    first, last = (int(sounding[0]), int(sounding[-1])) if len(sounding) else (zero, zero)
    first = min(first, zero)
    return replace(
        response, samples=samples[first : max(last, zero) + 1], sample_rate=sample_rate, latency=zero - first
    )
