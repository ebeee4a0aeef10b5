"""`reverb ir`: the library of impulse responses, and what a response is like."""

import json
from collections.abc import Sequence

import click

from reverb.cli.apply import complete_response


@click.group()
def ir() -> None:
    """List and examine impulse responses.

    \b
    Examples:
      reverb ir list
      reverb ir info church
      reverb ir info my_room.wav --json
    """


@ir.command("list")
def list_responses() -> None:
    """List the responses that --ir knows by name."""
    from reverb.responses.library import entries

    rows = [("name", "layout", "seconds", "rate (Hz)", "what")]
    for entry in entries():
        rows.append(
            (entry.name, entry.layout, f"{entry.seconds:.2f}", str(entry.sample_rate), entry.description)
        )
    show_table(rows)


@ir.command()
@click.argument("name_or_file", shell_complete=complete_response)
@click.option("--layout", metavar="NAME", help="mono, stereo, true-stereo, or INPUTSxOUTPUTS.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name_or_file: str, layout: str | None, as_json: bool) -> None:
    """Show layout, length, level and the ISO 3382 figures of a response."""
    from reverb.responses.library import impulse

    response = impulse(name_or_file, layout)
    facts = {
        "name": response.name,
        "layout": response.layout,
        "sample_rate": response.sample_rate,
        "frames": response.frames,
        "seconds": round(response.seconds, 4),
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    show_table([(name.replace("_", " "), str(value)) for name, value in facts.items()])


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns, as wide as their longest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
