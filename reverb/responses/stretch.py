"""Stretching a response in time: as a tape would, or with its pitch kept."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.checks import in_range
from reverb.responses.direct_sound import onset
from reverb.responses.filter_bank import bandwidth, split
from reverb.responses.response import ImpulseResponse, derived

Array: TypeAlias = npt.NDArray[np.float64]

_FACTORS = (0.125, 8.0)
_DIRECT = 0.002  # seconds after the onset that are never stretched
_PERIODS = 6.0  # of a band's width that a grain lasts
_LONGEST_GRAIN = 0.3


def stretch_tape(response: ImpulseResponse, factor: float) -> ImpulseResponse:
    """Make a response `factor` times as long, as a tape at another speed: pitch, size and decay change together.

    Samples are scaled by 1/√factor, which keeps the energy.
    """
    factor = in_range("stretch factor", factor, *_FACTORS)
    import soxr

    rate = 1_000_000  # only the ratio counts
    slower = soxr.resample(response.samples, rate, rate * factor, quality="VHQ")
    slower *= slower.dtype.type(1 / np.sqrt(factor))
    latency = min(round(response.latency * factor), len(slower) - 1)
    return derived(response, slower, latency=latency)


def stretch_time(response: ImpulseResponse, factor: float) -> ImpulseResponse:
    """Make a response `factor` times as long at the same pitch.

    Each third-octave band is cut into overlapping grains of about six periods of its width (2 to 300 ms), which are
    laid out `factor` times as far apart; the level of each band then follows its course at the new pace.
    Decay times scale by `factor` in every band and reflections come so many times later. The direct sound (2 ms)
    is kept.

    The method is made for what is like noise: a tail, or crowded reflections. A single sharp echo is smeared over
    its band's grains, pitched rings (a spring, a flutter echo) get rough, and far below 0.5 or
    beyond 3 the early part sounds grainy. For a longer decay alone `with_rt60` is free from all of it.

    Parameters
    ----------
    response : ImpulseResponse
    factor : float
        0.125 to 8.
    """
    factor = in_range("stretch factor", factor, *_FACTORS)
    rate, samples = response.sample_rate, response.samples.astype(np.float64)
    start, kept = onset(samples), round(_DIRECT * rate)
    border = min(start + kept, len(samples))
    fade = np.ones(len(samples))
    fade[:start] = 0.0
    fade[start:border] = np.sin(np.linspace(0, np.pi / 2, border - start, endpoint=False)) ** 2
    direct = samples * (1 - fade[:, np.newaxis])
    rest = (samples - direct)[start:]
    frames = max(round(len(rest) * factor), 1)
    out = np.zeros((max(start + frames, border), samples.shape[1]))
    out[:border] = direct[:border]
    for centre, band in split(rest, rate):
        seconds = np.clip(_PERIODS / bandwidth(centre), 0.002, _LONGEST_GRAIN)
        hop = max(round(0.5 * seconds * rate), 8)
        out[start : start + frames] += _spread(band, factor, hop, frames)
    return derived(response, out.astype(response.samples.dtype))


def _spread(band: Array, factor: float, hop: int, frames: int) -> Array:
    """Lay out grains of two hops, read at `factor` times the pace they are written, at the level they had there."""
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop))[:, np.newaxis]
    count = frames // hop + 2
    padded = np.pad(band, ((hop, 3 * hop), (0, 0)))
    out = np.zeros(((count + 2) * hop, band.shape[1]))
    wanted = np.zeros_like(out)
    for n in range(count):
        # A grain is written around n hops and read around n hops / factor.
        source = min(round(n * hop / factor), len(padded) - 2 * hop)
        grain = padded[source : source + 2 * hop]
        out[n * hop : (n + 2) * hop] += window * grain
        wanted[n * hop : (n + 2) * hop] += window**2 * (grain**2).mean(axis=0)
    got = _smooth(out**2, hop)
    level = np.sqrt(_smooth(wanted, hop) / np.maximum(got, 1e-300))
    # Grains that agree add up in phase, others in power: the correction stays within that.
    return np.asarray((out * np.clip(level, 0.5, 2.0))[hop : hop + frames])


def _smooth(power: Array, hop: int) -> Array:
    """Mean over two hops around each frame."""
    total = np.pad(np.cumsum(power, axis=0), ((1, 0), (0, 0)))
    n = np.arange(len(power))
    low, high = np.maximum(n - hop, 0), np.minimum(n + hop, len(power))
    return np.asarray((total[high] - total[low]) / (high - low)[:, np.newaxis])
