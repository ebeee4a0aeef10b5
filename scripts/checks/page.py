"""The conformance page: written from outcomes, and read back for its verdicts."""

from collections.abc import Iterable, Mapping

from checks.check import Check, Group, Outcome

Verdicts = dict[str, str]

_HEAD = """# Conformance

What the product promises, and what `scripts/conformance.py` measured when it last wrote this page. Every reference is a
computation of its own: a closed form, a standard's table, SciPy in float64 or pyloudnorm. Measurements are rounded
towards the worse before they are judged. They differ a little from machine to machine, verdicts should not: the checks
of a submission run `scripts/conformance.py --check`, which fails where a new run and this page disagree about one.

"""


def written(outcomes: Mapping[str, list[Outcome]], groups: Iterable[Group]) -> str:
    """Return the page, one table a group."""
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
    """Return where two runs differ: in which claims there are, or in a verdict.

    What was not measured agrees with either verdict.
    """
    gone = [f"no longer checked: {claim}" for claim in committed.keys() - new.keys()]
    added = [f"not on the page: {claim}" for claim in new.keys() - committed.keys()]
    changed = [
        f"{committed[claim]} on the page, {new[claim]} now: {claim}"
        for claim in committed.keys() & new.keys()
        if "not measured" not in (pair := {committed[claim], new[claim]}) and len(pair) > 1
    ]
    return sorted(gone + added + changed)
