"""How loud a response is, and bringing it to a stated level."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from reverb.arrays import Audio
from reverb.checks import one_of
from reverb.choices import LEVELS as LEVELS
from reverb.choices import Level as Level
from reverb.engine import fft
from reverb.errors import InvalidAudioError
from reverb.levels import Spectrum, k_weighting
from reverb.responses import spectra
from reverb.responses.response import ImpulseResponse

_BAND = (20.0, 20_000.0)
_PIECE = 8192  # frequencies
_FAINTEST = 1e-15
"""Amplitude that is none of a sound, 300 dB below full scale: what would raise it leaves the range of numbers."""


def normalize(response: ImpulseResponse, level: Level = "loudness") -> ImpulseResponse:
    """Scale a response to a stated level; parameters and errors as `level_gain`."""
    return response * level_gain(response, level)


def __getattr__(name: str) -> Any:
    if name == "normalise":
        warnings.warn("normalise is now normalize", DeprecationWarning, stacklevel=2)
        return normalize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def level_gain(response: ImpulseResponse, level: Level = "loudness") -> float:
    """Return the linear gain that brings a response to a stated level.

    Parameters
    ----------
    response : ImpulseResponse
    level : {'loudness', 'energy', 'peak', 'none'}
        ``loudness``: pink noise keeps its loudness (`loudness_ratio` becomes 1). ``energy``: white noise keeps
        its power. ``peak``: the largest sample becomes 1. ``none``: as it is.

    Raises
    ------
    ParameterError
        If the level is none of these.
    InvalidAudioError
        If the response is silent.
    """
    if one_of("level", level, LEVELS) == "none":
        return 1.0
    if level == "peak":
        amplitude = peak(response)
    else:
        amplitude = math.sqrt((loudness_ratio if level == "loudness" else energy_ratio)(response))
    return 1.0 / require_audible(amplitude, response)


def require_audible(amplitude: float, response: ImpulseResponse) -> float:
    """Return the amplitude of a response, or raise InvalidAudioError where it is that of silence."""
    if amplitude < _FAINTEST:
        raise InvalidAudioError(
            f"impulse response {response.name!r} is silent; nothing can bring it to a level. "
            "Choose another, or level 'none'"
        )
    return amplitude


def loudness_ratio(response: ImpulseResponse) -> float:
    """Return the power of pink noise after the response ÷ before it, K-weighted (ITU-R BS.1770).

    With independent noise on every input, ``Σ_paths ∫ |H(f)|² K(f) / f df ÷ (inputs · ∫ K(f) / f df)`` from
    20 Hz to 20 kHz, or to the Nyquist frequency where that is lower. Channels weigh the same.
    """
    return blend(response).wet


class Blend(NamedTuple):
    """How the power of pink noise comes about, K-weighted, when a room stands beside the dry sound.

    With gains d of the dry path and w of the room the whole has ``d² dry + w² wet + 2 d w cross`` times the power
    of the input.
    """

    dry: float
    wet: float
    cross: float

    def ratio(self, dry_gain: float, wet_gain: float) -> float:
        """Return the power of the whole ÷ that of the input."""
        return dry_gain**2 * self.dry + wet_gain**2 * self.wet + 2 * dry_gain * wet_gain * self.cross


def blend(response: ImpulseResponse, delay: float = 0.0) -> Blend:
    """Measure a response beside the dry sound, as `loudness_ratio` measures it alone.

    Parameters
    ----------
    response : ImpulseResponse
    delay : float
        Seconds by which the response follows the dry sound.

    Returns
    -------
    Blend
        ``wet`` is the loudness ratio. ``cross`` is ``Re ∫ H(f) e^{-j2πf·delay} K(f) / f df`` over the paths that the
        dry sound takes too (from an input to the output of its number, or from a single input to every output),
        ``dry`` how many these are, both per input.
    """
    sample_rate, wiring = response.sample_rate, response.wiring
    if sample_rate / 2 < _BAND[0]:
        return Blend(1.0, energy_ratio(response), 0.0)
    dry = (wiring.outputs if wiring.inputs == 1 else min(wiring.inputs, wiring.outputs)) / wiring.inputs
    if response.frames * response.samples.itemsize > spectra.LONG:
        return Blend(dry, *_in_parts(response, delay))
    size = fft.good_size(max(response.frames, sample_rate))
    step = sample_rate / size
    first, last = math.ceil(_BAND[0] / step), min(math.floor(_BAND[1] / step), size // 2)
    bands = [
        slice(n, min(n + _PIECE, last + 1)) for n in range(first, last + 1, _PIECE)
    ]  # they stay in the cache
    weights = [
        _pink_weight(np.arange(band.start, band.stop, dtype=np.float32) * np.float32(step)) for band in bands
    ]
    whole = wiring.inputs * sum(float(weight.sum()) for weight in weights)
    seconds = delay - response.latency / sample_rate
    padded = np.zeros((1, size), response.samples.dtype)
    spectrum = np.empty((1, size // 2 + 1), np.result_type(padded, np.complex64))
    wet = cross = 0.0
    for path in wiring.paths:
        padded[0, : response.frames] = response.samples[:, path.response]
        fft.forward(padded, spectrum)
        beside = path.input == path.output or wiring.inputs == 1
        for band, weight in zip(bands, weights, strict=True):
            inside = spectrum[0, band]
            wet += float(weight @ np.square(np.abs(inside)))
            if beside and seconds:
                inside = inside * np.exp(-2j * np.pi * seconds * step * np.arange(band.start, band.stop))
            if beside:
                cross += float(weight @ inside.real)
    return Blend(dry, wet / whole, cross / whole)


def _pink_weight(frequencies: Audio) -> Spectrum:
    """Return the K-weighted power of pink noise at frequencies in Hz."""
    weight: Spectrum = k_weighting(frequencies) / frequencies
    return weight


def _in_parts(response: ImpulseResponse, delay: float) -> tuple[float, float]:
    """Measure the wet power and the cross power of `blend`, of a response whose one transform would take too much."""
    sample_rate, wiring = response.sample_rate, response.wiring
    seconds = delay - response.latency / sample_rate
    whole = wet = cross = 0.0
    for path in wiring.paths:
        for frequencies, spectrum in spectra.audible_spectra(response.samples[:, path.response], sample_rate):
            band = (frequencies >= _BAND[0]) & (frequencies <= _BAND[1])
            frequencies, inside = frequencies[band], spectrum[band]
            weight = _pink_weight(frequencies)
            whole += float(weight.sum())
            wet += float(weight @ (inside.real**2 + inside.imag**2))
            if path.input == path.output or wiring.inputs == 1:
                turned = inside * np.exp(-2j * np.pi * seconds * frequencies)
                cross += float(weight @ turned.real)
    share = len(wiring.paths) / (wiring.inputs * whole)
    return share * wet, share * cross


def energy_ratio(response: ImpulseResponse) -> float:
    """Return the power of white noise after the response ÷ before it: the energy per input."""
    rows = (response.samples[:, path.response].astype(np.float64) for path in response.wiring.paths)
    return float(sum(row @ row for row in rows)) / response.wiring.inputs


def peak(response: ImpulseResponse) -> float:
    """Return the largest absolute sample."""
    return max(float(response.samples.max()), -float(response.samples.min()))
