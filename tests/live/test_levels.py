"""Levels of a session as a value."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import reverb
from reverb.errors import ParameterError
from reverb.live.levels import Levels
from reverb.live.prepare import prepare
from tests.live.fakes import RATE, room

ROOM = room(0.1)


def test_no_dry_sound_where_it_would_lose_channels() -> None:
    decoder = reverb.ImpulseResponse(np.ones((10, 6)), RATE, "decoder", "3x2")
    levels = Levels.of(prepare(decoder, RATE, 3, 2))
    changes: list[Callable[[], Levels]] = [
        lambda: levels.with_dry(-10.0),
        lambda: levels.with_mix(0.5),
        lambda: levels.with_bypass(True),
    ]
    for change in changes:
        with pytest.raises(ParameterError, match="3 channels go in and 2 come out"):
            change()
    silent = levels.with_dry(-np.inf).with_bypass(False).with_mix(1.0)
    assert (silent.paths().dry, silent.paths().wet) == (0.0, 1.0)
    with pytest.raises(ParameterError, match="3 channels go in and 2 come out"):
        prepare(reverb.Reverb(decoder, mix=0.5), RATE, 3, 2)


def test_levels_in_decibels() -> None:
    levels = Levels.of(prepare(reverb.Reverb(ROOM, mix=0.4), RATE, 2, 2), -6.0)
    assert levels.mix == 0.4
    assert levels.gain == pytest.approx(10 ** (-6 / 20))
    apart = levels.with_wet(20 * np.log10(levels.wet))
    assert apart.mix is None
    assert apart.paths().wet == pytest.approx(levels.paths().wet)
    dry = levels.with_wet(-np.inf).with_dry(0.0)
    assert (dry.paths().dry, dry.paths().wet) == pytest.approx((10 ** (-6 / 20), 0.0))
    bypassed = dry.with_bypass(True)
    assert (bypassed.paths().dry, bypassed.paths().wet) == (1.0, 0.0)
    assert levels.paths().open
    assert not levels.with_mute(True).paths().open


@pytest.mark.parametrize("bad", [float("nan"), 61.0, None, "loud", True])
def test_a_wrong_level_is_named(bad: Any) -> None:
    levels = Levels.of(prepare(reverb.Reverb(ROOM), RATE, 2, 2))
    for name, change in (("wet", levels.with_wet), ("dry", levels.with_dry), ("gain", levels.with_gain)):
        with pytest.raises(ParameterError, match=f"^{name} is .*; expected a number up to 60 dB"):
            change(bad)


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), None, "half"])
def test_a_wrong_mix_is_named(bad: Any) -> None:
    levels = Levels.of(prepare(reverb.Reverb(ROOM), RATE, 2, 2))
    with pytest.raises(ParameterError, match=r"^mix is .*; expected a number from 0 to 1"):
        levels.with_mix(bad)


@pytest.mark.parametrize("on", [True, False, 1, 0, np.True_, np.False_])
def test_a_switch_is_on_or_off(on: Any) -> None:
    levels = Levels.of(prepare(reverb.Reverb(ROOM), RATE, 2, 2))
    assert levels.with_mute(on).mute is bool(on)
    assert levels.with_bypass(on).bypass is bool(on)


@pytest.mark.parametrize("bad", ["no", None, 2, 0.5, float("nan")])
def test_a_switch_takes_nothing_else(bad: Any) -> None:
    levels = Levels.of(prepare(reverb.Reverb(ROOM), RATE, 2, 2))
    with pytest.raises(ParameterError, match="mute"):
        levels.with_mute(bad)
    with pytest.raises(ParameterError, match="bypass"):
        levels.with_bypass(bad)
