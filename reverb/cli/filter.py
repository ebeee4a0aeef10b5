"""`reverb filter`: filters to a specification, equalizers, crossovers."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypedDict

import click

import reverb
from reverb.choices import METHODS, PHASES, Method, Phase
from reverb.cli.filter_design import CrossoverSettings, crossover_settings, design
from reverb.cli.options import FILE, grouped
from reverb.cli.rendering import Rendering, render, with_rendering

if TYPE_CHECKING:
    from reverb.effects.crossover import Band
    from reverb.effects.design.specify import FilterReport
    from reverb.effects.equalizers import Equalizer
    from reverb.effects.filters import Filter


class _Specification(TypedDict):
    """The settings that filters to a specification have in common."""

    transition: float | None
    attenuation: float
    ripple: float | None
    method: Method
    phase: Phase


class _ShapeAndPhase(TypedDict, total=False):
    q: float
    phase: Phase


class _PivotAndPhase(TypedDict, total=False):
    pivot: float
    phase: Phase


class _ShapeAndHarmonics(TypedDict, total=False):
    q: float
    harmonics: int


_CUTOFF = click.option("--cutoff", type=float, required=True, metavar="HZ", help="The -6 dB point.")
_LOW = click.option("--low", type=float, required=True, metavar="HZ", help="Lower -6 dB point.")
_HIGH = click.option("--high", type=float, required=True, metavar="HZ", help="Upper -6 dB point.")
_specification = grouped(
    "specification",
    _Specification,
    click.option(
        "--transition",
        type=float,
        metavar="HZ",
        help="Width from pass to stop band.  [default: 0.2 of the lowest edge]",
    ),
    click.option(
        "--attenuation", type=float, default=80.0, metavar="DB", help="Attenuation of the stop band."
    ),
    click.option(
        "--ripple",
        type=float,
        metavar="DB",
        help="Ripple of the pass band.  [default: as the stop band allows]",
    ),
    click.option("--method", type=click.Choice(METHODS), default="kaiser", help="How the taps are designed."),
    click.option(
        "--phase",
        type=click.Choice(PHASES),
        default="linear",
        help="linear: aligned with the input; minimum: no pre-ringing; mixed: little of either.",
    ),
)
_FREQUENCY = click.option(
    "--frequency", type=float, required=True, metavar="HZ", help="Center or corner frequency."
)
_BOOST = click.option(
    "--boost",
    "gain_db",
    type=float,
    required=True,
    metavar="DB",
    help="Gain; a negative one lowers the level.",
)
_Q = click.option("--q", type=float, metavar="Q", help="The higher, the narrower or steeper.")
_PHASE = click.option(
    "--phase",
    type=click.Choice(PHASES),
    help="minimum: no delay; linear: aligned with the input.  [default: minimum]",
)
_shape_and_phase = grouped("settings", _ShapeAndPhase, _Q, _PHASE, only_given=True)


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


def _render(rendering: Rendering, effect: "Filter | Equalizer | Band", what: str = "filter") -> None:
    """Render with a filter, and print its report."""
    rendered = render(rendering, effect)
    if not rendering.quiet:
        _tell(rendering, what, effect.report(rendered.sample_rate))


def _tell(rendering: Rendering, what: str, report: "FilterReport") -> None:
    """Print the report of a filter; on stderr if the sound is written to stdout."""
    click.echo(f"{what}: {report}", err=rendering.destination == "-")


@filter_group.command()
@_CUTOFF
@_specification
@with_rendering
def lowpass(rendering: Rendering, cutoff: float, specification: _Specification) -> None:
    """Keep the frequencies below --cutoff."""
    _render(rendering, reverb.LowPass(cutoff, **specification))


@filter_group.command()
@_CUTOFF
@_specification
@with_rendering
def highpass(rendering: Rendering, cutoff: float, specification: _Specification) -> None:
    """Keep the frequencies above --cutoff."""
    _render(rendering, reverb.HighPass(cutoff, **specification))


@filter_group.command()
@_LOW
@_HIGH
@_specification
@with_rendering
def bandpass(rendering: Rendering, low: float, high: float, specification: _Specification) -> None:
    """Keep the frequencies between --low and --high."""
    _render(rendering, reverb.BandPass(low, high, **specification))


@filter_group.command()
@_LOW
@_HIGH
@_specification
@with_rendering
def bandstop(rendering: Rendering, low: float, high: float, specification: _Specification) -> None:
    """Remove the frequencies between --low and --high."""
    _render(rendering, reverb.BandStop(low, high, **specification))


@filter_group.command()
@click.argument("curve", metavar="CURVE", type=FILE)
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    default="minimum",
    help="minimum: no delay; linear: aligned with the input.",
)
@with_rendering
def eq(curve: str, rendering: Rendering, phase: Phase) -> None:
    """Apply the equalizer of a file: a table of Hz and dB, or an export of REW, AutoEq or Equalizer APO."""
    from reverb.store.eq_files import load_equalizer, report_on_equalizer

    equalizer = load_equalizer(curve, phase)
    rendered = render(rendering, equalizer)
    if not rendering.quiet:
        _tell(rendering, "filter", report_on_equalizer(equalizer, rendered.sample_rate))


@filter_group.command()
@_FREQUENCY
@_BOOST
@_shape_and_phase
@with_rendering
def peak(rendering: Rendering, frequency: float, gain_db: float, settings: _ShapeAndPhase) -> None:
    """Raise or lower a band around --frequency by --boost."""
    _render(rendering, reverb.Peak(frequency, gain_db, **settings))


@filter_group.command()
@click.option(
    "--kind",
    type=click.Choice(["low", "high"]),
    required=True,
    help="Change all frequencies below, or above, --frequency.",
)
@_FREQUENCY
@_BOOST
@_shape_and_phase
@with_rendering
def shelf(
    rendering: Rendering,
    kind: Literal["low", "high"],
    frequency: float,
    gain_db: float,
    settings: _ShapeAndPhase,
) -> None:
    """Raise or lower all frequencies below or above --frequency by --boost."""
    make = reverb.LowShelf if kind == "low" else reverb.HighShelf
    _render(rendering, make(frequency, gain_db, **settings))


@filter_group.command()
@_BOOST
@grouped(
    "settings",
    _PivotAndPhase,
    click.option(
        "--pivot",
        type=float,
        metavar="HZ",
        help="Frequency at which the level does not change.  [default: 1000]",
    ),
    _PHASE,
    only_given=True,
)
@with_rendering
def tilt(rendering: Rendering, gain_db: float, settings: _PivotAndPhase) -> None:
    """Raise the frequencies above --pivot by up to --boost, and lower those below it by as much."""
    _render(rendering, reverb.Tilt(gain_db, **settings))


@filter_group.command()
@_FREQUENCY
@grouped(
    "settings",
    _ShapeAndHarmonics,
    _Q,
    click.option(
        "--harmonics",
        type=int,
        metavar="N",
        help="Number of multiples to remove, the frequency itself included.  [default: 1]",
    ),
    only_given=True,
)
@with_rendering
def notch(rendering: Rendering, frequency: float, settings: _ShapeAndHarmonics) -> None:
    """Remove --frequency, such as mains hum, and its harmonics."""
    _render(rendering, reverb.Notch(frequency, **settings))


@filter_group.command()
@click.option(
    "--at",
    "frequencies",
    type=float,
    multiple=True,
    required=True,
    metavar="HZ",
    help="Crossover frequency; give one or more.",
)
@grouped(
    "settings",
    CrossoverSettings,
    click.option(
        "--slope", type=int, metavar="DB", help="Slope per octave, a multiple of 6 up to 96.  [default: 24]"
    ),
    click.option(
        "--transition",
        type=float,
        metavar="HZ",
        help="Instead of --slope: width of the transition of steep filters.",
    ),
    click.option(
        "--attenuation",
        type=float,
        metavar="DB",
        help="Stop-band attenuation of steep filters.  [default: 80]",
    ),
    only_given=True,
)
@with_rendering
def crossover(rendering: Rendering, frequencies: tuple[float, ...], settings: CrossoverSettings) -> None:
    """Split INPUT into bands that sum to it: OUTPUT bands.wav becomes bands-1.wav, bands-2.wav, ..., lowest first."""
    from pathlib import Path

    from reverb.audiofiles.outputs import check_output

    if "-" in (rendering.source, rendering.destination):
        raise click.UsageError("a crossover writes several files; expected names for INPUT and OUTPUT, not -")
    bands = reverb.crossover(*frequencies, **crossover_settings(settings))
    path = Path(rendering.destination)
    paths = [path.with_stem(f"{path.stem}-{number}") for number, _ in enumerate(bands, 1)]
    for path in paths:  # before the first is written
        check_output(path, rendering.force)
    for path, band in zip(paths, bands, strict=True):
        _render(replace(rendering, destination=str(path)), band, f"band {band.number + 1}")
