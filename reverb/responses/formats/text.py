"""Responses as text: one number per line, a column per channel, or the export of Room EQ Wizard (REW)."""

import re
from itertools import islice

import numpy as np

from reverb.errors import AudioFileError
from reverb.responses.formats.bare import as_response, checked_bytes
from reverb.responses.response import ImpulseResponse
from reverb.soundfiles import PathLike, whole_or_nothing

_COMMENTS = ("#", "*", ";", "%", "//", '"')
_RATE = re.compile(r"sample rate:?\s*([0-9]+)", re.IGNORECASE)
_INTERVAL = "// sample interval (seconds)"
_START = "// start time (seconds)"
_HEADER_LINES = 100
_MOST_CHANNELS = 256


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
    try:
        lines = checked_bytes(path).decode("utf-8-sig", errors="strict").splitlines()
    except UnicodeDecodeError as error:
        raise AudioFileError(
            f"{path}: no text (byte {error.start} is none); expected one number per line"
        ) from error
    facts = _rew_facts(lines)
    first, latency = 0, 0
    if facts is not None:
        first, interval, start = facts
        if not 1e-7 < interval < 1:
            raise AudioFileError(f"{path}: a sample interval of {interval:g} s makes no sense")
        sample_rate = round(1 / interval)
        latency = max(round(-start * sample_rate), 0)
    elif sample_rate is None:
        told = [
            match for line in lines[:_HEADER_LINES] if _is_comment(line) and (match := _RATE.search(line))
        ]
        sample_rate = int(told[0][1]) if told else None
    samples = _numbers(path, lines, first)
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


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(_COMMENTS)


def _rew_facts(lines: list[str]) -> tuple[int, float, float] | None:
    """Return the first line of the data, the interval and the start of REW's export; None for another file."""
    named = {
        text.lower().strip(): (number, line.split("//")[0].strip())
        for number, line in enumerate(islice(lines, _HEADER_LINES))
        for text in [line[line.find("//") :]]
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


def _numbers(path: PathLike, lines: list[str], first: int) -> np.ndarray:
    rows: list[list[float]] = []
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip() or _is_comment(line):
            continue
        try:
            row = [float(cell) for cell in re.split(r"[,;\s]+", line.strip(" ,;\t\r"))]
        except ValueError:
            raise AudioFileError(f"{path}: line {number} is no number: {line.strip()[:40]!r}") from None
        if len(row) > _MOST_CHANNELS or (rows and len(row) != len(rows[0])):
            raise AudioFileError(
                f"{path}: line {number} has {len(row)} numbers; expected {len((rows or [[0]])[0])}"
            )
        rows.append(row)
    if not rows:
        raise AudioFileError(f"{path}: holds no numbers; expected one per line")
    return np.array(rows)
