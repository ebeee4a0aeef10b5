"""Tables on standard output."""

import csv
import sys
from collections.abc import Sequence

import click


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns, as wide as their longest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def show_csv(rows: Sequence[Sequence[object]]) -> None:
    """Print rows as comma-separated values; None stays empty."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


def number(value: float | None, digits: int) -> str:
    """Write a number with a fixed number of digits, zero without a sign; a dash for None, NaN and infinity."""
    if value is None or value != value or abs(value) == float("inf"):
        return "-"
    return f"{value:z.{digits}f}"
