"""Equalisers from files: tables of Hz and dB, and what REW, AutoEq and Equalizer APO write."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from reverb.effects.curves import Curve
from reverb.effects.effect import Chain, Effect, Gain
from reverb.effects.equalisers import HighCut, HighShelf, LowCut, LowShelf, Notch, Peak
from reverb.effects.phases import Phase
from reverb.errors import ParameterError, PresetError, shown
from reverb.soundfiles import PathLike

_MOST_BYTES = 4_000_000
_NUMBER = r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?"
_FILTER = re.compile(r"^Filter\s*(?:\d+\s*)?:\s*(ON|OFF)\s+(.*)$", re.IGNORECASE)
_PREAMP = re.compile(rf"^Preamp\s*:\s*({_NUMBER})\s*dB", re.IGNORECASE)
_GRAPHIC = re.compile(r"^GraphicEQ\s*:\s*(.*)$", re.IGNORECASE)
_COMMENTS = ("#", "*", '"', ";", "//")
_FREQUENCY_COLUMNS = ("frequency", "freq", "hz")
_GAIN_COLUMNS = ("equalization", "gain", "db", "spl", "magnitude")
_ZERO_Q_SHELF = math.sqrt(0.5)

_Values = dict[str, float]
_TYPES: dict[str, Callable[[_Values, Phase], Effect]] = {
    "PK": lambda v, phase: Peak(v["Fc"], v["Gain"], v.get("Q", 1.0), phase=phase),
    "LS": lambda v, phase: LowShelf(v["Fc"], v["Gain"], v.get("Q", _ZERO_Q_SHELF), phase=phase),
    "HS": lambda v, phase: HighShelf(v["Fc"], v["Gain"], v.get("Q", _ZERO_Q_SHELF), phase=phase),
    "LP": lambda v, phase: HighCut(v["Fc"], phase=phase),
    "HP": lambda v, phase: LowCut(v["Fc"], phase=phase),
    "NO": lambda v, _phase: Notch(v["Fc"], v.get("Q", 30.0)),
}
_SAME = {"PEQ": "PK", "MODAL": "PK", "LSC": "LS", "LSQ": "LS", "HSC": "HS", "HSQ": "HS"}


def load_equaliser(path: PathLike, phase: Phase = "minimum") -> Effect:
    """Load an equaliser from a text file.

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
          Equalizer APO write them: PK, LS(C), HS(C), LP, HP (second order, Butterworth), NO.
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
    kinds = {kind for _, line in lines for kind in (_kind_of(line),) if kind}
    try:
        if "graphic" in kinds:
            return _graphic(path, lines, phase)
        if "parametric" in kinds:
            return _parametric(path, lines, phase)
        return Curve(tuple(sorted(_table(path, lines))), phase=phase)
    except ParameterError as error:
        raise PresetError(f"{path}: {error}") from error


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


def _kind_of(line: str) -> str:
    if _GRAPHIC.match(line):
        return "graphic"
    return "parametric" if _FILTER.match(line) or _PREAMP.match(line) else ""


def _graphic(path: PathLike, lines: list[tuple[int, str]], phase: Phase) -> Effect:
    number, found = next((number, found) for number, line in lines if (found := _GRAPHIC.match(line)))
    points = []
    for pair in filter(None, (part.strip() for part in found[1].split(";"))):
        values = pair.split()
        if len(values) != 2 or not all(re.fullmatch(_NUMBER, value) for value in values):
            raise PresetError(
                f"{path}, line {number}: {shown(repr(pair))}; expected pairs of Hz and dB such as 105 -3.2"
            )
        points.append((_float(values[0]), _float(values[1])))
    return Curve(tuple(sorted(points)), phase=phase)


def _parametric(path: PathLike, lines: list[tuple[int, str]], phase: Phase) -> Effect:
    effects: list[Effect] = []
    for number, line in lines:
        try:
            if preamp := _PREAMP.match(line):
                effects.append(Gain(_float(preamp[1])))
            elif (found := _FILTER.match(line)) and found[1].upper() == "ON":
                effects.extend(_filter(found[2], phase))
        except ParameterError as error:
            raise PresetError(f"{path}, line {number}: {error}") from error
    if not effects:
        raise PresetError(f"{path}: all filters are off; expected one that is on")
    return Chain(tuple(effects))


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
    pairs = re.findall(rf"\b(Fc|Gain|Q)\s+({_NUMBER})(?:\s*(k?Hz))?", words, re.IGNORECASE)
    values = {
        key.capitalize(): _float(value) * (1000 if unit.lower() == "khz" else 1) for key, value, unit in pairs
    }
    try:
        yield _TYPES[kind](values, phase)
    except KeyError as error:
        raise ParameterError(
            f"filter {name} without {error.args[0]}; expected such as PK Fc 105 Hz Gain -3 dB Q 1"
        ) from None


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
