"""The points of pictures: outlines that miss no peak, spectra of known tones and noise, known decays."""

import numpy as np
import pytest

from reverb.plots.outlines import decay_line, outline, spectrum
from tests.signals import pink, tone

RATE = 48_000
POINTS = np.geomspace(20, 20_000, 200)


def test_an_outline_holds_every_peak_at_its_moment_and_silence_after_the_end() -> None:
    sound = np.zeros((1000, 2))
    sound[123, 0], sound[877, 1] = 0.8, -0.6
    shape = outline(sound, 20, 2000 / RATE, RATE)
    assert shape.high[1] == 0.8
    assert shape.low[8] == -0.6
    shape.high[1] = shape.low[8] = 0.0
    assert not shape.low.any()
    assert not shape.high.any()


def test_an_outline_of_fewer_frames_than_moments_leaves_none_out() -> None:
    shape = outline(np.full((3, 1), 0.5), 10, 3 / RATE, RATE)
    assert shape.high == pytest.approx(0.5)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_a_sine_at_full_scale_is_nought_decibels_at_its_frequency(rate: int) -> None:
    curve = spectrum(tone(1000, rate, 3, 1.0)[:, np.newaxis], rate, np.array([100.0, 1000.0, 9000.0]), 1 / 3)
    assert curve.y[1] == pytest.approx(0, abs=0.1)
    assert max(curve.y[0], curve.y[2]) < -80


def test_pink_noise_is_flat_and_its_parts_sum_to_its_power() -> None:
    sound = pink(RATE, 10)
    thirds = 1000 * 2.0 ** (np.arange(-12, 13) / 3)
    curve = spectrum(sound, RATE, thirds, 1 / 3)
    assert np.ptp(curve.y[3:]) < 1.5
    shares = np.fft.rfft(sound, axis=0)
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    inside = (frequencies >= thirds[6] * 2 ** (-1 / 6)) & (frequencies < thirds[20] * 2 ** (1 / 6))
    power = 2 * (np.abs(shares[inside]) ** 2).sum(axis=0).mean() / len(sound) ** 2
    # 0 dB is a sine at full scale, whose power is a half.
    assert 10 * np.log10(np.sum(10 ** (curve.y[6:21] / 10)) / 2) == pytest.approx(
        10 * np.log10(power), abs=0.2
    )


def test_points_beyond_the_nyquist_frequency_are_left_out_and_silence_is_finite() -> None:
    curve = spectrum(np.zeros((10, 1)), 8000, POINTS, 1 / 6)
    assert curve.x.max() < 4000
    assert curve.y == pytest.approx(-200)


def test_a_decay_is_drawn_from_its_onset_to_the_floor() -> None:
    falling = np.exp(-6.9078 * np.arange(RATE) / RATE / 0.5)
    line = decay_line(np.concatenate([np.zeros(1000), falling]), RATE, -60.0, 50)
    assert len(line.x) <= 50
    assert line.x[0] == 0
    assert line.x[-1] == pytest.approx(0.5, rel=0.02)
    assert line.y == pytest.approx(-60 * line.x / 0.5, abs=0.2)
