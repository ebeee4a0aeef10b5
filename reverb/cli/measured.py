"""What the measuring commands share: options, saving a response, showing a report."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reverb.responses.response import ImpulseResponse

RESULT_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
    click.option("--force", is_flag=True, help="Replace an existing output."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings."),
)


def save_response(response: "ImpulseResponse", output: str, force: bool) -> None:
    """Save a response under the name of its file."""
    from dataclasses import replace
    from pathlib import Path

    from reverb.store import response_files as files

    files.save_response(replace(response, name=Path(output).stem), output, overwrite=force)


def show_report(
    facts: dict[str, Any],
    objections: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    bands: Sequence[dict[str, Any]] = (),
) -> None:
    """Print facts as a table or JSON, what is known per band, and objections as warnings."""
    from reverb.cli.tables import show_table

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
