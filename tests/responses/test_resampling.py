"""Resampling, against the same continuous response sampled at the other rate: a closed form, band-limited."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from reverb.errors import ParameterError
from reverb.responses.level import loudness_ratio
from reverb.responses.response import ImpulseResponse, unit
from tests.signals import decaying

Array = npt.NDArray[np.float64]
# Arrivals at times between the frames of every rate, and their strengths.
ARRIVALS = ((0.02, 1.0), (0.0213337, 0.35), (0.0287031, -0.2), (0.0402917, 0.15))
SECONDS = 0.08


def _raised_cosine(t: Array, flat: float, stop: float) -> Array:
    """A pulse whose spectrum is 1 up to `flat` Hz and 0 from `stop` Hz on, in closed form."""
    rate, roll = flat + stop, (stop - flat) / (stop + flat)
    x = rate * t
    singular = np.isclose(np.abs(2 * roll * x), 1)
    below = np.where(singular, 1.0, 1 - (2 * roll * x) ** 2)
    pulse = np.sinc(x) * np.cos(np.pi * roll * x) / below
    return rate * np.where(singular, math.pi / 4 * np.sinc(1 / (2 * roll)), pulse)


def _designed(sample_rate: int, flat: float, stop: float) -> ImpulseResponse:
    t = np.arange(round(SECONDS * sample_rate)) / sample_rate
    h = sum(gain * _raised_cosine(t - time, flat, stop) for time, gain in ARRIVALS)
    return ImpulseResponse(np.asarray(h) / sample_rate, sample_rate)


def _spectrum(response: ImpulseResponse, frequencies: Array) -> Array:
    n = np.arange(response.frames) - response.latency
    return np.exp(-2j * np.pi * np.outer(frequencies / response.sample_rate, n)) @ response.samples[:, 0]


@pytest.mark.parametrize(
    ("source", "target", "highest"),
    [
        (44_100, 48_000, 20_000),
        (48_000, 44_100, 20_000),
        (96_000, 44_100, 20_000),
        (44_100, 96_000, 20_000),
        (48_000, 96_000, 20_000),
        (192_000, 48_000, 20_000),
        (44_100, 32_000, 14_000),
        (48_000, 8_000, 3_600),
        (44_100, 47_999, 20_000),
    ],
)
def test_it_is_the_response_designed_at_the_other_rate(source: int, target: int, highest: int) -> None:
    lower = min(source, target)
    flat, stop = (20_200, 21_900) if lower >= 44_100 else (0.46 * lower, 0.49 * lower)
    frequencies = np.geomspace(20, highest, 400)
    expected = _spectrum(_designed(target, flat, stop), frequencies)
    actual = _spectrum(_designed(source, flat, stop).response(target), frequencies)
    assert np.abs(20 * np.log10(np.abs(actual / expected))).max() < 0.05
    # Time zero stays where it is: the phase is kept as well.
    assert np.abs(actual / expected - 1).max() < 0.005


@pytest.mark.parametrize("target", [44_100, 88_200, 96_000, 192_000])
def test_the_level_is_kept(target: int) -> None:
    response = ImpulseResponse(decaying(24_000, 2), 48_000)
    assert 10 * math.log10(
        loudness_ratio(response.response(target)) / loudness_ratio(response)
    ) == pytest.approx(0, abs=0.1)


def test_time_zero_is_counted_in_latency() -> None:
    resampled = unit(44_100).delay(0.01).response(48_000)
    peak = int(np.abs(resampled.samples[:, 0]).argmax())
    assert peak - resampled.latency == 480
    early = unit(44_100).response(48_000)
    assert int(np.abs(early.samples[:, 0]).argmax()) == early.latency > 0


def test_a_linear_phase_response_stays_aligned() -> None:
    taps = np.zeros(4411)
    taps[2205] = 1
    resampled = ImpulseResponse(taps, 44_100, latency=2205).response(48_000)
    assert int(np.abs(resampled.samples[:, 0]).argmax()) == resampled.latency


def test_channels_stay_apart_and_the_dtype_is_kept() -> None:
    samples = np.zeros((1000, 2), np.float32)
    samples[100, 1] = 1
    resampled = ImpulseResponse(samples, 48_000, "a").response(96_000)
    assert resampled.samples.dtype == np.float32
    assert not resampled.samples[:, 0].any()
    assert resampled.samples[:, 1].any()
    assert resampled.name == "a"


def test_silence_and_the_same_rate() -> None:
    silent = ImpulseResponse(np.zeros((100, 2)), 48_000)
    assert not silent.response(44_100).samples.any()
    assert silent.response(48_000) is silent
    with pytest.raises(ParameterError):
        silent.response(0)


def test_there_and_back_again() -> None:
    response = _designed(48_000, 18_000, 20_000)
    frequencies = np.geomspace(20, 17_000, 300)
    back = response.response(96_000).response(48_000)
    ratio = _spectrum(back, frequencies) / _spectrum(response, frequencies)
    assert np.abs(ratio - 1).max() < 1e-3
