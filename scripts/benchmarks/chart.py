"""Draw the chart of the performance page from saved benchmark results."""

from typing import TYPE_CHECKING

from benchmarks.page import OURS, RATE, RESPONSE, UNTUNED, ZITA, Results, read
from reverb.plots.figures import Theme, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (8.4, 3.6)
_PEERS = {OURS: "reverb", UNTUNED: "reverb, without FFTW", ZITA: "zita-convolver", "pedalboard": "pedalboard"}


def programs(theme: Theme) -> "Figure":
    """Draw the wall time for ten minutes by program, and the CPU time against the block size."""
    results = read()
    figure, (files, blocks) = new_figure(*SIZE, columns=2)
    _files(files, results, theme)
    _blocks(blocks, results, theme)
    return figure


def _files(axes: "Axes", results: Results, theme: Theme) -> None:
    rows = [row for row in results["offline"].tables["files"] if row["response_s"] == RESPONSE]
    names = [row["program"].replace(" with soundfile", "ing only") for row in rows]
    colors = [theme.lines[0] if name.startswith("reverb") else theme.lines[1] for name in names]
    bars = axes.barh(names, [row["wall_s"] for row in rows], height=0.62, color=colors)
    axes.bar_label(bars, fmt="%.2f s", padding=3, fontsize=9)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.2)
    axes.set(xlabel="wall time (s)")
    axes.set_title("Ten minutes of stereo")


def _blocks(axes: "Axes", results: Results, theme: Theme) -> None:
    rows = [row for row in results["realtime"].tables["blocks"] if row["response_s"] == RESPONSE]
    colors = (theme.lines[0], theme.lines[0], theme.lines[1], theme.lines[3])
    for (peer, name), color in zip(_PEERS.items(), colors, strict=True):
        line = [row for row in rows if row["peer"] == peer and row["layout"] == "stereo"]
        share = [100 * row["cpu_us"] / (1e6 * row["block"] / RATE) for row in line]
        style = ":" if peer == UNTUNED else "-"
        axes.plot(
            [row["block"] for row in line], share, style, marker="o", ms=4, color=color, lw=1.8, label=name
        )
    ticks = sorted({row["block"] for row in rows})
    axes.set(xscale="log", yscale="log", xlabel="block (frames)", ylabel="CPU ÷ period (%)")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_title(f"Live, a response of {RESPONSE:g} s")
    axes.legend()
