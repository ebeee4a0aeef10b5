"""The model of decays: rates, knees and two slopes of synthetic decays."""

import numpy as np
import pytest

from reverb.responses.decay.model import decay_rate, octave_decays, sounding_frames
from tests.responses.decays import RATE, decay


def test_the_rate_of_a_cut_decay_is_unbiased() -> None:
    rng = np.random.default_rng(5)
    power = np.exp(-0.01 * np.arange(300)) * rng.standard_normal((400, 300)) ** 2
    assert np.mean([decay_rate(p) for p in power]) == pytest.approx(0.01, rel=0.03)
    assert decay_rate(np.exp(-0.05 * np.arange(200))) == pytest.approx(0.05, rel=1e-6)
    assert decay_rate(np.ones(50)) == 0


def test_each_octave_has_its_slope_and_meets_the_noise() -> None:
    samples = decay(2.0, 1.0, 2, floor_db=-50).samples
    channels = octave_decays(samples, RATE)
    assert len(channels) == 2
    for octave in (octave for channel in channels for octave in channel if octave.centre > 400):
        rate = 6 * np.log(10) / RATE  # nepers per frame of 60 dB in a second
        assert octave.early == pytest.approx(rate, rel=0.15)
        assert octave.late == pytest.approx(rate, rel=0.2)
        assert octave.knee == pytest.approx(50 / 60 * RATE, rel=0.15)
        course = octave.course(np.array([0.0, octave.bend]))
        assert course == pytest.approx([0.0, -octave.early * octave.bend])
    assert octave_decays(np.zeros((RATE, 1)), RATE) == [[]]


def test_digital_silence_at_the_end_does_not_count() -> None:
    assert sounding_frames(np.array([0.0, 1.0, 0.5, 1e-9, 0.0])) == 3
    assert sounding_frames(np.zeros(4)) == 0
