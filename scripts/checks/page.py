"""Write the conformance page from outcomes, and read its verdicts."""

from collections.abc import Iterable, Mapping

from checks.check import Check, Group, Outcome

Verdicts = dict[str, str]

_HEAD = """# Conformance

The promises of `reverb`, and the measurements of the last run of `scripts/conformance.py` that wrote this page. Every
reference is independent: a closed form, a table of a standard, SciPy in float64, or pyloudnorm. Measurements are
rounded to the worse side before they are judged. They vary a little between machines, but the verdicts should not:
`scripts/test.sh` runs `scripts/conformance.py --check`, which fails if a new run and this page disagree about a
verdict.

"""


def written(outcomes: Mapping[str, list[Outcome]], groups: Iterable[Group]) -> str:
    """Return the page, with one table per group."""
    everything = [outcome for group in outcomes.values() for outcome in group]
    failed = sum(outcome.verdict == "**fail**" for outcome in everything)
    skipped = sum(outcome.verdict == "not measured" for outcome in everything)
    summary = f"{len(everything)} checks, {failed} failed, {skipped} not measured.\n"
    return _HEAD + summary + "".join(_table(group, outcomes[group.title]) for group in groups)


def _table(group: Group, outcomes: list[Outcome]) -> str:
    head = "| check | standard or reference | limit | measured | verdict |\n|---|---|---|---|---|\n"
    rows = "".join(f"| {_claim(o.check)} | {o.found} | {o.verdict} |\n" for o in outcomes)
    return f"\n## {group.title}\n\n{group.about}\n\n{head}{rows}"


def _claim(check: Check) -> str:
    cells = (check.name, check.reference, str(check.limit))
    return " | ".join(cell.replace("|", "\\|") for cell in cells)


def verdicts(page: str) -> Verdicts:
    """Return the verdict of every claim on a page."""
    rows = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| "))
    return {" | ".join(row[:-2]): row[-1] for row in rows if row[0] != "check"}


def disagreements(committed: Verdicts, new: Verdicts) -> list[str]:
    """Return the differences between two runs, in claims or in verdicts.

    A check that was not measured agrees with any verdict.
    """
    gone = [f"no longer checked: {claim}" for claim in committed.keys() - new.keys()]
    added = [f"not on the page: {claim}" for claim in new.keys() - committed.keys()]
    changed = [
        f"{committed[claim]} on the page, {new[claim]} now: {claim}"
        for claim in committed.keys() & new.keys()
        if "not measured" not in (pair := {committed[claim], new[claim]}) and len(pair) > 1
    ]
    return sorted(gone + added + changed)
