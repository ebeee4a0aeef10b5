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
    from reverb.effects.design.report import FilterReport
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
    click.option("--attenuation", type=float, default=80.0, metavar="DB", help="Of the stop band."),
    click.option(
        "--ripple", type=float, metavar="DB", help="Of the pass band.  [default: as the stop band allows]"
    ),
    click.option("--method", type=click.Choice(METHODS), default="kaiser", help="How the taps are designed."),
    click.option(
        "--phase",
        type=click.Choice(PHASES),
        default="linear",
        help="linear: aligned with the input; minimum: no pre-ringing; mixed: little of either.",
    ),
)
_FREQUENCY = click.option("--frequency", type=float, required=True, metavar="HZ", help="Where.")
_BOOST = click.option(
    "--boost", "gain_db", type=float, required=True, metavar="DB", help="By how much; negative lowers."
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
    """Render with a filter, and print what its taps reach."""
    rendered = render(rendering, effect)
    if not rendering.quiet:
        _tell(rendering, what, effect.report(rendered.sample_rate))


def _tell(rendering: Rendering, what: str, report: "FilterReport") -> None:
    """Print what a filter reaches; on stderr if the sound goes to stdout."""
    click.echo(f"{what}: {report}", err=rendering.destination == "-")


@filter_group.command()
@with_rendering
@_CUTOFF
@_specification
def lowpass(rendering: Rendering, cutoff: float, specification: _Specification) -> None:
    """Keep what lies below --cutoff."""
    _render(rendering, reverb.LowPass(cutoff, **specification))


@filter_group.command()
@with_rendering
@_CUTOFF
@_specification
def highpass(rendering: Rendering, cutoff: float, specification: _Specification) -> None:
    """Keep what lies above --cutoff."""
    _render(rendering, reverb.HighPass(cutoff, **specification))


@filter_group.command()
@with_rendering
@_LOW
@_HIGH
@_specification
def bandpass(rendering: Rendering, low: float, high: float, specification: _Specification) -> None:
    """Keep what lies between --low and --high."""
    _render(rendering, reverb.BandPass(low, high, **specification))


@filter_group.command()
@with_rendering
@_LOW
@_HIGH
@_specification
def bandstop(rendering: Rendering, low: float, high: float, specification: _Specification) -> None:
    """Keep what lies outside --low to --high."""
    _render(rendering, reverb.BandStop(low, high, **specification))


@filter_group.command()
@click.argument("curve", metavar="CURVE", type=FILE)
@with_rendering
@click.option("--phase", type=click.Choice(PHASES), default="minimum", help="As for the other filters.")
def eq(curve: str, rendering: Rendering, phase: Phase) -> None:
    """Apply the equalizer of a file: a table of Hz and dB, or what REW, AutoEq and Equalizer APO write."""
    from reverb.store.eq_files import load_equalizer, report_on_equalizer

    equalizer = load_equalizer(curve, phase)
    rendered = render(rendering, equalizer)
    if not rendering.quiet:
        _tell(rendering, "filter", report_on_equalizer(equalizer, rendered.sample_rate))


@filter_group.command()
@with_rendering
@_FREQUENCY
@_BOOST
@_shape_and_phase
def peak(rendering: Rendering, frequency: float, gain_db: float, settings: _ShapeAndPhase) -> None:
    """Raise or lower a band around --frequency by --boost."""
    _render(rendering, reverb.Peak(frequency, gain_db, **settings))


@filter_group.command()
@with_rendering
@click.option("--kind", type=click.Choice(["low", "high"]), required=True, help="All below, or all above.")
@_FREQUENCY
@_BOOST
@_shape_and_phase
def shelf(
    rendering: Rendering,
    kind: Literal["low", "high"],
    frequency: float,
    gain_db: float,
    settings: _ShapeAndPhase,
) -> None:
    """Raise or lower all below or above --frequency by --boost."""
    make = reverb.LowShelf if kind == "low" else reverb.HighShelf
    _render(rendering, make(frequency, gain_db, **settings))


@filter_group.command()
@with_rendering
@_BOOST
@grouped(
    "settings",
    _PivotAndPhase,
    click.option("--pivot", type=float, metavar="HZ", help="Where nothing changes.  [default: 1000]"),
    _PHASE,
    only_given=True,
)
def tilt(rendering: Rendering, gain_db: float, settings: _PivotAndPhase) -> None:
    """Raise the highs by --boost and lower the lows as much, about --pivot."""
    _render(rendering, reverb.Tilt(gain_db, **settings))


@filter_group.command()
@with_rendering
@_FREQUENCY
@grouped(
    "settings",
    _ShapeAndHarmonics,
    _Q,
    click.option(
        "--harmonics",
        type=int,
        metavar="N",
        help="How many multiples, the frequency itself included.  [default: 1]",
    ),
    only_given=True,
)
def notch(rendering: Rendering, frequency: float, settings: _ShapeAndHarmonics) -> None:
    """Take out --frequency, such as the mains' hum, and its harmonics."""
    _render(rendering, reverb.Notch(frequency, **settings))


@filter_group.command()
@with_rendering
@click.option(
    "--at", "frequencies", type=float, multiple=True, required=True, metavar="HZ", help="Once or more."
)
@grouped(
    "settings",
    CrossoverSettings,
    click.option(
        "--slope", type=int, metavar="DB", help="Per octave, a multiple of 6 up to 96.  [default: 24]"
    ),
    click.option(
        "--transition", type=float, metavar="HZ", help="Instead of --slope: width of steep filters."
    ),
    click.option("--attenuation", type=float, metavar="DB", help="Of steep filters.  [default: 80]"),
    only_given=True,
)
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
