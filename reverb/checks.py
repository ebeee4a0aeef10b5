"""One vocabulary for checking arguments: each check returns the value, or raises an error that says what is allowed.

Every public function calls them before any state changes. They take any object: ``None``, NaN, text, and arrays get
the same kind of error as a number out of range.
"""

import math
import os
from collections.abc import Iterable
from numbers import Real
from typing import Any, TypeGuard, TypeVar

from reverb.errors import ParameterError, nearest, shown

T = TypeVar("T")
_MAX_WORKERS = 4096


def in_range(name: str, value: Any, low: float, high: float, unit: str = "") -> float:
    """Return a number from `low` to `high`, both included, as a float.

    Parameters
    ----------
    name : str
        The value's name in the error.
    value : object
        Must be a real number; a bool is not one.
    low, high : float
        May be infinite.
    unit : str
        Such as ``"Hz"``.

    Raises
    ------
    ParameterError
        If the value is not a number, or out of range.

    Examples
    --------
    >>> in_range("predelay", 0.02, 0, 10, "s")
    0.02
    """
    if not is_number(value) or not low <= value <= high:  # NaN fails, too
        raise _refused(name, value, f"{_span(low, high)}{_spaced(unit)}", unit)
    return float(value)


def whole(name: str, value: Any, low: int, high: int, unit: str = "") -> int:
    """Return a whole number from `low` to `high`, both included, as an int; 2.0 is one.

    Raises
    ------
    ParameterError
        If the value is not a whole number, or out of range.
    """
    if not is_number(value) or value % 1 != 0 or not low <= value <= high:  # NaN and infinity leave NaN
        raise _refused(name, value, f"a whole number from {low} to {high}{_spaced(unit)}", unit)
    return int(value)


def worker_count(workers: Any) -> int | None:
    """Return a number of threads or processes, 1 to 4096; None, for one per core, is returned as it is.

    Raises
    ------
    ParameterError
        If it is no whole number or out of range.
    """
    return None if workers is None else whole("workers", workers, 1, _MAX_WORKERS)


def one_of(name: str, value: Any, allowed: Iterable[T]) -> T:
    """Return a value that is one of those allowed.

    Raises
    ------
    ParameterError
        If it is not; the message lists the allowed values and names the nearest.
    """
    choices = list(allowed)
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return choice
    words = [choice for choice in choices if isinstance(choice, str)]
    hint = nearest(value, words) if isinstance(value, str) else ""
    raise ParameterError(f"{name} is {shown(repr(value))}; {hint}expected {' or '.join(map(repr, choices))}")


def instance(name: str, value: Any, kind: type[T], what: str = "") -> T:
    """Return a value of a type; `what` describes the type in the error.

    Raises
    ------
    ParameterError
        If it is of another type.
    """
    if not isinstance(value, kind):
        raise ParameterError(f"{name} is {shown(repr(value))}; expected {what or f'a {kind.__name__}'}")
    return value


def flag(name: str, value: Any) -> bool:
    """Return True or False.

    Raises
    ------
    ParameterError
        If the value is anything else, 0 and 1 included.
    """
    return instance(name, value, bool, "True or False")


def file_path(name: str, value: Any) -> str:
    """Return a path as text, from text or an object of `os.PathLike`.

    Raises
    ------
    ParameterError
        If the value is no such object, is empty, or contains a null character.
    """
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path or "\0" in path:
        raise ParameterError(f"{name} is {shown(repr(value))}; expected a path, as text or a Path")
    return path


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number: of Python or NumPy, not a bool."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _refused(name: str, value: object, expected: str, unit: str) -> ParameterError:
    given = f"{value:g}{_spaced(unit)}" if isinstance(value, float) else f"{shown(repr(value))}"
    return ParameterError(f"{name} is {given}; expected {expected}")


def _span(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a number"
    if math.isinf(high):
        return f"a number of at least {low:g}"
    return f"a number up to {high:g}" if math.isinf(low) else f"a number from {low:g} to {high:g}"


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
