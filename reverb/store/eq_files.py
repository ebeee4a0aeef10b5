"""Equalizers from files: tables of Hz and dB, and what REW, AutoEq and Equalizer APO write."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reverb.audiofiles.files import PathLike
from reverb.effects.curves import Curve
from reverb.effects.design.magnitude import deviation
from reverb.effects.design.phases import Phase, Taps
from reverb.effects.design.report import FilterReport, report_on
from reverb.effects.effect import Chain, Effect, Gain
from reverb.effects.equalizers import Equalizer, HighCut, HighShelf, LowCut, LowShelf, Notch, Peak
from reverb.errors import ParameterError, PresetError, shown
from reverb.levels import from_db

_MOST_FILTERS = 100
_MOST_BYTES = 4_000_000
_NUMBER = r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?"
_FILTER = re.compile(r"^Filter\s*(?:\d+\s*)?:\s*(ON|OFF)\s+(.*)$", re.IGNORECASE)
_PREAMP = re.compile(rf"^Preamp\s*:\s*({_NUMBER})\s*dB", re.IGNORECASE)
_GRAPHIC = re.compile(r"^GraphicEQ\s*:\s*(.*)$", re.IGNORECASE)
_COMMENTS = ("#", "*", '"', ";", "//")
_FREQUENCY_COLUMNS = ("frequency", "freq", "hz")
_GAIN_COLUMNS = ("equalization", "gain", "db", "spl", "magnitude")
# Commands of Equalizer APO that change the sound, but are no equalizer for all channels.
_FOREIGN = re.compile(
    r"^(Channel(?!\s*:\s*all\s*$)|Copy|Delay|Convolution|Include|VSTPlugin|LoudnessCorrection)\s*:",
    re.IGNORECASE,
)
_VALUES = re.compile(rf"\b(Fc|Gain|Q|BW\s+Oct)\s+({_NUMBER})(?:\s*(k?Hz))?", re.IGNORECASE)
_SLOPE = re.compile(rf"^\S+\s+({_NUMBER})\s*dB", re.IGNORECASE)
_BUTTERWORTH = math.sqrt(0.5)
_STEEPEST, _USUAL_SLOPE = (
    12.0,
    10.8,
)  # dB per octave, of shelves; the latter where neither slope nor Q is given
_RANGES = {
    "Gain": (-60.0, 60.0, " dB"),
    "Q": (0.05, 1000.0, ""),
    "Slope": (0.5, _STEEPEST, " dB per octave"),
    "Bw": (0.001, 8.0, " octaves"),
}

_Values = dict[str, float]
_TYPES: dict[str, Callable[[_Values, Phase], Effect]] = {
    "PK": lambda v, phase: Peak(v["Fc"], v["Gain"], v.get("Q", 1.0), phase=phase),
    "LS": lambda v, phase: LowShelf(v["Fc"] * _corner(v), v["Gain"], _shelf_q(v), phase=phase),
    "HS": lambda v, phase: HighShelf(v["Fc"] / _corner(v), v["Gain"], _shelf_q(v), phase=phase),
    "LP": lambda v, phase: _resonant(HighCut(v["Fc"], phase=phase), v),
    "HP": lambda v, phase: _resonant(LowCut(v["Fc"], phase=phase), v),
    "NO": lambda v, _phase: Notch(v["Fc"], v.get("Q", 30.0)),
}
_SAME = {
    "PEQ": "PK",
    "MODAL": "PK",
    "LSC": "LS",
    "LSQ": "LS",
    "HSC": "HS",
    "HSQ": "HS",
    "LPQ": "LP",
    "HPQ": "HP",
}


def load_equalizer(path: PathLike, phase: Phase = "minimum") -> Effect:
    """Load an equalizer from a text file.

    Parameters
    ----------
    path : path-like
        One of

        - a table of frequency in Hz and gain in dB, separated by commas, semicolons, tabs or blanks, such as a
          CSV file or a measurement that REW exports. With a header the columns are found by name (``frequency``;
          ``equalization``, ``gain``, ``dB``, ``SPL``); otherwise they are the first two. Lines that begin with
          ``#``, ``*``, ``;`` or a quotation mark are comments.
        - a line ``GraphicEQ: 20 -1.0; 21 -1.1; ...``, as AutoEq and Equalizer APO write it.
        - filters ``Filter 1: ON PK Fc 105 Hz Gain -3.2 dB Q 0.7`` with ``Preamp: -6 dB``, as REW, AutoEq and
          Equalizer APO write them: PK, LS, HS (by Q or a slope such as ``LS 6dB``), LP, HP (second order), NO.

        The last two may stand together, and follow each other.
    phase : {'minimum', 'linear', 'mixed'}

    Returns
    -------
    Effect
        A `Curve`, or a `Chain` of filters.

    Raises
    ------
    PresetError
        If the file cannot be read, or a line not be understood; the message says which.
    """
    lines = _lines(path)
    try:
        if any(pattern.match(line) for _, line in lines for pattern in (_GRAPHIC, _FILTER, _PREAMP)):
            return _commands(path, lines, phase)
        return Curve(tuple(sorted(_table(path, lines))), phase=phase)
    except ParameterError as error:
        raise PresetError(f"{path}: {error}") from error


def report_on_equalizer(equalizer: Effect, sample_rate: int) -> FilterReport:
    """Return how many taps an equalizer of a file takes, and how near to its curve they come.

    Parameters
    ----------
    equalizer : Effect
        As `load_equalizer` gives it. The curve of a chain is the product of its filters' curves.
    sample_rate : int
        In Hz.
    """
    parts = equalizer.effects if isinstance(equalizer, Chain) else (equalizer,)
    equalizers = [part for part in parts if isinstance(part, Equalizer)]
    level = math.prod(from_db(part.db) for part in parts if isinstance(part, Gain))

    def magnitude(frequencies: Taps) -> Taps:
        return math.prod(
            (part.magnitude(frequencies) for part in equalizers), start=np.full_like(frequencies, level)
        )

    response = equalizer.response(sample_rate)
    taps = response.samples[:, 0].astype(np.float64)
    finest = min((part.resolution for part in equalizers), default=1.0)
    return report_on(response, deviation(taps, magnitude, sample_rate, resolution=finest))


def _lines(path: PathLike) -> list[tuple[int, str]]:
    """Return the lines that say something, with their numbers."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PresetError(f"{path}: cannot be read ({reason})") from error
    if len(data) > _MOST_BYTES:
        raise PresetError(f"{path}: longer than {_MOST_BYTES // 1_000_000} MB; expected a table of Hz and dB")
    text = (
        data.decode("utf-16", "replace")
        if data[:2] in (b"\xff\xfe", b"\xfe\xff")
        else data.decode("utf-8-sig", "replace")
    )
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in stripped if line and not line.startswith(_COMMENTS)]


