"""Every effect is a value: its repr makes it again, its settings decide equality and hash, and it can be pickled."""

import pickle
from dataclasses import fields, is_dataclass, replace

import pytest

import reverb
from reverb import Effect, Gain
from tests.effects.kinds import concrete_effects
from tests.effects.samples import EFFECTS


def test_there_is_a_sample_of_every_effect() -> None:
    assert {type(effect) for effect in EFFECTS} == set(concrete_effects())


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: type(effect).__name__)
def test_every_effect_is_a_value(effect: Effect) -> None:
    assert is_dataclass(effect)
    for again in (
        eval(repr(effect), {name: getattr(reverb, name) for name in reverb.__all__}),
        pickle.loads(pickle.dumps(effect)),
        replace(effect),
    ):
        assert again == effect
        assert hash(again) == hash(effect)
        assert repr(again) == repr(effect)
    assert effect != Gain(77)
    assert all(f"{field.name}=" in repr(effect) for field in fields(effect) if field.name == "tolerance")
