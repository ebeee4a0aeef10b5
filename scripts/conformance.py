"""Measure every promise, and write docs/conformance.md.

    scripts/conformance.py             measure everything, write the page
    scripts/conformance.py --check     measure everything, compare with the committed page
    scripts/conformance.py --only swap measure the checks with this word in their name, print them

Exits with 1 if a check fails; with --check, if the page has another verdict or other checks.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from checks import accuracy, acoustics, costs, filters, level, resampling, safety, sameness, swaps
from checks.check import Group, Outcome
from checks.page import disagreements, verdicts, written

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"
GROUPS: tuple[Group, ...] = (
    *(accuracy.offline, accuracy.realtime, accuracy.folding, swaps.group, sameness.group),
    *(level.meters, level.levels, resampling.group),
    *(filters.measuring, filters.weightings, filters.designs, filters.equalizers),
    *(acoustics.figures, acoustics.making, safety.group, costs.group),
)


def main() -> int:
    """Measure, then write, compare or print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with the page instead of writing it")
    parser.add_argument(
        "--only", metavar="WORD", help="measure and print only checks with WORD in their name or group"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="the page (%(default)s)")
    options = parser.parse_args()
    outcomes: dict[str, list[Outcome]] = {group.title: [] for group in GROUPS}
    for group, outcome in _outcomes(options.only, timing=not options.check):
        outcomes[group.title].append(outcome)
        print(
            f"{outcome.verdict:12}  {outcome.found:>14}  {outcome.check.limit!s:>12}  {outcome.check.name}",
            flush=True,
        )
    if options.only is None and options.check:
        return _compare(options.page, written(outcomes, GROUPS))
    if options.only is None:
        options.page.write_text(written(outcomes, GROUPS), encoding="utf-8")
    return int(any(outcome.verdict == "**fail**" for group in outcomes.values() for outcome in group))


def _outcomes(word: str | None, *, timing: bool) -> Iterator[tuple[Group, Outcome]]:
    for group in GROUPS:
        for check in group.checks:
            if word is None or word.lower() in f"{group.title} {check.name}".lower():
                yield group, check.run(timing=timing)


def _compare(page: Path, new: str) -> int:
    found = disagreements(verdicts(page.read_text(encoding="utf-8")), verdicts(new))
    for line in found:
        print(f"{page.name}: {line}", file=sys.stderr)
    if found:
        print(
            f"Run scripts/conformance.py, look at what changed in {page.name}, and commit it.",
            file=sys.stderr,
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
