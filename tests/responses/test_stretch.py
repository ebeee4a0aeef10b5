"""Stretching in time: decay times and echoes scale, pitch and direct sound stay."""

import numpy as np
import pytest

from reverb.errors import ParameterError
from reverb.responses.acoustics import measure
from reverb.responses.edit import fade_in
from reverb.responses.level import energy_ratio
from reverb.responses.response import ImpulseResponse
from reverb.responses.stretch import stretch_tape, stretch_time
from tests.signals import decaying

RATE = 16_000


def test_tape_scales_decay_pitch_and_keeps_energy() -> None:
    before = fade_in(ImpulseResponse(decaying(RATE), RATE), 0.01)
    after = stretch_tape(before, 2.0)
    assert after.frames == pytest.approx(2 * before.frames, abs=2)
    # White noise loses what lies above 0.91 of Nyquist.
    assert energy_ratio(after) == pytest.approx(energy_ratio(before), rel=0.06)


@pytest.mark.parametrize("factor", [0.6, 1.8])
def test_stretching_scales_each_bands_decay_and_keeps_pitch(factor: float) -> None:
    rng = np.random.default_rng(3)
    h = ImpulseResponse(10 ** (-3 * np.arange(RATE) / (0.6 * RATE)) * rng.standard_normal(RATE), RATE)
    longer = stretch_time(h, factor)
    assert longer.frames == pytest.approx(factor * h.frames, abs=2)
    before, after = measure(h.samples, RATE).mean, measure(longer.samples, RATE).mean
    for a, b in zip(before[2:], after[2:], strict=True):
        assert b.t30.seconds == pytest.approx(factor * a.t30.seconds, rel=0.08), a.label


def test_an_echo_comes_later_and_the_direct_sound_stays() -> None:
    samples = np.zeros(RATE)
    samples[[0, 1600]] = 1.0, 0.5
    longer = stretch_time(ImpulseResponse(samples, RATE), 2.0).samples[:, 0]
    assert longer[0] == pytest.approx(1, rel=1e-4)
    assert abs(int(np.abs(longer[400:]).argmax()) + 400 - 3200) < 40


@pytest.mark.parametrize("factor", [0, -1, 100, float("nan")])
def test_factors_out_of_range(factor: float) -> None:
    response = ImpulseResponse(decaying(100), RATE)
    for stretch in (stretch_tape, stretch_time):
        with pytest.raises(ParameterError, match=r"stretch factor is .* expected a number from 0\.125 to 8"):
            stretch(response, factor)
