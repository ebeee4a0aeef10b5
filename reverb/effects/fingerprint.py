"""What tells two effects apart, whatever they are called: a hash of their settings and of every response in them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

import numpy as np

from reverb.effects.effect import HasResponse
from reverb.responses.response import ImpulseResponse

_RATE = 48_000  # at which an effect of unknown make is taken by what it does


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
