"""Equalizers from text files: tables of Hz and dB, and the filters of REW, AutoEq and Equalizer APO."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reverb.arrays import Double, as_sample_rate
from reverb.audiofiles.files import PathLike
from reverb.checks import file_path, instance, one_of
from reverb.choices import PHASES, Phase
from reverb.effects.curves import Curve
from reverb.effects.design.magnitude import deviation
from reverb.effects.design.specify import FilterReport, report_on
from reverb.effects.effect import Chain, Effect
from reverb.effects.equalizers import Equalizer, HighCut, HighShelf, LowCut, LowShelf, Notch, Peak
from reverb.effects.gain import Gain
from reverb.errors import ParameterError, PresetError, shown
from reverb.levels import from_db

_MAX_FILTERS = 100
_MAX_BYTES = 4_000_000
_NUMBER = r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?"
_FILTER = re.compile(r"^Filter\s*(?:\d+\s*)?:\s*(ON|OFF)\s+(.*)$", re.IGNORECASE)
_PREAMP = re.compile(rf"^Preamp\s*:\s*({_NUMBER})\s*dB", re.IGNORECASE)
_GRAPHIC = re.compile(r"^GraphicEQ\s*:\s*(.*)$", re.IGNORECASE)
_COMMENTS = ("#", "*", '"', ";", "//")
_FREQUENCY_COLUMNS = ("frequency", "freq", "hz")
_GAIN_COLUMNS = ("equalization", "gain", "db", "spl", "magnitude")
# Commands of Equalizer APO that change the sound but are not an equalizer for all channels.
_FOREIGN = re.compile(
    r"^(Channel(?!\s*:\s*all\s*$)|Copy|Delay|Convolution|Include|VSTPlugin|LoudnessCorrection)\s*:",
    re.IGNORECASE,
)
_VALUES = re.compile(rf"\b(Fc|Gain|Q|BW\s+Oct)\s+({_NUMBER})(?:\s*(k?Hz))?", re.IGNORECASE)
_SLOPE = re.compile(rf"^\S+\s+({_NUMBER})\s*dB", re.IGNORECASE)
_BUTTERWORTH_Q = math.sqrt(0.5)
_MAX_SLOPE_DB = 12.0  # per octave, of a shelf
_DEFAULT_SLOPE_DB = 10.8  # of a shelf with neither slope nor Q
_RANGES = {
    "Gain": (-60.0, 60.0, " dB"),
    "Q": (0.05, 1000.0, ""),
    "Slope": (0.5, _MAX_SLOPE_DB, " dB per octave"),
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
_ALIASES = {
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
          CSV file or a measurement exported by REW. With a header the columns are found by name (``frequency``;
          ``equalization``, ``gain``, ``dB``, ``SPL``); otherwise they are the first two. Lines that begin with
          ``#``, ``*``, ``;`` or a quotation mark are comments.
        - a line ``GraphicEQ: 20 -1.0; 21 -1.1; ...``, the format of AutoEq and Equalizer APO.
        - filters ``Filter 1: ON PK Fc 105 Hz Gain -3.2 dB Q 0.7`` with ``Preamp: -6 dB``, the format of REW, AutoEq
          and Equalizer APO: PK, LS, HS (by Q or a slope such as ``LS 6dB``), LP, HP (second order), NO.

        A file may have both of the last two; they are applied in its order.
    phase : {'minimum', 'linear', 'mixed'}
        Of the filters; a notch has minimum phase in any case.

    Returns
    -------
    Effect
        A `Curve`, or a `Chain` of filters.

    Raises
    ------
    PresetError
        If the file cannot be read, or a line is invalid; the message gives its number.
    ParameterError
        If the phase is unknown.

    Examples
    --------
    >>> load_equalizer("autoeq.txt", phase="linear")  # doctest: +SKIP
    Gain(db=-6.1) >> Peak(frequency=105.0, gain_db=-3.2, q=0.7, phase='linear')
    """
    path = Path(file_path("equalizer", path))
    phase = one_of("phase", phase, PHASES)
    lines = _lines(path)
    try:
        if any(pattern.match(line) for _, line in lines for pattern in (_GRAPHIC, _FILTER, _PREAMP)):
            return _commands(path, lines, phase)
        return Curve(tuple(sorted(_table(path, lines))), phase=phase)
    except ParameterError as error:
        raise PresetError(f"{path}: {error}") from error


def report_on_equalizer(equalizer: Effect, sample_rate: int) -> FilterReport:
    """Return the number of taps of an equalizer from a file, and their deviation from its curve.

    Parameters
    ----------
    equalizer : Effect
        From `load_equalizer`. The curve of a chain is the product of its filters' curves.
    sample_rate : int
        In Hz.
    """
    instance("equalizer", equalizer, Effect, "an Effect")  # type: ignore[type-abstract]
    sample_rate = as_sample_rate(sample_rate)
    parts = equalizer.effects if isinstance(equalizer, Chain) else (equalizer,)
    equalizers = [part for part in parts if isinstance(part, Equalizer)]
    level = math.prod(from_db(part.db) for part in parts if isinstance(part, Gain))

    def magnitude(frequencies: Double) -> Double:
        return math.prod(
            (part.magnitude(frequencies) for part in equalizers), start=np.full_like(frequencies, level)
        )

    response = equalizer.response(sample_rate)
    taps = response.samples[:, 0].astype(np.float64)
    finest = min((part.resolution for part in equalizers), default=1.0)
    return report_on(response, deviation(taps, magnitude, sample_rate, resolution=finest))


