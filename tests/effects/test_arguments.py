"""Every setting of every effect, and every function on effects, refuses a value of another kind.

The settings come from the fields of the samples' dataclasses, so a new effect is covered by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from reverb import Chain, Effect, Gain, ImpulseResponse, Parallel, Reverb, beats, crossover
from reverb.effects import edits, fold, tree
from reverb.effects.echoes import note_seconds
from reverb.errors import ParameterError, ReverbError
from tests.effects.samples import EFFECTS
from tests.signals import noise

NAN = float("nan")
WRONG: dict[str, object] = {
    "None": None,
    "NaN": NAN,
    "text": "1k",
    "array": np.array([1.0, 2.0]),
    "object": object(),
    "complex": 1j,
    "mapping": {"a": 1},
}
# These are values: frequencies are any sequence of numbers, and no slope makes a steep crossover.
ALLOWED = {("Band", "frequencies", "array"), ("Band", "slope", "None")}
WRONG_RATES = (None, NAN, float("inf"), "44100", 0, -1, 44_100.5, [44_100], 1j, True)
ROOM = ImpulseResponse(noise(20), 8000)


def _settings() -> Iterator[Any]:
    for number, effect in enumerate(EFFECTS):
        assert is_dataclass(effect)
        for field in fields(effect):
            for kind, value in WRONG.items():
                allowed = (type(effect).__name__, field.name, kind) in ALLOWED
                if field.init and not allowed and not (value is None and field.default is None):
                    identity = f"{number}-{type(effect).__name__}-{field.name}-{kind}"
                    yield pytest.param(effect, field.name, value, id=identity)


@pytest.mark.parametrize(("effect", "name", "value"), list(_settings()))
def test_a_setting_of_another_kind_is_refused(effect: Effect, name: str, value: object) -> None:
    assert is_dataclass(effect)
    # A text may be the name of a response, which is then not found.
    expected = ReverbError if name == "impulse_response" and isinstance(value, str) else ParameterError
    with pytest.raises(expected):
        replace(effect, **{name: value})


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: type(effect).__name__)
def test_a_sample_rate_of_another_kind_is_refused(effect: Effect) -> None:
    for rate in WRONG_RATES:
        with pytest.raises(ParameterError, match="sample rate"):
            effect.response(rate)  # type: ignore[arg-type]
        if hasattr(effect, "report"):
            with pytest.raises(ParameterError, match="sample rate"):
                effect.report(rate)


@pytest.mark.parametrize("parts", [None, NAN, "ab", 3, (3,), (None, None), [Gain(0)] * 9])
@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: type(effect).__name__)
def test_parts_of_another_kind_are_refused(effect: Effect, parts: Any) -> None:
    with pytest.raises(ParameterError):
        effect.with_parts(parts)


def _given(value: Any) -> Any:
    """Return a wrong value where None is allowed."""
    return "none" if value is None else value


def _no_text(value: Any) -> Any:
    return 3 if isinstance(value, str) else value


def _hashable(value: Any) -> Any:
    return "a" if isinstance(value, list) else value


@pytest.mark.parametrize(
    "value", [None, NAN, "1k", object(), [1.0]], ids=["None", "NaN", "text", "object", "list"]
)
@pytest.mark.parametrize(
    "call",
    [
        Chain,
        Parallel,
        lambda value: Chain((Gain(0), value)),
        lambda value: Reverb(ROOM).levels(_given(value)),
        crossover,
        lambda value: beats(value, 120),
        lambda value: beats(1, value),
        lambda value: note_seconds(value, 120),
        lambda value: note_seconds("1/8", value),
        lambda value: fold.fold(value, 8000, 2),
        lambda value: fold.fold(ROOM, value, 2),
        lambda value: fold.fold(ROOM, 8000, value),
        lambda value: fold.fold(ROOM, 8000, 2, floor_db=_given(value)),
        lambda value: fold.apply(value, noise(9), 8000),
        lambda value: fold.apply(ROOM, noise(9), value),
        lambda value: fold.apply(ROOM, noise(9), 8000, workers=_given(value)),
        lambda value: fold.apply(ROOM, noise(9), 8000, tail=value),
        lambda value: fold.trim(value),
        lambda value: fold.trim(ROOM, value),
        lambda value: fold.portable(value, "name"),
        lambda value: fold.portable(ROOM, _no_text(value)),
        lambda value: fold.portable(ROOM, "name", _given(value)),
        lambda value: tree.explain(value, 8000),
        lambda value: tree.explain(ROOM, value),
        lambda value: edits.low_cut(value, 100),
        lambda value: edits.low_cut(ROOM, value),
        lambda value: edits.low_cut(ROOM, 100, value),
        lambda value: edits.high_cut(ROOM, value),
        lambda value: edits.low_shelf(ROOM, value, 3),
        lambda value: edits.low_shelf(ROOM, 100, value),
        lambda value: edits.high_shelf(value, 100, 3),
        lambda value: edits.draw_curve(value, {100: 3}),
        lambda value: edits.draw_curve(ROOM, value),
        lambda value: edits.draw_curve(ROOM, {100: value}),
        lambda value: edits.draw_curve(ROOM, {_hashable(value): 1}),
        lambda value: edits.width(value, 2),
        lambda value: edits.width(ROOM, value),
    ],
)
def test_functions_refuse_arguments_of_another_kind(call: Callable[[Any], object], value: object) -> None:
    with pytest.raises(ParameterError):
        call(value)


@pytest.mark.parametrize("sound", [None, "sound", [[1.0], [1.0, 2.0]], np.zeros((0, 2)), np.zeros((2, 2, 2))])
def test_what_is_no_sound_is_refused(sound: Any) -> None:
    with pytest.raises(ReverbError):
        fold.apply(ROOM, sound, 8000)
