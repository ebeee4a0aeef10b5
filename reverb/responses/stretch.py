"""Stretching of a response in time: like a tape at another speed, or at the same pitch."""

import numpy as np

from reverb.arrays import Array
from reverb.checks import in_range
from reverb.responses.decay.decay import onset
from reverb.responses.filter_bank import bandwidth, split
from reverb.responses.response import ImpulseResponse, check_response, derived

_FACTORS = (0.125, 8.0)
_DIRECT_SECONDS = 0.002  # after the onset, never stretched
_GRAIN_PERIODS = 6.0  # length of a grain × bandwidth
_MIN_GRAIN_SECONDS, _MAX_GRAIN_SECONDS = 0.002, 0.3


def stretch_tape(response: ImpulseResponse, factor: float) -> ImpulseResponse:
    """Make a response `factor` times as long, like a tape at another speed: pitch, size and decay change together.

    Samples are scaled by 1/√factor, which keeps the energy.

    Parameters
    ----------
    response : ImpulseResponse
    factor : float
        0.125 to 8.
    """
    check_response(response)
    factor = in_range("stretch factor", factor, *_FACTORS)
    import soxr

    rate = 1_000_000  # arbitrary: only the ratio matters
    slower = soxr.resample(response.samples, rate, rate * factor, quality="VHQ")
    slower *= slower.dtype.type(1 / np.sqrt(factor))
    latency = min(round(response.latency * factor), len(slower) - 1)
    return derived(response, slower, latency=latency)


def stretch_time(response: ImpulseResponse, factor: float) -> ImpulseResponse:
    """Make a response `factor` times as long at the same pitch.

    Each third-octave band is cut into overlapping grains of about six periods of its width (2 to 300 ms), which are
    placed `factor` times as far apart; then the level of each band is corrected to follow its original course,
    stretched. Decay times and the delays of reflections scale by `factor`. The direct sound (2 ms) does not change.

    The method suits noise-like sound: a tail, or dense reflections. It smears a single sharp echo over the
    grains of each band, roughens pitched ringing (a spring, a flutter echo), and makes the early part grainy at
    factors far below 0.5 or above 3. If only the decay is to be longer, use `with_rt60`, which has none of these
    effects.

    Parameters
    ----------
    response : ImpulseResponse
    factor : float
        0.125 to 8.
    """
    check_response(response)
    factor = in_range("stretch factor", factor, *_FACTORS)
    rate, samples = response.sample_rate, response.samples.astype(np.float64)
    start, kept = onset(samples), round(_DIRECT_SECONDS * rate)
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
        seconds = np.clip(_GRAIN_PERIODS / bandwidth(centre), _MIN_GRAIN_SECONDS, _MAX_GRAIN_SECONDS)
        hop = max(round(0.5 * seconds * rate), 8)
        out[start : start + frames] += _spread(band, factor, hop, frames)
    return derived(response, out.astype(response.samples.dtype))


def _spread(band: Array, factor: float, hop: int, frames: int) -> Array:
    """Overlap grains of two hops, written `factor` times as far apart as they are read, with the level corrected."""
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop))[:, np.newaxis]
    count = frames // hop + 2
    padded = np.pad(band, ((hop, 3 * hop), (0, 0)))
    out = np.zeros(((count + 2) * hop, band.shape[1]))
    target = np.zeros_like(out)
    for n in range(count):
        # A grain written at n · hop is read at n · hop / factor.
        source = min(round(n * hop / factor), len(padded) - 2 * hop)
        grain = padded[source : source + 2 * hop]
        out[n * hop : (n + 2) * hop] += window * grain
        target[n * hop : (n + 2) * hop] += window**2 * (grain**2).mean(axis=0)
    power = _smooth(out**2, hop)
    level = np.sqrt(_smooth(target, hop) / np.maximum(power, 1e-300))
    # Correlated grains sum in amplitude, others in power; a correct gain is within these limits.
    return np.asarray((out * np.clip(level, 0.5, 2.0))[hop : hop + frames])


def _smooth(power: Array, hop: int) -> Array:
    """Return the mean over two hops around each frame."""
    total = np.pad(np.cumsum(power, axis=0), ((1, 0), (0, 0)))
    n = np.arange(len(power))
    low, high = np.maximum(n - hop, 0), np.minimum(n + hop, len(power))
    return np.asarray((total[high] - total[low]) / (high - low)[:, np.newaxis])
