"""Where a key stands in a TOML file: the parser of the standard library tells no lines."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Sequence

Place = tuple[str | int, ...]
"""The way to a value from the top: keys of tables and, from 0, numbers in arrays of tables."""

_ARRAY_HEADER = re.compile(r"^\s*\[\[(.+?)\]\]\s*(?:#.*)?$")
_HEADER = re.compile(r"^\s*\[([^\[].*?)\]\s*(?:#.*)?$")
_LONGEST_LINE = 500
_KEY = re.compile(r"^\s*([^=#\[{}\]]+?)\s*=")


class Lines:
    """The lines of the keys of a valid TOML text, as far as each key begins a line."""

    def __init__(self, text: str) -> None:
        self._counts: defaultdict[Place, int] = defaultdict(int)
        self._lines: dict[Place, int] = {}
        table: Place = ()
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > _LONGEST_LINE:  # no header, and its key can be named by the table around it
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
        """Return keys as a place: in each array of tables it goes on in the latest."""
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
    """Return the parts of a key as TOML reads it, dotted and quoted ones too; none if it is no key."""
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


def named(place: Place) -> str:
    """Return a place for people, counting from 1: ``step 2, mix``."""
    words: list[str] = []
    for part in place:
        if isinstance(part, int):
            words[-1] = f"{words[-1]} {part + 1}"
        else:
            words.append(part)
    return ", ".join(words)
