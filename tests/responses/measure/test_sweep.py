"""The sweep: its law, its level, its pauses, and that its inverse undoes it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from reverb.errors import ParameterError
from reverb.responses.measure.sweep import LEAD_SECONDS, Sweep, inverse, one_sweep, signal


def test_the_frequency_grows_exponentially() -> None:
    sweep = Sweep(seconds=4.0, low=100.0, high=6400.0, fade_in=0, fade_out=0)
    wave = one_sweep(sweep)
    crossings = np.flatnonzero((wave[:-1] < 0) & (wave[1:] >= 0))
    position = crossings + wave[crossings] / (wave[crossings] - wave[crossings + 1])
    middle = 0.5 * (position[:-1] + position[1:]) / sweep.sample_rate
    heard = sweep.sample_rate / np.diff(position)
    # Six octaves in four seconds: it doubles every two thirds of a second.
    slow = heard < 1000
    np.testing.assert_allclose(heard[slow], 100 * 2 ** (1.5 * middle[slow]), rtol=2e-3)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(
    rate=st.sampled_from([8000, 44_100, 48_000, 96_000]),
    level=st.floats(-40, 0),
    sources=st.integers(1, 3),
    repetitions=st.integers(1, 3),
)
def test_what_is_played(rate: int, level: float, sources: int, repetitions: int) -> None:
    sweep = Sweep(
        sample_rate=rate, seconds=0.5, pause=0.2, level=level, sources=sources, repetitions=repetitions
    )
    played = signal(sweep)
    assert np.abs(played).max() <= 10 ** (level / 20)
    assert np.abs(played).max() > 0.9 * 10 ** (level / 20)
    assert sweep.high < rate / 2
    lead = round(LEAD_SECONDS * rate)
    assert not played[:lead].any()
    for turn in range(sources * repetitions):
        start = lead + turn * sweep.period
        np.testing.assert_array_equal(
            played[start : start + sweep.frames, turn // repetitions], one_sweep(sweep)
        )
        assert not played[start + sweep.frames : start + sweep.period].any()
    assert np.count_nonzero(played.any(axis=1)) <= sources * repetitions * sweep.frames


def test_it_begins_and_ends_softly() -> None:
    wave = one_sweep(Sweep(seconds=1.0))
    assert abs(wave[0]) < 1e-6
    assert abs(wave[-1]) < 1e-3


def test_the_inverse_makes_an_impulse_of_it() -> None:
    sweep = Sweep(seconds=2.0, low=50, high=20_000)
    pulse = fftconvolve(one_sweep(sweep), inverse(sweep))
    assert int(np.abs(pulse).argmax()) == sweep.frames - 1
    gain = np.abs(np.fft.rfft(pulse))
    frequencies = np.fft.rfftfreq(len(pulse), 1 / sweep.sample_rate)
    flat = 20 * np.log10(gain[(frequencies > 200) & (frequencies < 15_000)])
    assert np.abs(flat).max() < 0.3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"seconds": 0.0}, r"sweep length is 0 s; expected a number from 0\.1 to 120 s"),
        ({"low": 500.0, "high": 100.0}, r"sweep from 500 to 100 Hz"),
        ({"high": 30_000.0}, r"up to 24000 Hz"),
        ({"level": 3.0}, r"level is 3 dBFS; expected a number from -80 to 0 dBFS"),
        ({"repetitions": 0}, r"repetitions is 0; expected a whole number from 1 to 64"),
        ({"pause": 0.0}, r"pause is 0 s"),
        ({"fade_in": 20.0}, r"fades of 20"),
        ({"fade_out": -1.0}, r"fade-out is -1 s"),
        ({"sources": 1.5}, r"sources is 1\.5; expected a whole number"),
        ({"high": None}, r"last frequency is None"),
        ({"sample_rate": None}, r"sample rate None"),
        ({"seconds": float("nan")}, r"sweep length is nan s"),
    ],
)
def test_what_cannot_be_is_said(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        Sweep(**settings)
