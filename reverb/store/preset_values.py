"""The values in a preset's file: where each key is, which type it has, and errors that name file, line and key."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reverb.checks import is_number
from reverb.errors import PresetError, ReverbError, nearest, shown
from reverb.responses.response import ImpulseResponse
from reverb.store import library

Place = tuple[str | int, ...]
"""The way to a value from the top: keys of tables and, from 0, numbers in arrays of tables."""

_ARRAY_HEADER = re.compile(r"^\s*\[\[(.+?)\]\]\s*(?:#.*)?$")
_HEADER = re.compile(r"^\s*\[([^\[].*?)\]\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([^=#\[{}\]]+?)\s*=")
_MAX_LINE = 500  # characters
_MAX_REASON = 800  # characters
_MAX_POINTS = 10_000
_MAX_STEPS = 100
_NAMING_OTHERS = (".conf",)  # files that name other files to read: configurations of jconvolver


class Lines:
    """The line numbers of the keys in a valid TOML text; the standard library's parser does not report them.

    Only a key at the beginning of a line is found. `of` falls back on the table around any other.
    """

    def __init__(self, text: str) -> None:
        self._counts: defaultdict[Place, int] = defaultdict(int)
        self._lines: dict[Place, int] = {}
        table: Place = ()
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > _MAX_LINE:  # no header; `of` names the table around such a key
                continue
            if header := _ARRAY_HEADER.match(line):
                table = self._element(_keys(header[1]))
            elif header := _HEADER.match(line):
                table = self._place(_keys(header[1]))
            elif (key := _KEY.match(line)) and (keys := _keys(key[1])):
                self._lines.setdefault((*table, *keys), number)
                continue
            else:
                continue
            self._lines.setdefault(table, number)

    def of(self, place: Place) -> int:
        """Return the line of a place, or of the nearest table or key around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def _place(self, keys: Sequence[str]) -> Place:
        """Return the place that a header's keys name: within an array of tables, its latest table."""
        place: Place = ()
        for key in keys:
            place = (*place, key)
            if place in self._counts:
                place = (*place, self._counts[place] - 1)
        return place

    def _element(self, keys: Sequence[str]) -> Place:
        """Return the place of a new table in an array of them."""
        array = (*self._place(keys[:-1]), *keys[-1:])
        self._counts[array] += 1
        return (*array, self._counts[array] - 1)


