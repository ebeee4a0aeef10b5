"""A room from a balloon pop or a clap: cut out, and the source's own colour taken off as far as it is known.

The colour is read from the direct sound, the few milliseconds before the first reflection. That window tells nothing
below its inverse, and a source that has no sound in a band cannot be mended by raising noise: so the correction holds
between two frequencies only, is smoothed, limited, and never more than the decay stands above the noise.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_audio, as_sample_rate
from reverb.checks import in_range
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import energy_decay
from reverb.responses.direct_sound import onset
from reverb.responses.minimum_phase import minimum_phase
from reverb.responses.response import ImpulseResponse, owning

Array: TypeAlias = npt.NDArray[np.float64]

LEAST_RANGE = 25.0
_SIZE = 1 << 14
_OCTAVE_WIDTH = 1 / 3
_LEAST_CREST = 4.0
_CLEAR = 10.0  # dB over the noise that a band of the direct sound needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A response from a pop or a clap.

    Attributes
    ----------
    response : ImpulseResponse
        Its direct sound lies at frame `latency`.
    flattened : tuple of float or None
        Hz between which the source's colour was taken off; None where nothing could be.
    correction : float
        Largest gain or cut of that correction, in dB.
    dynamic_range : float
        dB that the response decays before it meets its noise, of its worst channel.
    objections : tuple of str
        What speaks against it, one sentence each.
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
    """Make a response of the recording of a balloon pop, a clap or a starter pistol.

    Parameters
    ----------
    recording : array_like, shape (frames,) or (frames, channels)
        The loudest burst in it is taken.
    sample_rate : int
        In Hz.
    seconds : float, optional
        Length after the direct sound; by default what is recorded.
    lead : float
        Seconds kept before the direct sound, faded in.
    flatten : bool
        Whether to take the source's colour off.
    direct : float
        Seconds from the direct sound to the first reflection, 0.001 to 0.05.
    limit : float
        Most that the colour's correction may raise or lower, in dB.
    name : str
        Of the response.

    Raises
    ------
    InvalidAudioError
        If nothing bursts out of the recording.
    ParameterError
        If a setting is out of range.
    """
    rate = as_sample_rate(sample_rate)
    audio = np.asarray(as_audio(recording, "recording"), np.float64)
    x = audio[:, np.newaxis] if audio.ndim == 1 else audio
    _check(direct, limit, lead, seconds)
    start = onset(x)
    crest = np.abs(x).max() / max(float(np.sqrt(np.mean(x**2))), 1e-300)
    if not crest > _LEAST_CREST:
        raise InvalidAudioError(
            "nothing bursts out of the recording; give a balloon pop or a clap in a quiet room"
        )
    ahead = round(lead * rate)
    length = len(x) - start if seconds is None else round(seconds * rate)
    cut = np.pad(x, ((ahead, 0), (0, 0)))[start : start + ahead + length]
    cut[:ahead] *= np.sin(0.5 * np.pi * (np.arange(ahead) + 0.5)[:, np.newaxis] / max(ahead, 1)) ** 2
    flattened, correction = None, 0.0
    if flatten:
        gain, flattened = _correction(
            cut[ahead : ahead + round(direct * rate)], x[:start], rate, direct, limit
        )
        if flattened is not None:
            correction = float(20 * np.abs(np.log10(gain)).max())
            cut = _filtered(cut, minimum_phase(gain))
    after = cut[ahead:]
    dynamic_range = min(energy_decay(column, rate).dynamic_range for column in after.T if column.any())
    objections = ["a burst is neither repeatable nor equal in all directions; a sweep measures better"]
    if dynamic_range < LEAST_RANGE:
        objections.append(f"{dynamic_range:.0f} dB of decay above the noise, {LEAST_RANGE:.0f} dB wanted")
    if flatten and flattened is None:
        objections.append(
            "the direct sound is too weak or too short to tell the source's colour; it was left in"
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
    """Return the gain per bin that flattens the direct sound, 1 at its middle, and the band in which it is known."""
    fade = np.cos(0.5 * np.pi * np.arange(len(direct)) / len(direct))[:, np.newaxis] ** 2
    power = np.mean(np.abs(np.fft.rfft(direct * fade, _SIZE, axis=0)) ** 2, axis=1)
    frequencies = np.asarray(np.fft.rfftfreq(_SIZE, 1 / rate), np.float64)
    smooth = _third_octaves(power, frequencies)
    # The quiet before the burst, in a window as long.
    noise = float(np.mean(quiet**2)) * float(np.sum(fade**2)) if len(quiet) else 0.0
    known = (
        (frequencies >= 1 / seconds) & (frequencies <= 0.45 * rate) & (smooth > 10 ** (_CLEAR / 10) * noise)
    )
    # Far below the loudest band there is no source, only what leaks there.
    known &= smooth > 10 ** (-2.5 * limit / 10) * smooth.max()
    bins = np.flatnonzero(known)
    if len(bins) < 2 or frequencies[bins[-1]] < 2 * frequencies[bins[0]]:
        return np.ones(len(frequencies)), None
    low, high = float(frequencies[bins[0]]), float(frequencies[bins[-1]])
    held = np.interp(frequencies, frequencies[bins], 10 * np.log10(smooth[bins]))
    middle = np.mean(np.interp(np.geomspace(low, high, 64), frequencies, held))
    gain = np.clip(middle - held, -limit, limit)
    return np.asarray(10 ** (gain / 20)), (low, high)


def _third_octaves(power: Array, frequencies: Array) -> Array:
    """Average a power spectrum over a third of an octave around each frequency."""
    bins = np.arange(len(power))
    ratio = 2 ** (_OCTAVE_WIDTH / 2)
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
    if not 0 < limit <= 40:
        raise ParameterError(f"limit {limit:g} dB; expected more than 0, up to 40 dB")
    in_range("lead", lead, 0, 1, "s")
    if seconds is not None:
        in_range("length of the response", seconds, 0.01, 120, "s")
