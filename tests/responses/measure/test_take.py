"""One take: where its direct sounds are, its drift, and its flaws."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from reverb.arrays import Array
from reverb.errors import InvalidAudioError
from reverb.responses.measure.sweep import Sweep, one_sweep, signal
from reverb.responses.measure.take import Played, decibels, deconvolve_take, drift_between, undo_drift
from tests.signals import noise

RATE = 8000
SWEEP = Sweep(sample_rate=RATE, seconds=1.0, pause=0.5, repetitions=3, low=50.0)
PLAYED = Played(
    wave=one_sweep(SWEEP),
    rate=RATE,
    band=(SWEEP.low, SWEEP.high),
    lag=SWEEP.lag,
    period=SWEEP.period,
    repetitions=3,
    sources=1,
    frames=1000,
)


def recording(h: Array, ahead: int = 100) -> Array:
    return np.pad(fftconvolve(signal(SWEEP)[:, 0], h), (ahead, 0))[:, np.newaxis]


def test_each_sweep_gives_the_response_at_its_place() -> None:
    h = np.zeros(400)
    h[[0, 300]] = 1.0, -0.5
    take = deconvolve_take(recording(h), PLAYED, correct_drift=False)
    assert take.start == 100 + RATE  # a second of silence comes first
    for turn in range(3):
        found = take.segment(turn, 10, 400)[:, 0]
        assert int(np.abs(found).argmax()) == 10
        assert found[310] / found[10] == pytest.approx(-0.5, abs=0.02)
    assert len(take.responses(10)) == 1
    assert (take.drift, take.clipped) == (None, 0)


def test_a_clipped_recording_is_noticed() -> None:
    x = recording(np.ones(1))
    take = deconvolve_take(np.clip(x, -0.3, 0.3), PLAYED, correct_drift=False)
    assert take.clipped > 100


def test_the_drift_of_shifted_responses_is_found_and_undone() -> None:
    pulse = np.sinc(np.arange(200) - 80.0)
    later = [np.sinc(np.arange(200) - 80.0 - 0.3 * n) for n in range(4)]
    assert drift_between([pulse, pulse, pulse], 10_000) == pytest.approx(0, abs=1e-9)
    assert drift_between(later, 10_000) == pytest.approx(0.3e-4, rel=0.02)
    x = noise(4000, 2)
    assert undo_drift(x, RATE, 0.0) is x
    assert len(undo_drift(x, RATE, 0.01)) == pytest.approx(4000 / 1.01, abs=2)


def test_a_recording_that_is_too_short_is_refused() -> None:
    with pytest.raises(InvalidAudioError, match=r"3 sweeps take 4\.0 s"):
        deconvolve_take(recording(np.ones(1))[: 2 * RATE], PLAYED, correct_drift=False)


def test_ratios_of_zero() -> None:
    assert decibels(1, 0) == np.inf
    assert decibels(0, 1) == -np.inf
    assert decibels(100, 1) == pytest.approx(20)