def bounded_bytes(path: Path, max_bytes: int, expected: str) -> bytes:
    """Return the bytes of a preset or an equalizer file.

    Raises
    ------
    PresetError
        If the file cannot be read, or is longer than `max_bytes`; the message then names what was `expected`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PresetError(f"{path}: cannot be read ({reason})") from error
    if len(data) > max_bytes:
        raise PresetError(f"{path}: longer than {max_bytes // 1_000_000} MB; expected {expected}")
    return data


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor comments, with their numbers."""
    data = bounded_bytes(path, _MAX_BYTES, "a table of Hz and dB")
    text = (
        data.decode("utf-16", "replace")
        if data[:2] in (b"\xff\xfe", b"\xfe\xff")
        else data.decode("utf-8-sig", "replace")
    )
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in stripped if line and not line.startswith(_COMMENTS)]


def _commands(path: Path, lines: list[tuple[int, str]], phase: Phase) -> Effect:
    """Return the effect of all lines that are commands; other lines describe the file and are skipped."""
    effects: list[Effect] = []
    for number, line in lines:
        try:
            effects.extend(_command(line, phase))
        except ParameterError as error:
            raise PresetError(f"{path}, line {number}: {error}") from error
    if len(effects) > _MAX_FILTERS:
        raise PresetError(f"{path}: {len(effects)} filters; expected at most {_MAX_FILTERS}")
    if not effects:
        raise PresetError(f"{path}: all filters are off; expected one that is on")
    return effects[0] if len(effects) == 1 and isinstance(effects[0], Curve) else Chain(tuple(effects))


def _command(line: str, phase: Phase) -> Iterator[Effect]:
    """Yield the effect of a line, if it has one."""
    if preamp := _PREAMP.match(line):
        yield Gain(_float(preamp[1]))
    elif graphic := _GRAPHIC.match(line):
        yield Curve(tuple(sorted(_points(graphic[1]))), phase=phase)
    elif found := _FILTER.match(line):
        if found[1].upper() == "ON":
            yield from _filter(found[2], phase)
    elif foreign := _FOREIGN.match(line):
        raise ParameterError(
            f"{foreign[1]!r} is no part of an equalizer; expected lines of Preamp, Filter and GraphicEQ that apply to "
            "all channels"
        )


def _points(text: str) -> Iterator[tuple[float, float]]:
    for pair in filter(None, (part.strip() for part in text.split(";"))):
        values = pair.split()
        if len(values) != 2 or not all(re.fullmatch(_NUMBER, value) for value in values):
            raise ParameterError(f"{shown(repr(pair))}; expected pairs of Hz and dB such as 105 -3.2")
        yield _float(values[0]), _float(values[1])


def _filter(words: str, phase: Phase) -> Iterator[Effect]:
    """Yield the effect of the words after ``Filter 1: ON``; none for ``None``."""
    name = words.split()[0].upper() if words.split() else ""
    if name in ("", "NONE"):
        return
    kind = _ALIASES.get(name, name)
    if kind not in _TYPES:
        raise ParameterError(
            f"filter type {shown(repr(name))}; expected one of {', '.join((*_TYPES, *_ALIASES))}"
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
            f"filter {name} has no {error.args[0]}; expected a line such as PK Fc 105 Hz Gain -3 dB Q 1"
        ) from None


def _corner(values: _Values) -> float:
    """Return the ratio of a shelf's middle frequency to its corner frequency, to which a slope refers."""
    return (
        float(10 ** (abs(values["Gain"]) / 80 * _MAX_SLOPE_DB / values["Slope"]))
        if "Slope" in values
        else 1.0
    )


def _shelf_q(values: _Values) -> float:
    """Return a shelf's Q; from its slope S, if that is given, by ``1/Q² = (A + 1/A) (1/S − 1) + 2``."""
    if "Q" in values:
        return values["Q"]
    a, slope = 10 ** (values["Gain"] / 40), values.get("Slope", _DEFAULT_SLOPE_DB) / _MAX_SLOPE_DB
    return float(((a + 1 / a) * (1 / slope - 1) + 2) ** -0.5)


def _resonant(cut: LowCut | HighCut, values: _Values) -> Effect:
    """Return a second-order cut with a Q: a Butterworth cut, then a peak with the ratio of both gains."""
    q = values.get("Q", _BUTTERWORTH_Q) / _BUTTERWORTH_Q
    if q == 1.0:
        return cut
    return Chain((cut, Peak(cut.frequency, 20 * math.log10(q), math.sqrt(q / 2), phase=cut.phase)))


def _table(path: Path, lines: list[tuple[int, str]]) -> Iterator[tuple[float, float]]:
    """Yield the points of a table; later ones of the same frequency are left out."""
    columns, seen = (0, 1), set()
    for row, (number, line) in enumerate(lines):
        cells = _cells(line)
        if row == 0 and not re.fullmatch(_NUMBER, cells[0]):
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
        raise PresetError(f"{path}: has no table; expected lines with a frequency in Hz and a gain in dB")


def _cells(line: str) -> list[str]:
    """Split a line at its separator; a comma is one only if there is no semicolon, tab or blank."""
    for separator in (";", "\t"):
        if separator in line:
            return [cell.strip() for cell in line.split(separator)]
    words = line.split()
    if "," in line and (len(words) == 1 or re.search(r",\s", line)):
        return [cell.strip() for cell in line.split(",")]
    return words


def _named_columns(path: Path, number: int, header: list[str]) -> tuple[int, int]:
    """Return the columns of frequency and gain, found by their names in a header."""
    names = [cell.strip(' "').lower() for cell in header]

    def column(prefixes: tuple[str, ...]) -> int | None:
        return next((names.index(n) for p in prefixes for n in names if n.startswith(p)), None)

    frequency, gain = column(_FREQUENCY_COLUMNS), column(_GAIN_COLUMNS)
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
