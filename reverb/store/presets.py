"""Presets: chains of effects in TOML files, or bundled and known by name; docs/presets.md describes the format."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverb.audiofiles.files import PathLike
from reverb.checks import file_path, flag, instance
from reverb.effects.effect import Chain, Effect, HasResponse
from reverb.effects.gain import Gain, Leveled
from reverb.errors import ParameterError, PresetError, UnknownNameError, nearest
from reverb.store import preset_values as read
from reverb.store.eq_files import bounded_bytes
from reverb.store.preset_steps import steps_effect
from reverb.store.preset_values import Lines, Source

FORMAT = 1
"""The version of the file format."""

SUFFIX = ".toml"
_KEYS = ("format", "description", "tempo", "level", "gain_db", "step")
_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "presets", _PACKAGE.parent / "presets")  # an installed wheel; the source tree
_MAX_BYTES = 1_000_000
# The parser takes time and memory in proportion to the square of a key's number of parts.
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*+\.\s*+){32}""")


@dataclass(frozen=True)
class Preset:
    """An effect from a preset's file, with its name and description.

    Attributes
    ----------
    name, description : str
    effect : Effect
    path : Path
        The preset's file.
    """

    name: str
    description: str
    effect: Effect
    path: Path


def load_chain(path_or_name: PathLike, *, allow_outside: bool = False) -> Effect:
    """Return the effect of a preset, bundled or from a file.

    Parameters
    ----------
    path_or_name : str or path-like
        A name that `reverb chain --list` shows, such as ``"vocal-plate"``, or the path of a TOML file.
    allow_outside : bool
        Let the preset read responses and curves outside its own folder.

    Raises
    ------
    UnknownNameError
        If it is neither a known name nor a file.
    PresetError
        If the preset is invalid; the message gives file, line and key.
    ParameterError
        If `path_or_name` is neither text nor path-like.

    Examples
    --------
    >>> load_chain("telephone").response(8000).layout
    'mono'
    """
    return load_preset(path_or_name, allow_outside=allow_outside).effect


def load_preset(path_or_name: PathLike, *, allow_outside: bool = False) -> Preset:
    """Return a preset with its name and description; parameters and errors as for `load_chain`."""
    text, known = file_path("preset", path_or_name), names()
    path = known.get(text, Path(text))
    if text not in known and not path.suffix and path.parent == Path(".") and not os.path.isfile(path):
        raise UnknownNameError(
            f"no preset {text!r}; {nearest(text, known)}Known: {', '.join(known)}; or give the path of a TOML file"
        )
    return read_preset(_text(path), path, allow_outside=allow_outside)


def names() -> dict[str, Path]:
    """Return the files of the bundled presets by name, in alphabetical order."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    if folder is None:
        raise UnknownNameError("the bundled presets are missing; reinstall the package")
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def presets() -> Iterator[Preset]:
    """Yield the bundled presets, in alphabetical order."""
    yield from (load_preset(name) for name in names())


def read_preset(text: str, path: PathLike, *, allow_outside: bool = False) -> Preset:
    """Return the preset in a TOML text.

    Parameters
    ----------
    text : str
    path : path-like
        Path of the text's file: it gives the preset its name, and the files in the text are relative to its folder.
    allow_outside : bool
        Let the preset read files outside that folder.

    Raises
    ------
    PresetError
        If the text is invalid; the message gives file, line and key.
    ParameterError
        If an argument has another type.
    """
    text = instance("preset", text, str, "a text in TOML")
    path, allow_outside = Path(file_path("path", path)), flag("allow_outside", allow_outside)
    if _LONG_KEY.search(text):
        raise PresetError(f"{path}: a key of more than 32 parts; expected one such as step.branch.step")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{path}: not valid TOML: {error}") from error
    except (RecursionError, ValueError) as error:  # nested deeply, or a number of thousands of digits
        raise PresetError(f"{path}: not valid TOML: nested too deep, or a number too long") from error
    read.check_count(path, table)
    source = Source(path, Lines(text), allow_outside)
    _check_version(source, table)
    read.check_keys(source, (), table, _KEYS)
    description = read.text(source, ("description",), table.get("description", ""))
    if "tempo" in table:
        tempo = read.number(source, ("tempo",), table["tempo"])
        source = Source(path, source.lines, allow_outside, tempo)
    if "step" not in table:
        raise source.error((), "has no steps; expected at least one [[step]]")
    return Preset(path.stem, " ".join(description.split()), _effect(source, table), path)


def _effect(source: Source, table: dict[str, Any]) -> Effect:
    """Return the effect of all steps, brought to the preset's level, then its gain."""
    effect: HasResponse = steps_effect(source, ("step",), table["step"])
    for key, kind in (("level", read.text), ("gain_db", read.number)):
        if key in table:
            value: Any = kind(source, (key,), table[key])
            try:
                effect = Leveled(effect, value) if key == "level" else Chain((effect, Gain(value)))
            except ParameterError as error:
                raise source.error((key,), error) from error
    return effect if isinstance(effect, Effect) else Chain((effect,))


def _check_version(source: Source, table: dict[str, Any]) -> None:
    if "format" not in table:
        raise source.error((), f"has no format; expected format = {FORMAT} at the top")
    version = read.whole(source, ("format",), table["format"])
    if version != FORMAT:
        newer = "; install a newer version of reverb" if version > FORMAT else ""
        raise source.error(("format",), f"{version}; expected {FORMAT}{newer}")


def _text(path: Path) -> str:
    """Return a preset's text, or raise PresetError."""
    data = bounded_bytes(path, _MAX_BYTES, "a preset")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise PresetError(
            f"{path}: not text in UTF-8 (byte {error.start}); expected a preset in TOML"
        ) from error
