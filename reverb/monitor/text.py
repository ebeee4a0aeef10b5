"""A session as text and block characters, for the full screen and for the single line."""

import math
from itertools import pairwise
from typing import Protocol

import numpy as np

from reverb.live.control.core import Controllable
from reverb.live.meters import Level, Meters, Stats
from reverb.responses.response import ImpulseResponse

FLOOR_DB = -60.0
_DECAY_FLOOR_DB = -80.0
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class MonitoredSession(Controllable, Protocol):
    """The part of a session that the monitor shows."""

    @property
    def response(self) -> ImpulseResponse:
        """The impulse response of the wet path."""
        ...

    def meters(self) -> Meters:
        """Return the current readings of the meters."""
        ...

    def stats(self) -> Stats:
        """Return the figures since the start."""
        ...


def db(value: float) -> str:
    """Return a level in dB as text."""
    return "-inf" if value == -math.inf else f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"


def bar(level: Level, channel: int, width: int) -> str:
    """Return a channel's meter from −60 to 0 dBFS: full blocks up to the RMS level, light ones up to the peak."""
    rms, peak, hold = (_cells(values[channel], width) for values in (level.rms, level.peak, level.hold))
    cells = ["█" if n < rms else "▒" if n < peak else "·" for n in range(width)]
    if hold:
        cells[hold - 1] = "│"
    return "".join(cells)


def _cells(value: float, width: int) -> int:
    """Return how many of `width` cells a level in dBFS fills."""
    share = (max(value, FLOOR_DB) - FLOOR_DB) / -FLOOR_DB
    return min(width, round(share * width))


def scale(width: int) -> str:
    """Return the scale of a meter: a number every 12 dB from −60 to 0 dBFS."""
    marks = [" "] * width
    for level in range(int(FLOOR_DB), 1, 12):
        mark = f"{level}"
        end = max(_cells(level, width), len(mark))
        marks[end - len(mark) : end] = mark
    return "".join(marks)


def decay(response: ImpulseResponse, width: int, height: int) -> list[str]:
    """Return a plot of a response's level over time, 0 to −80 dB below its maximum, as lines from the top."""
    power = np.square(response.samples, dtype=np.float64).sum(axis=1)
    edges = np.linspace(0, len(power), width + 1).astype(int)
    columns = np.array([power[start : max(end, start + 1)].mean() for start, end in pairwise(edges)])
    with np.errstate(divide="ignore"):
        levels = 10.0 * np.log10(columns / max(columns.max(), 1e-300))
    heights = np.clip(1.0 - levels / _DECAY_FLOOR_DB, 0.0, 1.0) * height
    rows = []
    for row in range(height - 1, -1, -1):
        eighths = np.clip(np.round((heights - row) * 8), 0, 8).astype(int)
        rows.append("".join(_EIGHTHS[eighth] for eighth in eighths))
    return rows


def levels(session: Controllable) -> str:
    """Return the levels of a session as text."""
    mix = f"mix {session.mix:.0%}" if session.mix is not None else "mix -"
    parts = [mix, f"wet {db(session.wet)} dB", f"dry {db(session.dry)} dB", f"gain {db(session.gain)} dB"]
    return "  ".join(parts + ["BYPASS"] * session.bypass + ["MUTE"] * session.mute)


def title(session: MonitoredSession) -> str:
    """Return the name, layout, length and latency of the response."""
    response = session.response
    late = f", {response.latency} frames late" if response.latency else ""
    return f"{response.name or 'unnamed'}  {response.layout}, {response.seconds:.2f} s{late}"


def clock(seconds: float) -> str:
    """Return a time in seconds as minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def status(session: MonitoredSession) -> str:
    """Return a session's state in one line."""
    meters, stats = session.meters(), session.stats()
    clip = " CLIP" if meters.input.clipped or meters.output.clipped else ""
    return (
        f"{clock(stats.seconds)}  {session.response.name or 'unnamed'}  {levels(session)}  "
        f"in {db(max(meters.input.peak))} out {db(max(meters.output.peak))} dBFS{clip}  "
        f"load {meters.load:.0%} worst {stats.load.worst:.0%}  xruns {stats.xruns}"
    )


def summary(stats: Stats, recorded: list[str]) -> str:
    """Return the figures of a session, and the files it has recorded, in a few lines."""
    load = stats.load
    lines = [
        f"{clock(stats.seconds)} at {stats.sample_rate} Hz in blocks of {stats.block_size} frames; "
        f"{stats.xruns} xruns",
        f"callback: p50 {load.p50:.1%}, p99 {load.p99:.1%}, worst {load.worst:.1%} of a block; {load.late} late",
        f"peaks: input {db(stats.input.highest)}, output {db(stats.output.highest)} dBFS",
    ]
    for count, event in (
        (stats.limited, "samples reduced by the limiter"),
        (stats.howls, "howls turned down"),
        (stats.bad_blocks, "blocks with NaN or infinity silenced"),
        (stats.starved, "blocks of the input file read too late"),
    ):
        if count:
            lines.append(f"{count} {event}")
    if recorded:
        lines.append(
            f"recorded {', '.join(recorded)}: {clock(stats.recorded / stats.sample_rate)}, {stats.lost} frames lost"
        )
    return "\n".join(lines)
