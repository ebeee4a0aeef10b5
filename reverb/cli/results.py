"""Results of commands: tables, CSV, written responses, and the reports of measurements."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from reverb.cli.options import FORCE, QUIET, grouped

if TYPE_CHECKING:
    from reverb.responses.response import ImpulseResponse


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns, each as wide as its longest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def show_csv(rows: Sequence[Sequence[object]]) -> None:
    """Print rows as comma-separated values; None becomes an empty cell."""
    import csv

    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


def number(value: float | None, digits: int) -> str:
    """Format a number with a fixed number of digits, zero without a sign; a dash for None, NaN and infinity."""
    if value is None or value != value or abs(value) == float("inf"):
        return "-"
    return f"{value:z.{digits}f}"


def clock(seconds: float) -> str:
    """Format a duration as minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:06.3f}"


def save(response: "ImpulseResponse", output: str, *, force: bool, quiet: bool) -> None:
    """Write a response, named after its file, and print one line about it."""
    from pathlib import Path

    from reverb.levels import to_db
    from reverb.responses.level import peak
    from reverb.responses.response import derived
    from reverb.store.response_files import save_response

    response = derived(response, name=Path(output).stem)
    save_response(response, output, overwrite=force)
    if not quiet:
        click.echo(
            f"{click.format_filename(output)}: {response.layout}, {response.seconds:.3f} s at "
            f"{response.sample_rate} Hz, peak {to_db(peak(response)):.1f} dBFS"
        )


class ReportOptions(NamedTuple):
    """How the report of a measurement is printed, and whether its output replaces a file."""

    as_json: bool
    force: bool
    quiet: bool

    def show(
        self, facts: dict[str, Any], objections: tuple[str, ...], bands: Sequence[dict[str, Any]] = ()
    ) -> None:
        """Print facts and figures per band as tables or as JSON, and objections as warnings."""
        if self.as_json:
            more = {"bands": list(bands)} if bands else {}
            click.echo(json.dumps(facts | more | {"objections": list(objections)}, indent=2))
            return
        if not self.quiet:
            show_table([(name, str(value)) for name, value in facts.items()])
            if bands:
                click.echo()
                show_table([("band", "coherence", "music (dB)", "covered"), *map(_band_row, bands)])
        for objection in objections:
            click.echo(f"Warning: {objection}", err=True)


def _band_row(band: dict[str, Any]) -> tuple[str, ...]:
    coherence, energy, covered = band["coherence"], band["energy"], 100 * band["covered"]
    return band["label"], f"{coherence:.3f}", f"{energy:.0f}", f"{covered:.0f} %"


report_options = grouped(
    "report",
    ReportOptions,
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
    FORCE,
    QUIET,
)
"""The options of a report, which a command receives as `report`."""
