"""Draw the figures of the two theory pages from the plans of the engine and the bundled rooms."""

import math
from typing import TYPE_CHECKING

import numpy as np

import reverb
from reverb.choices import Level
from reverb.engine.realtime.plan import Plan, plan_partitions
from reverb.engine.realtime.schedule import Shape
from reverb.engine.routing import parallel
from reverb.plots.figures import Theme, new_figure
from reverb.responses.level import blend, level_gain, loudness_ratio

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 48_000
BLOCK = 128
ROOMS = ("room", "living-room", "plate", "chamber", "hall", "church", "cathedral")
SIZE = (8.4, 3.6)
LEVELS: tuple[Level, ...] = ("loudness", "peak", "energy")
STEREO = Shape.of(parallel(2))


def partition_cost(theme: Theme) -> "Figure":
    """Draw the work per frame against the response's length, for four methods without added latency."""
    figure, axes = new_figure(*SIZE)
    taps = np.unique(np.geomspace(BLOCK, 20 * RATE, 40).astype(int))
    seconds = taps / RATE
    log = math.log2
    direct = 2.0 * taps
    # Real FFTs of n points at 2.5 n log2 n operations, complex multiply-adds at 8; overlap-save needs 2 block points.
    whole = [(2 * 2.5 * n * log(n) + 4 * n) / BLOCK for n in (2.0 ** math.ceil(log(t + BLOCK)) for t in taps)]
    equal = [(2 * 2.5 * 2 * BLOCK * log(2 * BLOCK) + 8 * BLOCK * math.ceil(t / BLOCK)) / BLOCK for t in taps]
    stages = [_operations(_plan(int(t))) for t in taps]
    for values, name, color in (
        (direct, "sample by sample", theme.lines[2]),
        (whole, "one FFT over the whole response, every block", theme.lines[3]),
        (equal, "equal partitions", theme.lines[1]),
        (stages, "growing partitions (this engine's plans)", theme.lines[0]),
    ):
        axes.plot(seconds, values, color=color, lw=2, label=name)
    axes.set(xscale="log", yscale="log", xlabel="length of the response (s)", ylabel="operations per frame")
    axes.set_title(f"Cost of one channel, blocks of {BLOCK} frames, 48 kHz")
    axes.legend()
    return figure


def _operations(plan: Plan) -> float:
    """Return the operations per frame and channel of all stages of a plan."""
    total = 0.0
    for stage in plan.stages:
        points = 2 * stage.size
        total += (2 * 2.5 * points * math.log2(points) + 8 * stage.size * stage.partitions) / stage.size
    return total


def _plan(taps: int) -> Plan:
    return plan_partitions(BLOCK, taps, STEREO)


def partition_stages(theme: Theme) -> "Figure":
    """Draw where each stage lies in a response of four seconds, and when its first result is ready."""
    figure, axes = new_figure(*SIZE)
    plan = _plan(4 * RATE)
    for row, stage in enumerate(plan.stages):
        color = theme.lines[row % len(theme.lines)]
        for n in range(stage.partitions):
            start = stage.offset + n * stage.size
            axes.barh(row, stage.size, left=start, height=0.62, color=color, ec=theme.ground, lw=0.7)
        if row:
            axes.barh(row, stage.size, left=0.75 * BLOCK, height=0.18, color=theme.faint, alpha=0.7)
    names = [f"{stage.partitions} × {stage.size}" for stage in plan.stages]
    axes.set(
        xscale="log",
        xlim=(0.75 * BLOCK, 4.4 * RATE),
        xlabel="frame of the response (thin bars: input being collected)",
    )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_title("A stage begins after its input has been collected and transformed")
    return figure


def partition_slots(theme: Theme) -> "Figure":
    """Draw the work of every block over a period, spread by the plan, and not spread."""
    figure, axes = new_figure(*SIZE)
    plan = _plan(4 * RATE)
    heaped = np.full(plan.period, float(plan.stages[0].work))
    for stage in plan.stages[1:]:
        heaped[:: stage.ratio] += sum(task.cost for task in stage.tasks)
    blocks = np.arange(plan.period)
    axes.plot(
        blocks,
        heaped / 1000,
        color=theme.lines[1],
        lw=0.9,
        label="not spread: each stage when its partition is full",
    )
    axes.plot(
        blocks,
        np.array(plan.slots) / 1000,
        color=theme.lines[0],
        lw=1.6,
        label="spread over the blocks in between",
    )
    axes.axhline(1e6 * BLOCK / RATE, color=theme.ink, lw=1, ls=":", label="time of one block")
    axes.set(
        yscale="log", xlabel="block", ylabel="microseconds, by the cost model", xlim=(-3, plan.period - 1)
    )
    axes.set_ylim(top=4e4)
    axes.set_title("The fullest block sets the limit")
    axes.legend()
    return figure


def level_of_rooms(theme: Theme) -> "Figure":
    """Draw the loudness of pink noise after each bundled response, for three kinds of normalization."""
    figure, axes = new_figure(*SIZE)
    responses = [reverb.impulse(name) for name in ROOMS]
    place = np.arange(len(ROOMS))
    for n, (level, color) in enumerate(zip(LEVELS, theme.lines, strict=False)):
        gains = [
            10 * math.log10(loudness_ratio(response)) + 20 * math.log10(level_gain(response, level))
            for response in responses
        ]
        axes.plot(place + 0.12 * (n - 1), gains, "o", color=color, ms=7, label=f"level={level!r}")
        axes.vlines(place + 0.12 * (n - 1), 0, gains, color=color, lw=1.5)
    axes.axhline(0, color=theme.ink, lw=1)
    axes.set_xticks(place, ROOMS)
    axes.set(ylabel="loudness relative to dry (dB)")
    axes.set_title("Pink noise through the bundled rooms, wet only")
    axes.legend()
    return figure


def level_of_mixes(theme: Theme) -> "Figure":
    """Draw the loudness of a mix against the amount of room, for three laws."""
    figure, axes = new_figure(*SIZE)
    mixes = np.linspace(0, 1, 101)
    dry, wet = np.cos(mixes * np.pi / 2), np.sin(mixes * np.pi / 2)
    laws = ((1 - mixes, mixes, ":", "crossfade 1 − m, m"), (dry, wet, "--", "equal power"))
    for name, color in (("room", theme.lines[1]), ("church", theme.lines[0])):
        response = reverb.impulse(name)
        measured, gain = blend(response), level_gain(response)
        for first, second, style, law in laws:
            values = [
                10 * math.log10(measured.ratio(d, gain * w)) for d, w in zip(first, second, strict=True)
            ]
            axes.plot(mixes, values, style, color=color, lw=1.6, label=f"{name}: {law}")
        ours = [
            10 * math.log10(loudness_ratio(reverb.Reverb(response, mix=float(mix)).response(RATE)))
            for mix in mixes[::20]
        ]
        axes.plot(mixes[::20], ours, "o-", color=color, lw=2.2, label=f"{name}: reverb --mix")
    axes.set(xlabel="mix", ylabel="loudness (dB)", xlim=(0, 1))
    axes.set_title("Pink noise, with the room at 0 dB")
    axes.legend(ncols=2)
    return figure
