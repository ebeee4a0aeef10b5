"""Chains and branches as values: operators, order, and the expressions that make them again."""

import math
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import reverb
from reverb import (
    Chain,
    Curve,
    Delay,
    Effect,
    Gain,
    HighPass,
    ImpulseResponse,
    LowPass,
    MidSide,
    Notch,
    Parallel,
    Peak,
    Reverb,
    RiaaCurve,
    Weighting,
    impulse,
)
from reverb.errors import ParameterError
from reverb.responses.response import unit
from tests.effects.chains import CHAINS
from tests.signals import decaying

RATE = 8000
PUBLIC = {name: getattr(reverb, name) for name in reverb.__all__}


def test_operators_flatten_and_keep_their_order() -> None:
    a, b, c = Gain(-1), Gain(-2), LowPass(100)
    room = unit(RATE)
    assert (a >> b) >> c == a >> (b >> c) == Chain((a, b, c))
    assert (a + b) + c == Parallel((a, b, c))
    assert room >> a == Chain((room, a))
    assert room + a == Parallel((room, a))
    assert a >> room == Chain((a, room))
    assert repr(a >> (b + c)) == f"{a!r} >> ({b!r} + {c!r})"


def test_what_is_no_effect_is_refused() -> None:
    with pytest.raises(TypeError):
        Gain(0) >> 3  # type: ignore[operator]
    with pytest.raises(TypeError):
        "a" + Gain(0)  # type: ignore[operator]
    with pytest.raises(ParameterError, match="effects is 3, no effect; expected a filter, a reverb"):
        Chain((Gain(0), 3))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="Chain of no effects"):
        Chain(())


def test_effects_are_frozen_values() -> None:
    with pytest.raises(FrozenInstanceError):
        Gain(0).db = 1  # type: ignore[misc]
    assert len({Gain(1) >> Delay(0.1), Gain(1) >> Delay(0.1)}) == 1


@settings(deadline=None, derandomize=True, max_examples=60)
@given(CHAINS)
def test_repr_makes_the_effect_again(effect: Effect) -> None:
    again = eval(repr(effect), PUBLIC)
    assert again == effect
    assert hash(again) == hash(effect)
    assert repr(again) == repr(effect)


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (
            HighPass(120) >> Reverb("church", mix=0.25, predelay=0.03) >> Peak(3000, gain_db=2, q=1.4),
            "HighPass(cutoff=120) >> Reverb(impulse_response='church', mix=0.25, predelay=0.03) >> "
            "Peak(frequency=3000, gain_db=2, q=1.4)",
        ),
        ((Gain(1) >> Gain(2)) + Gain(3), "(Gain(db=1) >> Gain(db=2)) + Gain(db=3)"),
        (Gain(1) >> (Gain(2) + Gain(3)), "Gain(db=1) >> (Gain(db=2) + Gain(db=3))"),
        (Chain((Gain(np.float64(1.5)),)), "Chain((Gain(db=1.5),))"),
        (Chain((impulse("hall"), impulse("plate"))), "Chain((impulse('hall'), impulse('plate')))"),
        (impulse("hall") >> Gain(-math.inf), "impulse('hall') >> Gain(db=float('-inf'))"),
        (Reverb(impulse("hall", "stereo")), "Reverb(impulse_response=impulse('hall', 'stereo'), mix=0.3)"),
        (Weighting("A", phase="linear"), "Weighting(curve='A', phase='linear')"),
        (Curve([(100, 1), (200, 2)]), "Curve(points=((100.0, 1.0), (200.0, 2.0)))"),
        (RiaaCurve(), "RiaaCurve()"),
        (MidSide(side=Notch(50)), "MidSide(side=Notch(frequency=50))"),
        (MidSide(side=Gain(1) >> Notch(50)), "MidSide(side=Gain(db=1) >> Notch(frequency=50))"),
    ],
)
def test_repr_reads_like_the_sentence(effect: Effect, text: str) -> None:
    assert repr(effect) == text
    assert eval(text, PUBLIC) == effect


def test_a_reverb_of_a_file_is_written_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reverb.save_response(ImpulseResponse(decaying(100, 2), RATE), "it's mine.wav")
    effect = Reverb("it's mine.wav", wet=-3)
    assert repr(effect) == 'Reverb(impulse_response="it\'s mine.wav", wet=-3)'
    assert eval(repr(effect), {"Reverb": Reverb}) == effect
    # What is made of a response comes from no file any more.
    assert impulse("hall").gain(-1).origin is None
    assert impulse("hall").gain(-1) != impulse("hall")
    assert "<ImpulseResponse" in repr(Reverb(impulse("hall").gain(-1)))
