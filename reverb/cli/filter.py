"""`reverb filter`: filters to a specification, equalizers, crossovers."""

from collections.abc import Callable
from typing import Any

import click

from reverb.cli.filter_design import design
from reverb.cli.filter_options import METHOD, PHASES, crossover_settings, equalizer_options
from reverb.cli.options import FILE, with_options
from reverb.cli.rendering import Rendering, render, rendering_options, take_rendering

_CUTOFF = click.option("--cutoff", type=float, required=True, metavar="HZ", help="The -6 dB point.")
_LOW = click.option("--low", type=float, required=True, metavar="HZ", help="Lower -6 dB point.")
_HIGH = click.option("--high", type=float, required=True, metavar="HZ", help="Upper -6 dB point.")


_DESIGN = (
    click.option(
        "--transition",
        type=float,
        metavar="HZ",
        help="Width from pass to stop band.  [default: 0.2 of the lowest edge]",
    ),
    click.option(
        "--attenuation",
        type=float,
        default=80.0,
        show_default=True,
        metavar="DB",
        help="Of the stop band.",
    ),
    click.option(
        "--ripple",
        type=float,
        metavar="DB",
        help="Of the pass band.  [default: as the stop band allows]",
    ),
    METHOD,
    click.option(
        "--phase",
        type=click.Choice(PHASES),
        default="linear",
        show_default=True,
        help="linear: aligned with the input; minimum: no pre-ringing; mixed: little of either.",
    ),
)


@click.group("filter")
def filter_group() -> None:
    """Filter INPUT into OUTPUT: filters to a specification, equalizers, crossovers.

    \b
    Examples:
      reverb filter lowpass in.wav out.wav --cutoff 8000
      reverb filter bandpass in.wav out.wav --low 300 --high 3400 --phase minimum
      reverb filter notch in.wav out.wav --frequency 50 --harmonics 4
      reverb filter eq headphones.csv in.wav out.wav
      reverb filter crossover in.wav bands.wav --at 200 --at 2000
      reverb filter design lowpass --cutoff 8000 --plot filter.png --export taps.txt
    """


filter_group.add_command(design)


def _filtered(name: str, options: dict[str, Any]) -> None:
    """Render with the filter of that class name, and tell of its taps.

    What the common options leave are its parameters.
    """
    import reverb

    rendering = take_rendering(options)
    effect = getattr(reverb, name)(**options)
    report = render(rendering, effect)
    _tell("filter", rendering, effect.report, report.sample_rate)


def _tell(what: str, rendering: Rendering, report: Callable[[int], object], sample_rate: int) -> None:
    """Say how a filter came out; on stderr where the sound itself goes to stdout."""
    if not rendering.quiet:
        click.echo(f"{what}: {report(sample_rate)}", err=rendering.destination == "-")


@filter_group.command()
@rendering_options
@_CUTOFF
@with_options(_DESIGN)
def lowpass(**options: Any) -> None:
    """Keep what lies below --cutoff."""
    _filtered("LowPass", options)


@filter_group.command()
@rendering_options
@_CUTOFF
@with_options(_DESIGN)
def highpass(**options: Any) -> None:
    """Keep what lies above --cutoff."""
    _filtered("HighPass", options)


@filter_group.command()
@rendering_options
@_LOW
@_HIGH
@with_options(_DESIGN)
def bandpass(**options: Any) -> None:
    """Keep what lies between --low and --high."""
    _filtered("BandPass", options)


@filter_group.command()
@rendering_options
@_LOW
@_HIGH
@with_options(_DESIGN)
def bandstop(**options: Any) -> None:
    """Keep what lies outside --low to --high."""
    _filtered("BandStop", options)


@filter_group.command()
@click.argument("curve", metavar="CURVE", type=FILE)
@rendering_options
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    default="minimum",
    show_default=True,
    help="As for the other filters.",
)
def eq(curve: str, phase: Any, **options: Any) -> None:
    """Apply the equalizer of a file: a table of Hz and dB, or what REW, AutoEq and Equalizer APO write."""
    from functools import partial

    from reverb.store.eq_files import load_equalizer, report_on_equalizer

    rendering = take_rendering(options)
    equalizer = load_equalizer(curve, phase)
    report = render(rendering, equalizer)
    _tell("filter", rendering, partial(report_on_equalizer, equalizer), report.sample_rate)


@filter_group.command()
@rendering_options
@equalizer_options("frequency", "boost", "q")
def peak(**options: Any) -> None:
    """Raise or lower a band around --frequency by --boost."""
    _filtered("Peak", options)


@filter_group.command()
@rendering_options
@click.option("--kind", type=click.Choice(["low", "high"]), required=True, help="All below, or all above.")
@equalizer_options("frequency", "boost", "q")
def shelf(kind: str, **options: Any) -> None:
    """Raise or lower all below or above --frequency by --boost."""
    _filtered("LowShelf" if kind == "low" else "HighShelf", options)


@filter_group.command()
@rendering_options
@equalizer_options("boost", "pivot")
def tilt(**options: Any) -> None:
    """Raise the highs by --boost and lower the lows as much, about --pivot."""
    _filtered("Tilt", options)


@filter_group.command()
@rendering_options
@equalizer_options("frequency", "q", "harmonics", phase=False)
def notch(**options: Any) -> None:
    """Take out --frequency, such as the mains' hum, and its harmonics."""
    _filtered("Notch", options)


@filter_group.command()
@rendering_options
@click.option(
    "--at", "frequencies", type=float, multiple=True, required=True, metavar="HZ", help="Once or more."
)
@click.option("--slope", type=int, metavar="DB", help="Per octave, a multiple of 6 up to 96.  [default: 24]")
@click.option("--transition", type=float, metavar="HZ", help="Instead of --slope: width of steep filters.")
@click.option("--attenuation", type=float, metavar="DB", help="Of steep filters.  [default: 80]")
def crossover(frequencies: tuple[float, ...], **options: Any) -> None:
    """Split INPUT into bands that sum to it: OUTPUT bands.wav becomes bands-1.wav, bands-2.wav, ..., lowest first."""
    from pathlib import Path

    from reverb.audiofiles.outputs import check_output
    from reverb.effects import crossover as crossovers

    rendering = take_rendering(options)
    if "-" in (rendering.source, rendering.destination):
        raise click.UsageError("a crossover writes several files; expected names for INPUT and OUTPUT, not -")
    bands = crossovers.crossover(*frequencies, **crossover_settings(options))
    path = Path(rendering.destination)
    paths = [path.with_stem(f"{path.stem}-{number}") for number, _ in enumerate(bands, 1)]
    for path in paths:  # before the first is written
        check_output(path, rendering.force)
    for path, band in zip(paths, bands, strict=True):
        report = render(rendering._replace(destination=str(path)), band)
        _tell(f"band {band.number + 1}", rendering, band.report, report.sample_rate)
