"""How loud a response is, and bringing it to a stated level."""

import math
from typing import Literal, get_args

import numpy as np

from reverb.engine import fft
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import k_weighting
from reverb.responses.response import ImpulseResponse

Level = Literal["loudness", "energy", "peak", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)
_BAND = (20.0, 20_000.0)


def normalise(response: ImpulseResponse, level: Level = "loudness") -> ImpulseResponse:
    """Scale a response to a stated level; parameters and errors as `level_gain`."""
    return response * level_gain(response, level)


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
    if level not in LEVELS:
        raise ParameterError(f"level {level!r}; expected one of {', '.join(LEVELS)}")
    if level == "none":
        return 1.0
    if level == "peak":
        amplitude = peak(response)
    else:
        amplitude = math.sqrt((loudness_ratio if level == "loudness" else energy_ratio)(response))
    if amplitude == 0.0:
        raise InvalidAudioError(
            f"impulse response {response.name!r} is silent; nothing can bring it to a level. "
            "Choose another, or level 'none'"
        )
    return 1.0 / amplitude


def loudness_ratio(response: ImpulseResponse) -> float:
    """Return the power of pink noise after the response ÷ before it, K-weighted (ITU-R BS.1770).

    With independent noise on every input, ``Σ_paths ∫ |H(f)|² K(f) / f df ÷ (inputs · ∫ K(f) / f df)`` from
    20 Hz to 20 kHz, or to the Nyquist frequency where that is lower. Channels weigh the same.
    """
    size = fft.good_size(max(response.frames, response.sample_rate))
    frequencies = np.arange(size // 2 + 1) * (response.sample_rate / size)
    band = slice(*np.searchsorted(frequencies, (_BAND[0], np.nextafter(_BAND[1], np.inf))))
    weight = k_weighting(frequencies[band]) / frequencies[band]
    if weight.size == 0:
        return energy_ratio(response)
    padded = np.zeros((1, size), response.samples.dtype)
    spectrum = np.empty((1, size // 2 + 1), np.result_type(padded, np.complex64))
    power = 0.0
    for path in response.wiring.paths:
        padded[0, : response.frames] = response.samples[:, path.response]
        fft.forward(padded, spectrum)
        inside = spectrum[0, band]
        power += float((inside.real**2 + inside.imag**2) @ weight)
    return power / (response.wiring.inputs * float(weight.sum()))


def energy_ratio(response: ImpulseResponse) -> float:
    """Return the power of white noise after the response ÷ before it: the energy per input."""
    rows = [response.samples[:, path.response].astype(np.float64) for path in response.wiring.paths]
    return float(sum(row @ row for row in rows)) / response.wiring.inputs


def peak(response: ImpulseResponse) -> float:
    """Return the largest absolute sample."""
    return float(np.abs(response.samples).max())
