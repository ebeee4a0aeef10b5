"""`reverb ir export`: write a response for other programs, or convert it to another format."""

import click

from reverb.cli.apply import complete_response
from reverb.cli.options import FILE

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
    show_default=True,
    help="Number of channels to convolve with a mono response.",
)
@click.option(
    "--layout",
    metavar="NAME",
    help="Layout of RESPONSE: mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS.",
)
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
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings.")
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

    camilladsp, brutefir, equalizer-apo, jconvolver and ffmpeg write a configuration of that program with the
    coefficients beside it; run the program in that folder. text is a number per line, raw 32-bit (.f64: 64-bit) floats.

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
