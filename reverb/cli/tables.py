"""Results on standard output: tables, CSV, and the reports of measurements."""

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any

import click


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns, each as wide as its longest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def show_csv(rows: Sequence[Sequence[object]]) -> None:
    """Print rows as comma-separated values; None becomes an empty cell."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


def number(value: float | None, digits: int) -> str:
    """Format a number with a fixed number of digits, zero without a sign; a dash for None, NaN and infinity."""
    if value is None or value != value or abs(value) == float("inf"):
        return "-"
    return f"{value:z.{digits}f}"


def show_report(
    facts: dict[str, Any],
    objections: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    bands: Sequence[dict[str, Any]] = (),
) -> None:
    """Print facts and figures per band as tables or as JSON, and objections as warnings."""
    if as_json:
        more = {"bands": list(bands)} if bands else {}
        click.echo(json.dumps(facts | more | {"objections": list(objections)}, indent=2))
    elif not quiet:
        show_table([(name, str(value)) for name, value in facts.items()])
        if bands:
            click.echo()
            rows = [
                (b["label"], f"{b['coherence']:.3f}", f"{b['energy']:.0f}", f"{100 * b['covered']:.0f} %")
                for b in bands
            ]
            show_table([("band", "coherence", "music (dB)", "covered"), *rows])
    for objection in objections if not as_json else ():
        click.echo(f"Warning: {objection}", err=True)