def _commands(path: PathLike, lines: list[tuple[int, str]], phase: Phase) -> Effect:
    """Return the effect of lines that are commands each; others say something about the file."""
    effects: list[Effect] = []
    for number, line in lines:
        try:
            effects.extend(_command(line, phase))
        except ParameterError as error:
            raise PresetError(f"{path}, line {number}: {error}") from error
    if len(effects) > _MOST_FILTERS:
        raise PresetError(f"{path}: {len(effects)} filters; expected at most {_MOST_FILTERS}")
    if not effects:
        raise PresetError(f"{path}: all filters are off; expected one that is on")
    return effects[0] if len(effects) == 1 and isinstance(effects[0], Curve) else Chain(tuple(effects))


def _command(line: str, phase: Phase) -> Iterator[Effect]:
    """Give the effects of a line."""
    if preamp := _PREAMP.match(line):
        yield Gain(_float(preamp[1]))
    elif graphic := _GRAPHIC.match(line):
        yield Curve(tuple(sorted(_points(graphic[1]))), phase=phase)
    elif found := _FILTER.match(line):
        if found[1].upper() == "ON":
            yield from _filter(found[2], phase)
    elif foreign := _FOREIGN.match(line):
        raise ParameterError(
            f"{foreign[1]!r} is no part of an equalizer; expected lines of Preamp, Filter and GraphicEQ, for all "
            "channels alike"
        )


def _points(text: str) -> Iterator[tuple[float, float]]:
    for pair in filter(None, (part.strip() for part in text.split(";"))):
        values = pair.split()
        if len(values) != 2 or not all(re.fullmatch(_NUMBER, value) for value in values):
            raise ParameterError(f"{shown(repr(pair))}; expected pairs of Hz and dB such as 105 -3.2")
        yield _float(values[0]), _float(values[1])


