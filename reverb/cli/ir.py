"""`reverb ir`: the library of impulse responses, and what a response is like."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reverb.cli.apply import complete_response

if TYPE_CHECKING:
    from reverb.responses.acoustics import BandReport
    from reverb.responses.bands import BandSet


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
@click.option("--layout", metavar="NAME", help="mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS.")
@click.option(
    "--bands",
    type=click.Choice(["octave", "third", "broadband"]),
    default="octave",
    show_default=True,
    help="Bands of the ISO 3382 figures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every channel.")
def info(name_or_file: str, layout: str | None, bands: "BandSet", as_json: bool) -> None:
    """Show layout, length, level and the ISO 3382-1 figures of a response.

    EDT, T20 and T30 are decay times in seconds, C50 and C80 clarity in dB, D50 definition in percent, Ts the centre
    time in ms, means over the channels; (..) marks a decay time that is not to be trusted.
    """
    from reverb.levels import to_db
    from reverb.responses.acoustics import measure
    from reverb.responses.library import impulse
    from reverb.responses.normalising import loudness_ratio, peak

    response = impulse(name_or_file, layout)
    facts = {
        "name": response.name,
        "layout": response.layout,
        "sample_rate_hz": response.sample_rate,
        "frames": response.frames,
        "seconds": round(response.seconds, 4),
        "peak_dbfs": round(to_db(peak(response)), 2),
        "loudness_db": round(to_db(loudness_ratio(response) ** 0.5), 2),
    }
    report = measure(response.samples, response.sample_rate, bands=bands)
    if as_json:
        click.echo(json.dumps(facts | {"acoustics": report.as_dict()}, indent=2))
        return
    show_table([(name.replace("_", " "), str(value)) for name, value in facts.items()])
    click.echo()
    show_table([_BAND_COLUMNS, *(_band_row(band) for band in report.mean)])


_BAND_COLUMNS = ("band", "EDT", "T20", "T30", "C50", "C80", "D50", "Ts", "range")


def _band_row(band: "BandReport") -> tuple[str, ...]:
    times = (
        f"{time.seconds:.2f}"
        if time.valid
        else f"({time.seconds:.2f})"
        if time.seconds == time.seconds
        else "-"
        for time in (band.edt, band.t20, band.t30)
    )
    share = f"{100 * band.d50:.0f}"
    return (
        band.label,
        *times,
        f"{band.c50:.1f}",
        f"{band.c80:.1f}",
        share,
        f"{1000 * band.ts:.0f}",
        f"{band.dynamic_range:.0f}",
    )


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns, as wide as their longest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
