"""Write docs/performance.md and README's table of figures from saved benchmark results.

    scripts/bench_offline.py --json docs/performance/offline.json     # measure again, on an idle machine
    scripts/performance.py                                            # write the pages

Nothing is measured here. The chart on the page is drawn with the other pictures: scripts/draw_figures.py docs/images
"""

import argparse
import re
from pathlib import Path

from benchmarks.page import read, summary, written

ROOT = Path(__file__).resolve().parents[1]
_TABLE = re.compile(r"^\| stereo, .*?(?=\n\n)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Write both pages."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for name, text in pages().items():
        (ROOT / name).write_text(text, "utf-8", newline="\n")


def pages() -> dict[str, str]:
    """Return the expected text of both pages, by path in the repository."""
    results = read()
    readme, count = _TABLE.subn(lambda _: summary(results), (ROOT / "README.md").read_text("utf-8"))
    assert count == 1, "README.md has no table of figures"
    return {"docs/performance.md": written(results), "README.md": readme}


if __name__ == "__main__":
    main()
