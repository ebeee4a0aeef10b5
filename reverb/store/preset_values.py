"""The values in a preset's file: what each key holds, and what is wrong with it, by file, line and key."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reverb.errors import PresetError, ReverbError, nearest, shown
from reverb.responses.response import ImpulseResponse
from reverb.store import library
from reverb.store.preset_lines import Lines, Place, named

_LONGEST_REASON = 800
_MOST_POINTS = 10_000
_MOST_STEPS = 100
_NAMING_OTHERS = (".conf",)  # configurations of jconvolver


@dataclass(frozen=True)
class Source:
    """The file of a preset: how errors name it, and what it may reach.

    Attributes
    ----------
    path : Path
    lines : Lines
    allow_outside : bool
        Whether files outside the preset's folder may be read.
    tempo : float or None
        In beats per minute.
    """

    path: Path
    lines: Lines = field(repr=False, compare=False)
    allow_outside: bool
    tempo: float | None = None

    def error(self, place: Place, message: object) -> PresetError:
        """Return the error to raise about a place."""
        text = str(message)
        text = text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."
        where = ", ".join(map(shown, named(place).split(", "))) if place else "the file"
        return PresetError(f"{self.path}, line {self.lines.of(place)}, {where}: {text}")

    def file(self, place: Place, text: str) -> Path:
        """Return the file that a preset names, relative to its own folder, unless it must not be read."""
        try:
            folder = self.path.parent.resolve()
            path = (folder / text).resolve()
            inside = path.is_relative_to(folder)
            known = path.is_file()
        except (OSError, ValueError, RuntimeError) as error:  # no name at all, or a link to itself
            raise self.error(place, f"{text!r} cannot be the name of a file ({error})") from error
        if not inside and not self.allow_outside:
            raise self.error(
                place,
                f"{text!r} lies outside the preset's folder {self.path.parent}; copy the file into it, or use "
                "--allow-outside (allow_outside=True)",
            )
        if not known:
            raise self.error(place, f"{text!r}: no such file in {self.path.parent}")
        return self.path.parent / text

    def room(self, place: Place, text: str, layout: str | None) -> ImpulseResponse:
        """Return a response of the library, or of a file that the preset may read."""
        known = library.names()
        if text not in known and "/" not in text and "." not in text:
            raise self.error(place, f"no impulse response {text!r}; {suggestion(text, known)}")
        if text not in known and text.lower().endswith(_NAMING_OTHERS) and not self.allow_outside:
            raise self.error(
                place,
                f"{text!r} names other files; use a sound file, or --allow-outside (allow_outside=True)",
            )
        try:
            return library.impulse(text if text in known else self.file(place, text), layout)
        except PresetError:
            raise
        except (ReverbError, OSError) as error:
            raise self.error(place, error) from error


Read = Callable[[Source, Place, Any], Any]
"""Checks the type of a value at a place, and returns it as an effect takes it."""


class Key(NamedTuple):
    """A key of a step: which parameter of the effect it sets, and how its value is read."""

    parameter: str
    read: Read


def suggestion(text: str, known: Iterable[str]) -> str:
    """Return what may have been meant, and what is known."""
    names = list(known)
    return f"{nearest(text, names, 0.6)}expected one of {', '.join(names)}"


def check_keys(source: Source, place: Place, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise PresetError for a key that nothing is known of."""
    names = list(known)
    for key in table:
        if key not in names:
            raise source.error((*place, key), f"unknown key; {suggestion(key, names)}")


def check_count(path: Path, table: Mapping[str, Any]) -> None:
    """Raise PresetError for a file of more steps, branches and bands together than anybody needs."""
    tables, waiting = 0, [table]
    while waiting:
        lists = [value for value in waiting.pop().values() if isinstance(value, list)]
        found = [item for items in lists for item in items if isinstance(item, dict)]
        tables += len(found)
        waiting += found
    if tables > _MOST_STEPS:
        raise PresetError(f"{path}: {tables} steps, branches and bands; expected at most {_MOST_STEPS}")


def number(source: Source, place: Place, value: Any) -> float:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise source.error(place, f"{shown(repr(value))}; expected a number")
    try:
        return float(value) if isinstance(value, float) else int(float(value))
    except OverflowError as error:
        raise source.error(place, "a number with hundreds of digits; expected one below 1e308") from error


def milliseconds(source: Source, place: Place, value: Any) -> float:
    """Read milliseconds, as seconds."""
    return number(source, place, value) / 1000.0


def whole(source: Source, place: Place, value: Any) -> int:
    """Read an integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise source.error(place, f"{shown(repr(value))}; expected a whole number")
    return int(number(source, place, value))


def text(source: Source, place: Place, value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise source.error(place, f"{shown(repr(value))}; expected a text in quotation marks")
    return value


def flag(source: Source, place: Place, value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise source.error(place, f"{shown(repr(value))}; expected true or false")
    return value


def numbers(source: Source, place: Place, value: Any) -> tuple[float, ...]:
    """Read an array of numbers."""
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_POINTS:
        raise source.error(place, f"{shown(repr(value))}; expected an array of numbers such as [200, 2000]")
    return tuple(number(source, place, item) for item in value)


def points(source: Source, place: Place, value: Any) -> tuple[tuple[float, ...], ...]:
    """Read an array of pairs."""
    good = isinstance(value, list) and 1 <= len(value) <= _MOST_POINTS
    if not good or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise source.error(
            place, f"{shown(repr(value))}; expected pairs of Hz and dB such as [[100, -3], [1000, 0]]"
        )
    return tuple(numbers(source, place, pair) for pair in value)


def tables(source: Source, place: Place, value: Any) -> list[dict[str, Any]]:
    """Read an array of tables."""
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise source.error(place, f"{shown(repr(value))}; expected tables, each under [[{_header(place)}]]")
    return value


def _header(place: Place) -> str:
    return ".".join(part for part in place if isinstance(part, str))
