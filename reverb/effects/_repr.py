"""How effects are written: as the expressions that make them, so that ``eval(repr(effect)) == effect``.

The names are those of the package `reverb`. Settings that have their usual value are left out. Only a response that
came from nowhere, such as an array, has no expression; it shows itself in angle brackets.
"""

import math
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np

from reverb.responses.response import ImpulseResponse


def written(value: object) -> str:
    """Return the expression of a setting's value, or of a member of a chain."""
    if isinstance(value, ImpulseResponse) and value.origin is not None:
        name, layout = value.origin
        return f"impulse({name!r})" if layout is None else f"impulse({name!r}, {layout!r})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if type(value) is tuple:
        inner = ", ".join(written(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def call(effect: Any, **expressions: str) -> str:
    """Return the constructor's call that makes a dataclass, without settings at their default.

    An expression that is given for a setting stands instead of its value.
    """
    ordered = sorted(fields(effect), key=lambda field: field.kw_only is True)
    settings = ((field, getattr(effect, field.name)) for field in ordered if field.init)
    given = (
        f"{field.name}={expressions.get(field.name) or written(value)}"
        for field, value in settings
        if not _is_default(field, value)
    )
    return f"{type(effect).__name__}({', '.join(given)})"


def _is_default(field: Field[Any], value: object) -> bool:
    return field.default is not MISSING and type(value) is type(field.default) and value == field.default


def joined(effects: Iterable[object], operator: str, bracketed: type, explicit: str) -> str:
    """Return effects joined by an operator, or as a call of the class `explicit` where that would mean another thing.

    Members of the class `bracketed`, which bind otherwise, stand in brackets. Two responses side by side would fold at
    once; a single member is no operation.
    """
    members = list(effects)
    if len(members) < 2 or all(isinstance(member, ImpulseResponse) for member in members[:2]):
        return f"{explicit}({written(tuple(members))})"
    return operator.join(
        f"({written(member)})" if isinstance(member, bracketed) else written(member) for member in members
    )
