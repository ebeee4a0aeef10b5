"""`reverb ir export|plot`: write a response for other programs, convert its format, or draw it."""

import click

from reverb.cli.options import FILE, FORCE, LAYOUT, QUIET, complete_response

_FORMATS = ("audio", "raw", "npy", "text", "camilladsp", "brutefir", "equalizer-apo", "jconvolver", "ffmpeg")
_BY_ENDING = {
    ".npy": "npy",
    ".txt": "text",
    ".csv": "text",
    ".f32": "raw",
    ".f64": "raw",
    ".raw": "raw",
    ".yml": "camilladsp",
    ".yaml": "camilladsp",
    ".sh": "ffmpeg",
}


@click.command()
@click.argument("response", metavar="RESPONSE", shell_complete=complete_response)
@click.argument("output", metavar="OUT", type=FILE)
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="Format of OUT.  [default: by OUT's ending, or else a sound file]",
)
@click.option(
    "--channels",
    type=click.IntRange(1, 64),
    default=2,
    help="Number of channels to convolve with a mono response.",
)
@LAYOUT
@click.option(
    "--sample-rate", type=int, metavar="HZ", help="Sample rate of RESPONSE, if its file does not give it."
)
@click.option(
    "--direction",
    "directions",
    multiple=True,
    metavar="AZIMUTH[,ELEVATION]",
    help="Direction in a SOFA file, in degrees to the left and up; two give true stereo.  [default: 0,0]",
)
@FORCE
@QUIET
def export(
    response: str,
    output: str,
    kind: str | None,
    channels: int,
    layout: str | None,
    sample_rate: int | None,
    directions: tuple[str, ...],
    force: bool,
    quiet: bool,
) -> None:
    """Write a response for another convolver, or convert it to another file format.

    camilladsp, brutefir, equalizer-apo, jconvolver and ffmpeg write a configuration for that program, and the
    coefficients to the same folder; run the program there. text is one number per line, raw is 32-bit
    floats (.f64: 64-bit).

    \b
    Examples:
      reverb ir export church church.conf --format jconvolver
      reverb ir export church church.yml --format camilladsp
      reverb ir export ears.sofa front.wav --direction 30 --direction -30
      reverb ir export rew_export.txt room.wav
    """
    from pathlib import Path

    from reverb.store.formats.exports import export as write
    from reverb.store.library import impulse
    from reverb.store.response_files import load_response, save_response

    if directions:
        from reverb.store.formats.sofa import read_sofa

        loaded = read_sofa(
            response, layout, sample_rate, directions=[_direction(text) for text in directions]
        )
    elif sample_rate is not None:
        loaded = load_response(response, layout, sample_rate)
    else:
        loaded = impulse(response, layout)
    kind = kind or _BY_ENDING.get(Path(output).suffix.lower(), "audio")
    if kind == "audio":
        save_response(loaded, output, overwrite=force)
        written: tuple[Path, ...] = (Path(output),)
    else:
        written = write(loaded, output, kind, channels=channels, overwrite=force)
        if loaded.latency:
            late = 1000 * loaded.latency / loaded.sample_rate
            click.echo(
                f"Warning: the response has {late:.1f} ms before its time zero; the other program will be that late",
                err=True,
            )
    if not quiet:
        for path in written:
            click.echo(path)


def _direction(text: str) -> tuple[float, float]:
    azimuth, _, elevation = text.partition(",")
    try:
        return float(azimuth), float(elevation or 0)
    except ValueError as error:
        raise click.UsageError(f"direction {text!r}; expected degrees, such as 30 or -30,15") from error


@click.command()
@click.argument("name_or_file", shell_complete=complete_response)
@click.argument("output", metavar="[OUT]", required=False, type=FILE)
@click.option("--dark", is_flag=True, help="Draw on a dark background.")
@click.option(
    "--range", "dynamic_range", type=float, default=80.0, metavar="DB", help="Range of decay and spectrogram."
)
@click.option("--title", metavar="TEXT", help="Title of the picture.  [default: the response's name]")
@LAYOUT
@FORCE
@QUIET
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

    OUT ends in .png, .svg or .pdf; by default it is the name of the response with .png. Hollow marks are
    unreliable decay times (see reverb ir info).

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
