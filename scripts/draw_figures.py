"""Draw the pictures of the documentation, each on a light and on a dark background.

python scripts/draw_figures.py docs/images
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import chart
from docsite import house, theory

from reverb.plots.figures import DARK, LIGHT, Theme, themed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[Theme], "Figure"]] = {
    "partition-cost": theory.partition_cost,
    "partition-stages": theory.partition_stages,
    "partition-slots": theory.partition_slots,
    "level-rooms": theory.level_of_rooms,
    "level-mix": theory.level_of_mixes,
    "performance": chart.programs,
}


def main() -> None:
    """Draw the requested pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    for ending, theme in (("", LIGHT), ("-dark", DARK)):
        (folder / f"house{ending}.svg").write_text(house.draw(theme), "utf-8", newline="\n")
        for name, draw in FIGURES.items():
            save(draw, theme, folder / f"{name}{ending}.svg")


def save(draw: Callable[[Theme], Any], theme: Theme, path: Path) -> None:
    """Write a figure; the same data give the same bytes."""
    with themed(theme):
        import matplotlib as mpl

        with mpl.rc_context({"svg.hashsalt": path.stem}):
            draw(theme).savefig(path, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
