"""A gain in closed form, and effects brought to a level."""

import math

import numpy as np
import pytest

from reverb import Gain, ImpulseResponse, Leveled, LowPass
from reverb.choices import Level
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.level import energy_ratio, loudness_ratio, peak
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import decaying, noise

RATE = 8000


def test_a_gain_is_a_factor() -> None:
    x = noise(100, 2)
    assert null_db(Gain(-20)(x, RATE), 0.1 * x) <= FLOAT64_BUDGET_DB
    assert not Gain(-math.inf)(x, RATE).any()


@pytest.mark.parametrize("db", [math.nan, math.inf, 121])
def test_a_gain_has_a_range(db: float) -> None:
    with pytest.raises(ParameterError, match=r"gain is .*expected a number up to 120 dB"):
        Gain(db)


@pytest.mark.parametrize("level", ["loudness", "energy", "peak", "none"])
def test_an_effect_is_brought_to_its_level(level: Level) -> None:
    effect = LowPass(2000) >> ImpulseResponse(decaying(500, 2), RATE) >> Gain(-20)
    before, after = effect.response(RATE), Leveled(effect, level).response(RATE)
    reached = {"loudness": loudness_ratio, "energy": energy_ratio, "peak": peak}
    if level == "none":
        assert after == before
    else:
        assert reached[level](after) == pytest.approx(1.0, rel=1e-6)
        ratio = after.samples[:, 0] @ before.samples[:, 0] / (before.samples[:, 0] @ before.samples[:, 0])
        assert np.abs(after.samples - ratio * before.samples).max() < 1e-12


def test_its_steps_end_with_the_gain() -> None:
    steps = list(Leveled(Gain(6) >> Gain(-26), "peak").steps(RATE))
    assert [step.text for step in steps] == ["Gain(db=6)", "Gain(db=-26)", "level 'peak': +20.0 dB"]
    assert steps[-1].response.samples.item() == pytest.approx(10.0)


def test_silence_has_no_level() -> None:
    with pytest.raises(InvalidAudioError, match="silent"):
        Leveled(Gain(-math.inf)).response(RATE)
