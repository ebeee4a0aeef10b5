"""Every setting of every effect refuses what is no value of its kind, before anything changes."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from reverb import Effect
from reverb.errors import ParameterError, ReverbError
from tests.effects.test_values import EFFECTS

WRONG = {
    "None": None,
    "NaN": float("nan"),
    "text": "1k",
    "array": np.array([1.0, 2.0]),
    "object": object(),
    "complex": 1j,
    "mapping": {"a": 1},
}
# These are values: frequencies are any sequence of numbers, and no slope makes a steep crossover.
ALLOWED = {("Band", "frequencies", "array"), ("Band", "slope", "None")}


def _settings() -> Iterator[Any]:
    for number, effect in enumerate(EFFECTS):
        for field in fields(effect):  # type: ignore[arg-type]
            for kind, value in WRONG.items():
                allowed = (type(effect).__name__, field.name, kind) in ALLOWED
                if field.init and not allowed and not (value is None and field.default is None):
                    identity = f"{number}-{type(effect).__name__}-{field.name}-{kind}"
                    yield pytest.param(effect, field.name, value, id=identity)


@pytest.mark.parametrize(("effect", "name", "value"), list(_settings()))
def test_a_value_of_another_kind_is_refused(effect: Effect, name: str, value: object) -> None:
    # A text may name a response, which is then not found.
    expected = ReverbError if name == "impulse_response" and isinstance(value, str) else ParameterError
    with pytest.raises(expected):
        replace(effect, **{name: value})  # type: ignore[type-var]
