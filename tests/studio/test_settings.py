"""The settings of the knobs: their effect, and the preset of the same effect."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reverb
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.presets import read_preset
from tests.conftest import MakeSound
from tests.signals import decaying

pytest.importorskip("starlette", reason="needs Starlette (extra studio)")

from reverb.studio.settings import Settings

SETTINGS = st.builds(
    Settings,
    mix=st.floats(0, 1),
    predelay_ms=st.one_of(st.just(0.0), st.floats(0.01, 250)),
    decay=st.floats(0.25, 4),
    low_cut=st.none() | st.floats(20, 2000),
    high_cut=st.none() | st.floats(1000, 20_000),
    width=st.floats(0, 2),
    level_db=st.floats(-24, 12),
)


@given(SETTINGS)
def test_the_preset_is_the_effect(settings: Settings) -> None:
    text = settings.preset("room", "a room")
    assert read_preset(text, "room.toml").effect == settings.effect(reverb.impulse("room"))


def test_default_settings_are_the_reverb_only_and_their_preset_is_short() -> None:
    room = ImpulseResponse(decaying(100), 48_000, "room")
    assert Settings().effect(room) == reverb.Reverb(room)
    assert tomllib.loads(Settings().preset("room", "x")) == {
        "format": 1,
        "description": "x",
        "step": [{"type": "reverb", "ir": "room", "mix": 0.3}],
    }


def test_the_preset_of_an_uploaded_response_names_a_file_in_its_folder(make_sound: MakeSound) -> None:
    name = 'my "large" rööm, \N{MUSICAL SYMBOL G CLEF}.wav'
    path = make_sound(name, decaying(500, 2))
    text = Settings(mix=0.5).preset(name, "line\n\x7f\\")
    preset = read_preset(text, path.with_name("mine.toml"))
    assert preset.effect == reverb.Reverb(reverb.impulse(path), mix=0.5)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"mix": "much"}, "mix is 'much'; expected a number"),
        ({"mix": True}, "mix is True; expected a number"),
        ({"mix": None}, "mix is None; expected a number"),
        ({"decay": float("nan")}, "decay is nan; expected a number"),
        ({"level_db": float("inf")}, "level_db is inf; expected a number"),
        ({"size": 3}, "setting is 'size'; expected 'mix' or 'predelay_ms' or 'decay'"),
    ],
)
def test_unknown_and_invalid_settings_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        Settings.of(values)


def test_values_out_of_range_are_refused_when_they_become_an_effect() -> None:
    room = ImpulseResponse(decaying(100), 48_000, "room")
    for values in ({"mix": 2}, {"width": 9}, {"decay": 0}, {"low_cut": -1}, {"level_db": 1e9}):
        with pytest.raises(ParameterError):
            Settings.of(values).effect(room)
