"""Effects as trees: walk one, exchange something in it, and hash it.

An effect names its parts (`Effect.parts`); an impulse response and an effect of unknown make are leaves.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np

from reverb.effects.effect import Effect, HasResponse
from reverb.responses.response import ImpulseResponse

Kind = TypeVar("Kind")
_RATE = 48_000  # at which an effect of unknown make is identified by its response


def walk(effect: HasResponse) -> Iterator[HasResponse]:
    """Yield an effect and everything inside it, each before its parts."""
    yield effect
    if isinstance(effect, Effect):
        for part in effect.parts():
            yield from walk(part)


def first(effect: HasResponse, kind: type[Kind]) -> Kind | None:
    """Return the first effect or response of a type, in the order of `walk`; None if there is none."""
    return next((found for found in walk(effect) if isinstance(found, kind)), None)


def replace_first(
    effect: HasResponse, kind: type[Kind], change: Callable[[Kind], HasResponse]
) -> HasResponse:
    """Return an effect with its first effect or response of a type changed; itself if there is none."""
    if isinstance(effect, kind):
        return change(effect)
    if not isinstance(effect, Effect):
        return effect
    parts = effect.parts()
    for place, part in enumerate(parts):
        if first(part, kind) is not None:
            return effect.with_parts((*parts[:place], replace_first(part, kind, change), *parts[place + 1 :]))
    return effect


def fingerprint(effect: HasResponse) -> str:
    """Return 32 hexadecimal digits that are the same for equal effects, on any machine and in any session.

    Names do not count, samples do: a response that was edited under its old name has another fingerprint.

    Examples
    --------
    >>> from reverb import Gain
    >>> fingerprint(Gain(-6.0)) == fingerprint(Gain(-6.0)) != fingerprint(Gain(-3.0))
    True
    """
    digest = hashlib.sha256()
    for fact in _facts(effect):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()[:32]


def _facts(value: object) -> Iterator[str]:
    if isinstance(value, ImpulseResponse):
        yield value.digest
    elif is_dataclass(value):
        yield type(value).__qualname__
        for field in fields(value):
            yield field.name
            yield from _facts(getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}"
        yield hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
    elif isinstance(value, Mapping):
        yield from _facts(tuple(value.items()))
    elif isinstance(value, tuple | list):
        yield f"{len(value)} items"
        for item in value:
            yield from _facts(item)
    elif isinstance(value, HasResponse):
        yield value.response(_RATE).digest
    else:
        yield repr(value)
