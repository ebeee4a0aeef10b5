#!/usr/bin/env python3
"""Compare reverb.convolve with its peers in one process: time per sample against the length of the response.

The peers run in turn, several times (A B C A B C), on float32 arrays in their preferred layout; the median counts. The
table has each result's error against float64 beside its time, so that a fast wrong result shows.

    scripts/bench_convolve.py --channels 2 --taps 512 192000
    scripts/bench_convolve.py --plot cost.png
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.signal
from benchmarks.results import add_options, keep, this_machine

from reverb.engine.convolve import convolve

Samples = npt.NDArray[np.floating[Any]]
Run = Callable[[], Samples]

RATE = 48_000
TAPS = (480, 512, 1440, 4800, 14_400, 48_000, 192_000, 480_000)


class Row(NamedTuple):
    """One peer's figures for one case; a ratio below 1 is faster than oaconvolve in its faster layout."""

    peer: str
    taps: int
    channels: int
    seconds: float
    ratio: float
    null_db: float


def peers(x: Samples, h: Samples) -> dict[str, Run]:
    """Yield each installed peer as a function that returns its result as (frames, channels)."""
    across, taps_across = np.ascontiguousarray(x.T), np.ascontiguousarray(h.T)
    found: dict[str, Run] = {
        "reverb": lambda: convolve(x, h),
        "reverb, 1 worker": lambda: convolve(x, h, workers=1),
        "oaconvolve, frames first": lambda: scipy.signal.oaconvolve(x, h, axes=0),
        "oaconvolve, channels first": lambda: scipy.signal.oaconvolve(across, taps_across, axes=-1).T,
    }
    if importlib.util.find_spec("torch") and importlib.util.find_spec("torchaudio"):
        torch = importlib.import_module("torch")
        functional = importlib.import_module("torchaudio.functional")
        tensors = torch.from_numpy(across), torch.from_numpy(taps_across)
        found["torchaudio fftconvolve"] = lambda: functional.fftconvolve(*tensors).numpy().T
    return found


def null_db(actual: Samples, reference: Samples) -> float:
    """Return the peak of the residual ÷ the peak of the reference, in dB."""
    residual = max(float(np.abs(actual[:, c] - reference[:, c]).max()) for c in range(reference.shape[1]))
    return float(20 * np.log10(max(residual, 1e-300) / np.abs(reference).max()))


def measure(taps: int, channels: int, frames: int, rounds: int) -> list[Row]:
    """Run all peers on one case."""
    rng = np.random.default_rng(taps)
    x = rng.standard_normal((frames, channels), np.float32)
    h = rng.standard_normal((taps, channels), np.float32)
    h *= np.exp(-6.9 * np.arange(taps, dtype=np.float32) / taps)[:, None]
    runs = peers(x, h)
    reference = scipy.signal.oaconvolve(x.astype(np.float64), h.astype(np.float64), axes=0)
    nulls = {name: null_db(run(), reference) for name, run in runs.items()}
    del reference
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    scipys = min(seconds for name, seconds in medians.items() if name.startswith("oaconvolve"))
    return [
        Row(name, taps, channels, seconds, seconds / scipys, nulls[name]) for name, seconds in medians.items()
    ]


def report(rows: list[Row], frames: int) -> None:
    """Print one case as lines of a table."""
    for row in rows:
        cost = row.seconds / (frames * row.channels) * 1e9
        print(
            f"| {row.taps} | {row.channels} | {row.peer} | {row.seconds * 1e3:.1f} | {cost:.2f} "
            f"| {row.ratio:.3f} | {row.null_db:.0f} |",
            flush=True,
        )


def plot(rows: list[Row], frames: int, path: str) -> None:
    """Draw the cost per sample against the length of the response, one panel per number of channels."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    channels = sorted({row.channels for row in rows})
    figure, panels = plt.subplots(
        1, len(channels), figsize=(4.5 * len(channels), 4), sharey=True, squeeze=False, layout="constrained"
    )
    for panel, count in zip(panels[0], channels, strict=True):
        for name in dict.fromkeys(row.peer for row in rows):
            line = [row for row in rows if row.peer == name and row.channels == count]
            milliseconds = [row.taps / RATE * 1e3 for row in line]
            costs = [row.seconds / (frames * count) * 1e9 for row in line]
            panel.loglog(milliseconds, costs, marker=".", label=name)
        panel.set(title=f"{count} channel{'s' if count > 1 else ''}", xlabel="response, ms at 48 kHz")
        panel.grid(visible=True, which="both", alpha=0.3)
    panels[0, 0].set_ylabel("wall time per sample, ns")
    panels[0, 0].legend(fontsize="small")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--taps", type=int, nargs="+", default=TAPS, metavar="FRAMES")
    parser.add_argument("--channels", type=int, nargs="+", default=(1, 2, 8), metavar="COUNT")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the signal at 48 kHz")
    parser.add_argument("--rounds", type=int, default=5, help="number of runs per peer")
    parser.add_argument("--plot", metavar="FILE.png")
    add_options(parser)
    options = parser.parse_args()
    frames = round(options.seconds * RATE)
    print(f"{this_machine()}; {options.seconds:g} s of float32 noise\n")
    print(
        "| taps | channels | peer | ms | ns/sample | ÷ oaconvolve | null dB |\n|--:|--:|---|--:|--:|--:|--:|"
    )
    rows: list[Row] = []
    for channels in options.channels:
        for taps in options.taps:
            case = measure(taps, channels, frames, options.rounds)
            report(case, frames)
            rows += case
    if options.plot:
        plot(rows, frames, options.plot)
    keep(options, {"arrays": [{**row._asdict(), "sound_s": options.seconds} for row in rows]})


if __name__ == "__main__":
    main()
