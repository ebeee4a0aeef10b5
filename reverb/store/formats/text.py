"""Responses as text: one number per line, a column per channel, or the export of Room EQ Wizard (REW)."""

import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.errors import AudioFileError
from reverb.responses.response import ImpulseResponse
from reverb.responses.shape import MAX_SAMPLES
from reverb.store.formats.bare import LONGEST_SECONDS, as_response, checked_size

_COMMENTS = ("#", "*", ";", "%", "//", '"')
_RATE = re.compile(r"sample rate:?\s*([0-9]{1,9})", re.IGNORECASE)
_INTERVAL = "// sample interval (seconds)"
_START = "// start time (seconds)"
_HEADER_LINES = 100
_MOST_CHANNELS = 256
_LONGEST_LINE = 1 << 14
_MOST_BYTES = 1 << 28


def read_text(path: PathLike, layout: str | None, sample_rate: int | None) -> ImpulseResponse:
    """Read numbers from text, columns parted by blanks, tabs, commas or semicolons.

    A comment ``# sample rate 48000`` tells the rate, as `write_text` writes it. REW's "impulse response as text" tells
    rate and time zero: what it exported before time zero becomes `latency`.

    Raises
    ------
    AudioFileError
        If a line is no number; the message names the line.
    ParameterError
        If neither the file, its name nor the caller tells the rate.
    """
    checked_size(path, _MOST_BYTES)
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            head = [line for _, line in zip(range(_HEADER_LINES), _lines(path, file), strict=False)]
            first, sample_rate, start = _facts(path, head, sample_rate)
            file.seek(0)
            samples = _numbers(path, _lines(path, file), first)
    except UnicodeDecodeError as error:
        raise AudioFileError(
            f"{path}: no text (byte {error.start} is none); expected one number per line"
        ) from error
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({error.strerror or error})") from error
    latency = max(round(-start * (sample_rate or 0)), 0)
    if latency >= len(samples):
        raise AudioFileError(f"{path}: its time zero lies {latency} frames in, it has {len(samples)}")
    return as_response(samples, path, layout, sample_rate, latency)


def write_text(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Write a number per line and channel, every bit kept, under a comment with the sample rate."""
    digits = 17 if response.samples.dtype == np.float64 else 9
    rows = (" ".join(f"{value:.{digits}g}" for value in frame) for frame in response.samples.tolist())
    with whole_or_nothing(path, overwrite) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f"# sample rate {response.sample_rate} Hz, {response.layout}\n")
        file.writelines(f"{row}\n" for row in rows)


def _lines(path: PathLike, file: TextIO) -> Iterator[str]:
    """Give the lines of a text; one without end is refused before it is read."""
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise AudioFileError(
                f"{path}: a line of more than {_LONGEST_LINE} characters; expected one number per line"
            )
        yield line


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(_COMMENTS)


def _facts(path: PathLike, head: list[str], sample_rate: int | None) -> tuple[int, int | None, float]:
    """Return the first line of the data, the sample rate if it is known, and the time of the first frame in seconds."""
    facts = _rew_facts(head)
    if facts is not None:
        first, interval, start = facts
        if not 1e-7 < interval < 1:
            raise AudioFileError(f"{path}: a sample interval of {interval:g} s makes no sense")
        if not abs(start) <= LONGEST_SECONDS:
            raise AudioFileError(f"{path}: a start time of {start:g} s makes no sense")
        return first, round(1 / interval), start
    if sample_rate is None:
        told = [match for line in head if _is_comment(line) and (match := _RATE.search(line))]
        sample_rate = int(told[0][1]) if told else None
    return 0, sample_rate, 0.0


def _rew_facts(lines: list[str]) -> tuple[int, float, float] | None:
    """Return the first line of the data, the interval and the start of REW's export; None for another file."""
    named = {
        line[line.find("//") :].lower().strip(): (number, line.split("//")[0].strip())
        for number, line in enumerate(lines)
        if "//" in line
    }
    if _INTERVAL not in named:
        return None
    try:
        interval = float(named[_INTERVAL][1].replace(",", "."))
        start = float(named[_START][1].replace(",", ".")) if _START in named else 0.0
    except ValueError:
        return None
    return 1 + max(number for number, _ in named.values()), interval, start


def _numbers(path: PathLike, lines: Iterator[str], first: int) -> npt.NDArray[np.float64]:
    values, columns = array("d"), 0
    for number, line in enumerate(lines, 1):
        if number <= first or not line.strip() or _is_comment(line):
            continue
        try:
            row = [float(cell) for cell in re.split(r"[,;\s]+", line.strip(" ,;\t\r\n"))]
        except ValueError:
            raise AudioFileError(f"{path}: line {number} is no number: {line.strip()[:40]!r}") from None
        columns = columns or len(row)
        if len(row) > _MOST_CHANNELS or len(row) != columns:
            raise AudioFileError(
                f"{path}: line {number} has {len(row)} numbers; expected {min(columns, _MOST_CHANNELS)}"
            )
        values.extend(row)
        if len(values) > MAX_SAMPLES // 2:
            raise AudioFileError(f"{path}: has more than {MAX_SAMPLES // 2} numbers; make it shorter")
    if not values:
        raise AudioFileError(f"{path}: holds no numbers; expected one per line")
    return np.frombuffer(values, np.float64).reshape(-1, columns)