def _keys(text: str) -> list[str]:
    """Return the parts of a TOML key, which may be dotted and quoted; none if the text is not a key."""
    try:
        value = tomllib.loads(f"{text} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    keys: list[str] = []
    node: object = value
    while isinstance(node, dict) and len(node) == 1:
        key, node = next(iter(node.items()))
        keys.append(key)
    return keys


def _named(place: Place) -> list[str]:
    """Return the parts of a place for an error, counted from 1: ``["step 2", "mix"]``."""
    words: list[str] = []
    for part in place:
        if isinstance(part, int):
            words[-1] = f"{words[-1]} {part + 1}"
        else:
            words.append(part)
    return words


@dataclass(frozen=True)
class Source:
    """The file of a preset: its name in errors, and the files that it may read.

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
        text = text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}..."
        where = ", ".join(map(shown, _named(place))) if place else "the file"
        return PresetError(f"{self.path}, line {self.lines.of(place)}, {where}: {text}")

    def file(self, place: Place, text: str) -> Path:
        """Return the path of a file that the preset names relative to its own folder.

        Raises
        ------
        PresetError
            If there is no such file, or the preset may not read it.
        """
        try:
            folder = self.path.parent.resolve()
            path = (folder / text).resolve()
            inside = path.is_relative_to(folder)
            exists = path.is_file()
        except (OSError, ValueError, RuntimeError) as error:  # not a name at all, or a link to itself
            raise self.error(place, f"{text!r} cannot be the name of a file ({error})") from error
        if not inside and not self.allow_outside:
            raise self.error(
                place,
                f"{text!r} lies outside the preset's folder {self.path.parent}; copy the file into it, or use "
                "--allow-outside (allow_outside=True)",
            )
        if not exists:
            raise self.error(place, f"{text!r}: no such file in {self.path.parent}")
        return self.path.parent / text

    def room(self, place: Place, text: str, layout: str | None) -> ImpulseResponse:
        """Return a response of the library, or of a file that the preset may read.

        Raises
        ------
        PresetError
            If there is none of this name, or it cannot be read.
        """
        known = library.names()
        if text not in known and "/" not in text and "." not in text:
            raise self.error(place, f"no impulse response {text!r}; {suggestion(text, known)}")
        if text not in known and text.lower().endswith(_NAMING_OTHERS) and not self.allow_outside:
            raise self.error(
                place,
                f"{text!r} names other files; use a sound file, or --allow-outside (allow_outside=True)",
            )
        named = text if text in known else self.file(place, text)
        try:
            return library.as_response(named, layout=layout)
        except (ReverbError, OSError) as error:
            raise self.error(place, error) from error


Read = Callable[[Source, Place, Any], Any]
"""Checks the type of the value at a place, and returns it as the effect's parameter."""


class Key(NamedTuple):
    """A key of a step: the effect's parameter that it sets, and the function that reads its value."""

    parameter: str
    read: Read


def suggestion(text: str, known: Iterable[str]) -> str:
    """Return the known name nearest to a text, and all of them, for an error."""
    names = list(known)
    return f"{nearest(text, names, 0.6)}expected one of {', '.join(names)}"


def check_keys(source: Source, place: Place, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise PresetError if a table has an unknown key."""
    names = list(known)
    for key in table:
        if key not in names:
            raise source.error((*place, key), f"unknown key; {suggestion(key, names)}")


def check_count(path: Path, table: Mapping[str, Any]) -> None:
    """Raise PresetError if a file has more than 100 steps, branches and bands together."""
    tables, waiting = 0, [table]
    while waiting:
        lists = [value for value in waiting.pop().values() if isinstance(value, list)]
        found = [item for items in lists for item in items if isinstance(item, dict)]
        tables += len(found)
        waiting += found
    if tables > _MAX_STEPS:
        raise PresetError(f"{path}: {tables} steps, branches and bands; expected at most {_MAX_STEPS}")


def number(source: Source, place: Place, value: Any) -> float:
    """Read a number; a whole one stays an int."""
    if not is_number(value):
        raise source.error(place, f"{shown(repr(value))}; expected a number")
    try:
        return float(value) if isinstance(value, float) else int(float(value))
    except OverflowError as error:
        raise source.error(place, "a number with hundreds of digits; expected one below 1e308") from error


def milliseconds(source: Source, place: Place, value: Any) -> float:
    """Read milliseconds, and return seconds."""
    return number(source, place, value) / 1000.0


def whole(source: Source, place: Place, value: Any) -> int:
    """Read an integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise source.error(place, f"{shown(repr(value))}; expected a whole number")
    return int(number(source, place, value))


def text(source: Source, place: Place, value: Any) -> str:
    """Read a string."""
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
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_POINTS:
        raise source.error(place, f"{shown(repr(value))}; expected an array of numbers such as [200, 2000]")
    return tuple(number(source, place, item) for item in value)


def points(source: Source, place: Place, value: Any) -> tuple[tuple[float, ...], ...]:
    """Read an array of pairs of numbers."""
    is_array = isinstance(value, list) and 1 <= len(value) <= _MAX_POINTS
    if not is_array or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise source.error(
            place, f"{shown(repr(value))}; expected pairs of Hz and dB such as [[100, -3], [1000, 0]]"
        )
    return tuple(numbers(source, place, pair) for pair in value)


def tables(source: Source, place: Place, value: Any) -> list[dict[str, Any]]:
    """Read an array of tables."""
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        header = ".".join(part for part in place if isinstance(part, str))
        raise source.error(place, f"{shown(repr(value))}; expected tables, each under [[{header}]]")
    return value
