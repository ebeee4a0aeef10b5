"""Decay curves and their ends: onset, noise floor, and lines through synthetic decays."""

import numpy as np
import pytest

from reverb.responses.decay.decay import NoiseFloor, decay_time, energy_decay, integrate, noise_floor, onset


def test_a_dip_before_the_noise_does_not_deepen_the_decay() -> None:
    rate, noise = 0.001, 1e-5
    knee = round(-np.log(noise) / rate)
    power = np.exp(-rate * np.arange(knee)) + noise
    power[-3000:] = 0.5 * noise  # the beats of a few modes in a narrow band
    decay = integrate(power, NoiseFloor(knee, noise, rate))
    assert decay.dynamic_range == pytest.approx(50, abs=1)


def test_onset() -> None:
    assert onset(np.array([1.0, 0.5, 0.0])) == 0
    assert onset(np.array([0.0, 0.0999, 0.1001, 1.0])) == 2
    assert onset(np.array([[0.0, 0.0], [0.0, 0.2], [1.0, 0.0]])) == 1
    assert onset(np.zeros(8)) == 0


def test_the_noise_floor_of_a_decay_is_at_its_crossing() -> None:
    rate, noise = 0.001, 1e-5
    power = np.exp(-rate * np.arange(30_000)) + noise
    floor = noise_floor(power, 480)
    assert floor.power == pytest.approx(noise, rel=0.01)
    assert floor.rate == pytest.approx(rate, rel=0.02)
    assert floor.knee == pytest.approx(-np.log(noise) / rate, rel=0.02)
    cut = noise_floor(np.exp(-rate * np.arange(5000)), 480)
    assert (cut.power, cut.knee) == (0.0, 5000)


def test_a_line_through_a_straight_decay_is_its_decay_time() -> None:
    samples = 10 ** (-3 * np.arange(48_000) / 48_000)  # 60 dB in a second
    decay = energy_decay(samples, 48_000)
    found = decay_time(decay, 48_000, 5, 35, 24_000)
    assert found.valid
    assert found.seconds == pytest.approx(1, rel=1e-3)
    assert decay_time(decay, 48_000, 5, 95, 24_000).reason.startswith("the decay does not reach")
