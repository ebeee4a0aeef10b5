"""Edits of a response by effects: cuts, shelves, a drawn curve, and width.

The equalizers have minimum phase, so that time zero does not move. The response keeps its dtype, name and layout.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reverb.checks import in_range, instance
from reverb.effects.curves import Curve
from reverb.effects.effect import HasResponse
from reverb.effects.equalizers import HighCut, LowCut, Tilt
from reverb.effects.gain import Gain
from reverb.effects.stereo import Width
from reverb.engine import routing
from reverb.errors import InvalidAudioError, ParameterError, shown
from reverb.responses.layouts import STEREO, TRUE_STEREO
from reverb.responses.response import ImpulseResponse, derived

DEFAULT_SLOPE = 12
"""In dB per octave."""
_MAX_DB = 60.0
_POINTS_PER_OCTAVE = 24  # enough for the smooth `Curve` to follow straight lines


def low_cut(response: ImpulseResponse, frequency: float, slope: int = DEFAULT_SLOPE) -> ImpulseResponse:
    """Remove the frequencies below `frequency`, the −3 dB point in Hz, at `slope` dB per octave (`LowCut`)."""
    return _equalized(response, LowCut(_below_nyquist(response, frequency), slope))


def high_cut(response: ImpulseResponse, frequency: float, slope: int = DEFAULT_SLOPE) -> ImpulseResponse:
    """Remove the frequencies above `frequency`, the −3 dB point in Hz, at `slope` dB per octave (`HighCut`)."""
    return _equalized(response, HighCut(_below_nyquist(response, frequency), slope))


def low_shelf(response: ImpulseResponse, frequency: float, db: float) -> ImpulseResponse:
    """Raise or lower the frequencies below `frequency`, the point of half the dB, by a first-order shelf."""
    half = in_range("gain", db, -_MAX_DB, _MAX_DB, "dB") / 2
    return _equalized(response, Tilt(-half, _below_nyquist(response, frequency)) >> Gain(half))


def high_shelf(response: ImpulseResponse, frequency: float, db: float) -> ImpulseResponse:
    """Raise or lower the frequencies above `frequency`, the point of half the dB, by a first-order shelf."""
    half = in_range("gain", db, -_MAX_DB, _MAX_DB, "dB") / 2
    return _equalized(response, Tilt(half, _below_nyquist(response, frequency)) >> Gain(half))


def draw_curve(response: ImpulseResponse, curve: Mapping[float, float]) -> ImpulseResponse:
    """Apply a drawn curve: straight lines over log frequency, constant beyond the ends.

    Parameters
    ----------
    response : ImpulseResponse
    curve : mapping of float to float
        Gain in dB (±60) by frequency in Hz (1 to the Nyquist frequency), in any order.

    Raises
    ------
    ParameterError
        If the curve has no point, or one out of range.
    """
    if not isinstance(curve, Mapping):
        raise ParameterError(f"curve is {shown(repr(curve))}; expected a mapping of Hz to dB")
    if not curve:
        raise ParameterError("the curve has no point; expected Hz:dB pairs such as 100:-3,1000:0,8000:2")
    for frequency, db in curve.items():
        _below_nyquist(response, frequency)
        in_range(f"gain at {frequency:g} Hz", db, -_MAX_DB, _MAX_DB, "dB")
    points = sorted(curve.items())
    octaves, levels = np.log2([hz for hz, _ in points]), [db for _, db in points]
    count = 1 + round(_POINTS_PER_OCTAVE * (octaves[-1] - octaves[0]))
    places = np.union1d(octaves, np.linspace(octaves[0], octaves[-1], count))
    places = places[np.append(True, np.diff(places) > 1e-9)]  # points that differ by rounding only
    drawn = zip(2.0**places, np.interp(places, octaves, levels), strict=True)
    return _equalized(response, Curve(tuple((float(hz), float(db)) for hz, db in drawn), tolerance=0.02))


def width(response: ImpulseResponse, factor: float) -> ImpulseResponse:
    """Make a room wider or narrower, by scaling the side signal (L − R) / 2 of its outputs (`Width`).

    Parameters
    ----------
    response : ImpulseResponse
        Stereo or true stereo.
    factor : float
        0 (mono) to 4; 1 leaves it.

    Raises
    ------
    ParameterError
        If the factor is out of range.
    InvalidAudioError
        If the response is neither stereo nor true stereo.
    """
    effect = Width(factor)
    _check(response)
    if response.wiring not in (STEREO, TRUE_STEREO):
        raise InvalidAudioError(
            f"a {response.layout} response has no width; convert it to stereo first (--to stereo)"
        )
    # A stereo response is regarded as two outputs of one source here, and so stays stereo.
    source = response if response.wiring == TRUE_STEREO else derived(response, wiring=routing.matrix(1, 2))
    return derived(_equalized(source, effect), wiring=response.wiring)


def _equalized(response: ImpulseResponse, effect: HasResponse) -> ImpulseResponse:
    changed = response >> effect.response(response.sample_rate)
    samples = changed.samples.astype(response.samples.dtype, copy=False)
    return derived(changed, samples, name=response.name)


def _check(response: Any) -> None:
    instance("response", response, ImpulseResponse, "an ImpulseResponse")


def _below_nyquist(response: ImpulseResponse, frequency: float) -> float:
    """Return a frequency, or raise ParameterError unless it is below half the response's sample rate."""
    _check(response)
    nyquist = response.sample_rate / 2
    if in_range("frequency", frequency, 1, nyquist, "Hz") == nyquist:
        raise ParameterError(
            f"frequency is {frequency:g} Hz; expected less than {nyquist:g} Hz, half the sample rate"
        )
    return frequency
