"""Cut real responses, extend their tails, and compare T30 with that of the full ones, as a Markdown table.

    scripts/check_tails.py FOLDER

T30 is that of the whole range, mean of the first two channels. A response is cut at a fraction of its T30 after the
onset.
"""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from reverb.responses.acoustics import BandReport, measure
from reverb.responses.decay.decay import onset
from reverb.responses.response import ImpulseResponse
from reverb.responses.tail import extend_tail
from reverb.store.response_files import load_response

SHARES = (0.5, 0.6, 0.75)


def whole(response: ImpulseResponse) -> BandReport:
    return measure(response.samples, response.sample_rate, bands="broadband").mean[0]


def row(real: ImpulseResponse) -> tuple[BandReport, list[float]]:
    """Return the figures of the full response, and T30 after each cut ÷ before; NaN if nothing is cut."""
    before, ratios = whole(real), []
    for share in SHARES:
        kept = share * before.t30.seconds * real.sample_rate
        end = onset(real.samples.astype(np.float64)) + round(kept) if np.isfinite(kept) else real.frames
        if end < real.frames:
            longer = extend_tail(replace(real, samples=real.samples[:end]))
            ratios.append(whole(longer).t30.seconds / before.t30.seconds)
        else:
            ratios.append(np.nan)
    return before, ratios


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")  # damaged files are reported elsewhere
    print("| response | T30 (s) | T20 ÷ T30 |", *(f" {share:g} |" for share in SHARES), sep="")
    print("|---|---|---|", "---|" * len(SHARES), sep="")
    trusted: list[list[float]] = []
    doubtful: list[list[float]] = []
    for path in sorted(folder.iterdir()):
        response = load_response(path, layout="parallel")
        first = response.samples[:, :2]
        before, ratios = row(ImpulseResponse(first, response.sample_rate, path.stem))
        if np.isfinite(ratios).any():
            t30 = f"{before.t30.seconds:.2f}" if before.t30.valid else f"({before.t30.seconds:.2f})"
            bend = before.t20.seconds / before.t30.seconds
            told = ["–" if np.isnan(ratio) else f"{ratio:.2f}" for ratio in ratios]
            print("| " + " | ".join([path.stem, t30, f"{bend:.2f}", *told]) + " |", flush=True)
            (trusted if before.t30.valid else doubtful).append(ratios)
    for name, rows in (("valid T30", trusted), ("doubtful T30", doubtful)):
        for share, ratios in zip(SHARES, np.array(rows).T, strict=True):
            errors = np.abs(ratios[np.isfinite(ratios)] - 1)
            print(f"{name}, cut at {share:g}: {np.sum(errors <= 0.05)} of {len(errors)} within 5 %")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
