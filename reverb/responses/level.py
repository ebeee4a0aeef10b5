"""Levels of a response: its loudness, energy and peak, and gains to reach a given level."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from reverb.arrays import Audio
from reverb.checks import in_range, one_of
from reverb.choices import LEVELS, Level
from reverb.engine import fft
from reverb.errors import InvalidAudioError
from reverb.levels import Spectrum, k_weighting
from reverb.responses import spectra
from reverb.responses.response import ImpulseResponse, check_response

_BAND_HZ = (20.0, 20_000.0)
_MAX_DELAY_SECONDS = 1e9
_PIECE = 8192  # frequencies per step, which fit in the cache
_MIN_AMPLITUDE = 1e-15
"""−300 dB re full scale. Below it a response counts as silent: the gain to a level would be out of range."""


def normalize(response: ImpulseResponse, level: Level = "loudness") -> ImpulseResponse:
    """Scale a response to a given level; parameters and errors are those of `level_gain`.

    Examples
    --------
    >>> from reverb.responses.response import unit
    >>> float(normalize(unit(48_000) * 0.5, "peak").samples[0, 0])
    1.0
    """
    return response * level_gain(response, level)


def __getattr__(name: str) -> Any:
    if name == "normalise":
        warnings.warn("normalise is now normalize", DeprecationWarning, stacklevel=2)
        return normalize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def level_gain(response: ImpulseResponse, level: Level = "loudness") -> float:
    """Return the linear gain that brings a response to a given level.

    Parameters
    ----------
    response : ImpulseResponse
    level : {'loudness', 'energy', 'peak', 'none'}
        ``loudness``: pink noise keeps its loudness (`loudness_ratio` becomes 1). ``energy``: white noise keeps
        its power. ``peak``: the largest sample becomes 1. ``none``: a gain of 1.

    Raises
    ------
    ParameterError
        If the level or the response is not allowed.
    InvalidAudioError
        If the response is silent.
    """
    check_response(response)
    if one_of("level", level, LEVELS) == "none":
        return 1.0
    if level == "peak":
        amplitude = peak(response)
    else:
        amplitude = math.sqrt((loudness_ratio if level == "loudness" else energy_ratio)(response))
    return 1.0 / require_audible(amplitude, response)


def require_audible(amplitude: float, response: ImpulseResponse) -> float:
    """Return the amplitude of a response, or raise InvalidAudioError if it is silent."""
    if amplitude < _MIN_AMPLITUDE:
        raise InvalidAudioError(
            f"impulse response {response.name!r} is silent and cannot be brought to a level. "
            "Choose another one, or level 'none'"
        )
    return amplitude


def loudness_ratio(response: ImpulseResponse) -> float:
    """Return the power of pink noise after the response ÷ before it, K-weighted (ITU-R BS.1770).

    With independent noise on every input, ``Σ_paths ∫ |H(f)|² K(f) / f df ÷ (inputs · ∫ K(f) / f df)`` from
    20 Hz to 20 kHz, or to the Nyquist frequency if that is lower. All channels have the same weight.
    """
    return blend(response).wet


class Blend(NamedTuple):
    """Terms of the K-weighted power of pink noise in a sum of dry sound and response.

    With gains d and w of the dry sound and the response, the sum has ``d² dry + w² wet + 2 d w cross`` times the power
    of the input.
    """

    dry: float
    wet: float
    cross: float

    def ratio(self, dry_gain: float, wet_gain: float) -> float:
        """Return the power of the sum ÷ that of the input."""
        return dry_gain**2 * self.dry + wet_gain**2 * self.wet + 2 * dry_gain * wet_gain * self.cross


def blend(response: ImpulseResponse, delay: float = 0.0) -> Blend:
    """Return the loudness of a response in a sum with the dry sound; `loudness_ratio` is that of the response alone.

    Parameters
    ----------
    response : ImpulseResponse
    delay : float
        Delay of the response after the dry sound, in seconds.

    Returns
    -------
    Blend
        ``wet`` is the loudness ratio. ``cross`` is ``Re ∫ H(f) e^{-j2πf·delay} K(f) / f df`` over the paths of the
        dry sound (from an input to the output of its number, or from a single input to every output),
        ``dry`` the number of these paths, both per input.
    """
    check_response(response)
    delay = in_range("delay", delay, -_MAX_DELAY_SECONDS, _MAX_DELAY_SECONDS, "s")
    sample_rate, wiring = response.sample_rate, response.wiring
    if sample_rate / 2 < _BAND_HZ[0]:
        return Blend(1.0, energy_ratio(response), 0.0)
    dry = (wiring.outputs if wiring.inputs == 1 else min(wiring.inputs, wiring.outputs)) / wiring.inputs
    if response.frames * response.samples.itemsize > spectra.LONG:
        return Blend(dry, *_in_parts(response, delay))
    size = fft.good_size(max(response.frames, sample_rate))
    step = sample_rate / size
    first, last = math.ceil(_BAND_HZ[0] / step), min(math.floor(_BAND_HZ[1] / step), size // 2)
    bands = [slice(n, min(n + _PIECE, last + 1)) for n in range(first, last + 1, _PIECE)]
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
        on_dry_path = path.input == path.output or wiring.inputs == 1
        for band, weight in zip(bands, weights, strict=True):
            inside = spectrum[0, band]
            wet += float(weight @ np.square(np.abs(inside)))
            if on_dry_path and seconds:
                inside = inside * np.exp(-2j * np.pi * seconds * step * np.arange(band.start, band.stop))
            if on_dry_path:
                cross += float(weight @ inside.real)
    return Blend(dry, wet / whole, cross / whole)


def _pink_weight(frequencies: Audio) -> Spectrum:
    """Return the K-weighted power of pink noise at frequencies in Hz."""
    weight: Spectrum = k_weighting(frequencies) / frequencies
    return weight


def _in_parts(response: ImpulseResponse, delay: float) -> tuple[float, float]:
    """Return the wet power and the cross power of `blend` for a long response, in parts to save memory."""
    sample_rate, wiring = response.sample_rate, response.wiring
    seconds = delay - response.latency / sample_rate
    whole = wet = cross = 0.0
    for path in wiring.paths:
        for frequencies, spectrum in spectra.audible_spectra(response.samples[:, path.response], sample_rate):
            band = (frequencies >= _BAND_HZ[0]) & (frequencies <= _BAND_HZ[1])
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
    check_response(response)
    rows = (response.samples[:, path.response].astype(np.float64) for path in response.wiring.paths)
    return float(sum(row @ row for row in rows)) / response.wiring.inputs


def peak(response: ImpulseResponse) -> float:
    """Return the largest absolute sample."""
    check_response(response)
    return max(float(response.samples.max()), -float(response.samples.min()))
