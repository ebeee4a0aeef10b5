"""A response from a balloon pop or a clap, with the coloration of the source removed where it is known.

The coloration is the spectrum of the direct sound, the few milliseconds before the first reflection. This window has no
information below the inverse of its length, and where the source has no energy, a correction would only raise
noise. So the correction covers the band between two frequencies, is smoothed and limited, and leaves out frequencies
at which the direct sound is not clearly above the noise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, as_sample_rate
from reverb.checks import in_range
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.decay.decay import energy_decay, onset
from reverb.responses.layouts import as_columns
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.spectra import minimum_phase

MIN_RANGE_DB = 25.0
"""Decay above the noise below which a response is reported as noisy."""
_MAX_LIMIT_DB = 40.0
_TRANSFORM = 1 << 14
_SMOOTHING_OCTAVES = 1 / 3
_MIN_CREST = 4.0  # ratio of peak and RMS of a recording with a burst in it
_MIN_CLEARANCE_DB = 10.0  # of the direct sound above the noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A response from a pop or a clap.

    Attributes
    ----------
    response : ImpulseResponse
        Its direct sound is at frame `latency`.
    flattened : tuple of float or None
        Frequencies in Hz between which the coloration was removed; None if it is not known.
    correction : float
        Largest gain or cut of the correction, in dB.
    dynamic_range : float
        Decay in dB from the direct sound to the noise, of the worst channel.
    objections : tuple of str
        Reasons to doubt the result, one sentence each.
    """

    response: ImpulseResponse
    flattened: tuple[float, float] | None
    correction: float
    dynamic_range: float
    objections: tuple[str, ...]


def from_burst(
    recording: npt.ArrayLike,
    sample_rate: int,
    *,
    seconds: float | None = None,
    lead: float = 0.002,
    flatten: bool = True,
    direct: float = 0.004,
    limit: float = 12.0,
    name: str = "burst",
) -> Burst:
    """Return the response in a recording of a balloon pop, a clap or a starter pistol.

    Parameters
    ----------
    recording : array_like, shape (frames,) or (frames, channels)
        The loudest burst in it is used.
    sample_rate : int
        In Hz.
    seconds : float, optional
        Length after the direct sound, 0.01 to 120; by default up to the end of the recording.
    lead : float
        Seconds kept before the direct sound, 0 to 1, faded in.
    flatten : bool
        Whether to remove the coloration of the source.
    direct : float
        Seconds from the direct sound to the first reflection, 0.001 to 0.05.
    limit : float
        Largest gain or cut of the correction in dB, up to 40.
    name : str
        Name of the response.

    Raises
    ------
    InvalidAudioError
        If there is no burst in the recording.
    ParameterError
        If a setting is out of range.
    """
    rate = as_sample_rate(sample_rate)
    x = as_columns(recording, "recording")
    _check(direct, limit, lead, seconds)
    start = onset(x)
    crest = np.abs(x).max() / max(float(np.sqrt(np.mean(x**2))), 1e-300)
    if not crest > _MIN_CREST:
        raise InvalidAudioError(
            "the recording has no burst that stands out; record a balloon pop or a clap in a quiet room"
        )
    ahead = round(lead * rate)
    length = len(x) - start if seconds is None else round(seconds * rate)
    cut = np.pad(x, ((ahead, 0), (0, 0)))[start : start + ahead + length]
    cut[:ahead] *= np.sin(0.5 * np.pi * (np.arange(ahead) + 0.5)[:, np.newaxis] / max(ahead, 1)) ** 2
    flattened, correction = None, 0.0
    if flatten:
        direct_sound = cut[ahead : ahead + round(direct * rate)]
        gain, flattened = _correction(direct_sound, x[:start], rate, direct, limit)
        if flattened is not None:
            correction = float(20 * np.abs(np.log10(gain)).max())
            cut = _filtered(cut, minimum_phase(gain))
    after = cut[ahead:]
    dynamic_range = min(energy_decay(column, rate).dynamic_range for column in after.T if column.any())
    objections = ["a burst is neither repeatable nor omnidirectional; a sweep gives a better measurement"]
    if dynamic_range < MIN_RANGE_DB:
        objections.append(f"{dynamic_range:.0f} dB of decay above the noise, {MIN_RANGE_DB:.0f} dB needed")
    if flatten and flattened is None:
        objections.append(
            "the direct sound is too weak or too short to determine the coloration of the source, which remains"
        )
    wiring = None if x.shape[1] in (1, 2) else f"1x{x.shape[1]}"
    response = owning(cut, rate, name, wiring, ahead)
    return Burst(
        response=response,
        flattened=flattened,
        correction=correction,
        dynamic_range=dynamic_range,
        objections=tuple(objections),
    )


def _correction(
    direct: Array, quiet: Array, rate: int, seconds: float, limit: float
) -> tuple[Array, tuple[float, float] | None]:
    """Return the gain per bin that flattens the direct sound, about 1 on average, and the band in which it is known."""
    fade = np.cos(0.5 * np.pi * np.arange(len(direct)) / len(direct))[:, np.newaxis] ** 2
    power = np.mean(np.abs(np.fft.rfft(direct * fade, _TRANSFORM, axis=0)) ** 2, axis=1)
    frequencies = np.asarray(np.fft.rfftfreq(_TRANSFORM, 1 / rate), np.float64)
    smooth = _third_octaves(power, frequencies)
    # Noise before the burst, scaled to the same window.
    noise = float(np.mean(quiet**2)) * float(np.sum(fade**2)) if len(quiet) else 0.0
    known = (frequencies >= 1 / seconds) & (frequencies <= 0.45 * rate)
    known &= smooth > 10 ** (_MIN_CLEARANCE_DB / 10) * noise
    # Far below the loudest frequency there is only spectral leakage.
    known &= smooth > 10 ** (-2.5 * limit / 10) * smooth.max()
    bins = np.flatnonzero(known)
    if len(bins) < 2 or frequencies[bins[-1]] < 2 * frequencies[bins[0]]:
        return np.ones(len(frequencies)), None
    low, high = float(frequencies[bins[0]]), float(frequencies[bins[-1]])
    levels = np.interp(frequencies, frequencies[bins], 10 * np.log10(smooth[bins]))
    middle = np.mean(np.interp(np.geomspace(low, high, 64), frequencies, levels))
    gain = np.clip(middle - levels, -limit, limit)
    return np.asarray(10 ** (gain / 20)), (low, high)


def _third_octaves(power: Array, frequencies: Array) -> Array:
    """Return a power spectrum averaged over a third of an octave around each frequency."""
    bins = np.arange(len(power))
    ratio = 2 ** (_SMOOTHING_OCTAVES / 2)
    low = np.floor(bins / ratio).astype(int)
    high = np.minimum(np.ceil(bins * ratio).astype(int) + 1, len(power))
    sums = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray((sums[high] - sums[low]) / (high - low)) * np.ones_like(frequencies)


def _filtered(x: Array, taps: Array) -> Array:
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(x) + len(taps), real=True)
    return np.asarray(irfft(rfft(x, size, axis=0) * rfft(taps, size)[:, np.newaxis], size, axis=0)[: len(x)])


def _check(direct: float, limit: float, lead: float, seconds: float | None) -> None:
    in_range("direct sound", direct, 0.001, 0.05, "s")
    if in_range("limit", limit, 0, _MAX_LIMIT_DB, "dB") == 0:
        raise ParameterError(f"limit is 0 dB; expected more, up to {_MAX_LIMIT_DB:g} dB")
    in_range("lead", lead, 0, 1, "s")
    if seconds is not None:
        in_range("length of the response", seconds, 0.01, 120, "s")
