"""Impulse responses as text: a line per frame and a column per channel, or the export of Room EQ Wizard (REW)."""

import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from reverb.arrays import Audio
from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.errors import AudioFileError
from reverb.responses.layouts import MAX_SAMPLES
from reverb.responses.response import ImpulseResponse
from reverb.store.formats.bare import response_from_samples
from reverb.store.formats.checks import MAX_SECONDS, checked_size

_COMMENTS = ("#", "*", ";", "%", "//", '"')
_RATE = re.compile(r"sample rate:?\s*([0-9]{1,9})", re.IGNORECASE)
_INTERVAL = "// sample interval (seconds)"
_START = "// start time (seconds)"
_MAX_HEADER_LINES = 100
_MAX_CHANNELS = 256
_MAX_LINE = 1 << 14  # characters
_MAX_BYTES = 1 << 28
_MAX_NUMBERS = MAX_SAMPLES // 2


def read_text(path: PathLike, layout: str | None, sample_rate: int | None) -> ImpulseResponse:
    """Read numbers from text, with columns separated by blanks, tabs, commas or semicolons.

    The sample rate is in a comment ``# sample rate 48000``, such as `write_text` writes. REW's "impulse response as
    text" has the sample rate and time zero: the frames before time zero become `latency`.

    Raises
    ------
    AudioFileError
        If a line is not a number; the message gives its number.
    UnknownRateError
        If the sample rate is neither in the file, nor given, nor in the file's name.
    """
    checked_size(path, _MAX_BYTES)
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            head = [line for _, line in zip(range(_MAX_HEADER_LINES), _lines(path, file), strict=False)]
            first, sample_rate, start = _facts(path, head, sample_rate)
            file.seek(0)
            samples = _numbers(path, _lines(path, file), first)
    except UnicodeDecodeError as error:
        raise AudioFileError(
            f"{path}: not text in UTF-8 (byte {error.start}); expected one number per line"
        ) from error
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({error.strerror or error})") from error
    latency = max(round(-start * (sample_rate or 0)), 0)
    if latency >= len(samples):
        raise AudioFileError(f"{path}: its time zero is frame {latency}, but it has {len(samples)} frames")
    return response_from_samples(samples, path, layout, sample_rate, latency)


def write_text(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Write a line per frame and a column per channel, exactly, under a comment with the sample rate."""
    digits = 17 if response.samples.dtype == np.float64 else 9
    rows = (" ".join(f"{value:.{digits}g}" for value in frame) for frame in response.samples.tolist())
    with whole_or_nothing(path, overwrite) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f"# sample rate {response.sample_rate} Hz, {response.layout}\n")
        file.writelines(f"{row}\n" for row in rows)


def _lines(path: PathLike, file: TextIO) -> Iterator[str]:
    """Yield the lines of a text; one that is too long is refused before it is read to its end."""
    while line := file.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise AudioFileError(
                f"{path}: a line of more than {_MAX_LINE} characters; expected one number per line"
            )
        yield line


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(_COMMENTS)


def _facts(path: PathLike, head: list[str], sample_rate: int | None) -> tuple[int, int | None, float]:
    """Return the first line of the data, the sample rate if it is known, and the time of the first frame in seconds."""
    rew = _rew_facts(head)
    if rew is not None:
        first, interval, start = rew
        if not 1e-7 < interval < 1:
            raise AudioFileError(f"{path}: a sample interval of {interval:g} s; expected 1e-7 to 1 s")
        if not abs(start) <= MAX_SECONDS:
            raise AudioFileError(f"{path}: a start time of {start:g} s; expected at most ±{MAX_SECONDS} s")
        return first, round(1 / interval), start
    if sample_rate is None:
        found = [match for line in head if _is_comment(line) and (match := _RATE.search(line))]
        sample_rate = int(found[0][1]) if found else None
    return 0, sample_rate, 0.0


def _rew_facts(lines: list[str]) -> tuple[int, float, float] | None:
    """Return the first line of the data, the sample interval and the start time of REW's export, or None."""
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


def _numbers(path: PathLike, lines: Iterator[str], first: int) -> Audio:
    values, columns = array("d"), 0
    for number, line in enumerate(lines, 1):
        if number <= first or not line.strip() or _is_comment(line):
            continue
        try:
            row = [float(cell) for cell in re.split(r"[,;\s]+", line.strip(" ,;\t\r\n"))]
        except ValueError:
            raise AudioFileError(f"{path}: line {number} is not a number: {line.strip()[:40]!r}") from None
        columns = columns or len(row)
        if len(row) > _MAX_CHANNELS or len(row) != columns:
            raise AudioFileError(
                f"{path}: line {number} has {len(row)} numbers; expected {min(columns, _MAX_CHANNELS)}"
            )
        values.extend(row)
        if len(values) > _MAX_NUMBERS:
            raise AudioFileError(f"{path}: has more than {_MAX_NUMBERS} numbers; make it shorter")
    if not values:
        raise AudioFileError(f"{path}: has no numbers; expected one per line")
    return np.frombuffer(values, np.float64).reshape(-1, columns)