def _filter(words: str, phase: Phase) -> Iterator[Effect]:
    """Give the effect of what follows ``Filter 1: ON``, nothing for ``None``."""
    name = words.split()[0].upper() if words.split() else ""
    if name in ("", "NONE"):
        return
    kind = _SAME.get(name, name)
    if kind not in _TYPES:
        raise ParameterError(
            f"filter type {shown(repr(name))}; expected one of {', '.join((*_TYPES, *_SAME))}"
        )
    values = {
        key.split()[0].capitalize(): _float(value) * (1000 if unit.lower() == "khz" else 1)
        for key, value, unit in _VALUES.findall(words)
    }
    if slope := _SLOPE.match(words):
        values["Slope"] = _float(slope[1])
    for key, (lowest, highest, unit) in _RANGES.items():
        if key in values and not lowest <= values[key] <= highest:
            raise ParameterError(f"{key} {values[key]:g}{unit}; expected {lowest:g} to {highest:g}{unit}")
    if "Bw" in values:  # octaves between the points of half the gain
        values["Q"] = 0.5 / math.sinh(math.log(2) / 2 * values["Bw"])
    try:
        yield _TYPES[kind](values, phase)
    except KeyError as error:
        raise ParameterError(
            f"filter {name} without {error.args[0]}; expected such as PK Fc 105 Hz Gain -3 dB Q 1"
        ) from None


def _corner(values: _Values) -> float:
    """Return how far the middle of a shelf lies beyond its corner, which a slope refers to."""
    return float(10 ** (abs(values["Gain"]) / 80 * _STEEPEST / values["Slope"])) if "Slope" in values else 1.0


def _shelf_q(values: _Values) -> float:
    """Return a shelf's Q, from its slope S where that is given: ``1/Q² = (A + 1/A) (1/S − 1) + 2``."""
    if "Q" in values:
        return values["Q"]
    a, slope = 10 ** (values["Gain"] / 40), values.get("Slope", _USUAL_SLOPE) / _STEEPEST
    return float(((a + 1 / a) * (1 / slope - 1) + 2) ** -0.5)


def _resonant(cut: LowCut | HighCut, values: _Values) -> Effect:
    """Return a second-order cut with a Q: Butterworth's and the peak that is the ratio of their gains."""
    q = values.get("Q", _BUTTERWORTH) / _BUTTERWORTH
    if q == 1.0:
        return cut
    return Chain((cut, Peak(cut.frequency, 20 * math.log10(q), math.sqrt(q / 2), phase=cut.phase)))


def _table(path: PathLike, lines: list[tuple[int, str]]) -> Iterator[tuple[float, float]]:
    """Give the points of a table; later ones of the same frequency are left out."""
    columns, seen = (0, 1), set()
    for place, (number, line) in enumerate(lines):
        cells = _cells(line)
        if place == 0 and not re.fullmatch(_NUMBER, cells[0]):
            columns = _named_columns(path, number, cells)
            continue
        if len(cells) <= max(columns) or not all(re.fullmatch(_NUMBER, cells[c]) for c in columns):
            raise PresetError(
                f"{path}, line {number}: {line[:60]!r}; expected a frequency in Hz and a gain in dB"
            )
        frequency, gain = (_float(cells[c]) for c in columns)
        if frequency not in seen and frequency > 0:
            seen.add(frequency)
            yield frequency, gain
    if not seen:
        raise PresetError(f"{path}: holds no table; expected lines of a frequency in Hz and a gain in dB")


def _cells(line: str) -> list[str]:
    """Split a line at its separator; a comma separates only where no semicolon, tab or blank does."""
    for separator in (";", "\t"):
        if separator in line:
            return [cell.strip() for cell in line.split(separator)]
    words = line.split()
    if "," in line and (len(words) == 1 or re.search(r",\s", line)):
        return [cell.strip() for cell in line.split(",")]
    return words


def _named_columns(path: PathLike, number: int, header: list[str]) -> tuple[int, int]:
    """Return the places of frequency and gain in a header."""
    names = [cell.strip(' "').lower() for cell in header]

    def place(wanted: tuple[str, ...]) -> int | None:
        return next((names.index(n) for w in wanted for n in names if n.startswith(w)), None)

    frequency, gain = place(_FREQUENCY_COLUMNS), place(_GAIN_COLUMNS)
    if frequency is None or gain is None or frequency == gain:
        raise PresetError(
            f"{path}, line {number}: no columns of Hz and dB in {', '.join(header)[:60]!r}; expected frequency,gain"
        )
    return frequency, gain


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def __getattr__(name: str) -> Any:
    if name != "load_equaliser":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("load_equaliser is now load_equalizer", DeprecationWarning, stacklevel=2)
    return load_equalizer
