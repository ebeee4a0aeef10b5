"""`reverb ir plot`: draw a response."""

import click

from reverb.cli.apply import complete_response
from reverb.cli.options import FILE


@click.command()
@click.argument("name_or_file", shell_complete=complete_response)
@click.argument("output", metavar="OUT", required=False, type=FILE)
@click.option("--dark", is_flag=True, help="Draw on a dark background.")
@click.option(
    "--range",
    "dynamic_range",
    type=float,
    default=80.0,
    show_default=True,
    metavar="DB",
    help="Range of decay and spectrogram.",
)
@click.option("--title", metavar="TEXT", help="Title of the picture.  [default: the response's name]")
@click.option(
    "--layout",
    metavar="NAME",
    help="Layout of the response: mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS.",
)
@click.option("--force", is_flag=True, help="Replace an existing picture.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings.")
def plot(
    name_or_file: str,
    output: str | None,
    dark: bool,
    dynamic_range: float,
    title: str | None,
    layout: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Draw a response: waveform, energy decay, spectrogram, decay times, frequency response.

    OUT ends in .png, .svg or .pdf; by default it is the response's name with .png. Hollow marks are unreliable decay
    times (see reverb ir info).

    \b
    Examples:
      reverb ir plot church
      reverb ir plot my_room.wav room.pdf --dark
    """
    from pathlib import Path

    from reverb.plots import save, sheet
    from reverb.store.library import impulse

    response = impulse(name_or_file, layout)
    path = output or f"{Path(name_or_file).stem}.png"
    save(sheet(response, dark=dark, dynamic_range=dynamic_range, title=title), path, overwrite=force)
    if not quiet:
        click.echo(path)
