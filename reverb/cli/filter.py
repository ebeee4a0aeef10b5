"""`reverb filter`: low-, high- and band-pass, band-stop."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reverb.cli.rendering import render, rendering_options, take_rendering

_Command = TypeVar("_Command", bound=Callable[..., Any])

_CUTOFF = click.option("--cutoff", type=float, required=True, metavar="HZ", help="The -6 dB point.")
_LOW = click.option("--low", type=float, required=True, metavar="HZ", help="Lower -6 dB point.")
_HIGH = click.option("--high", type=float, required=True, metavar="HZ", help="Upper -6 dB point.")


def _design_options(command: _Command) -> _Command:
    """Add the options that specify a filter beside its edges."""
    for option in (
        click.option(
            "--phase",
            type=click.Choice(["linear", "minimum"]),
            default="linear",
            show_default=True,
            help="linear: aligned with the input; minimum: no pre-ringing.",
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
            "--transition",
            type=float,
            metavar="HZ",
            help="Width from pass to stop band.  [default: 0.2 of the lowest edge]",
        ),
    ):
        command = option(command)
    return command


@click.group("filter")
def filter_group() -> None:
    """Filter INPUT into OUTPUT with FIR filters designed to a specification.

    \b
    Examples:
      reverb filter lowpass in.wav out.wav --cutoff 8000
      reverb filter bandpass in.wav out.wav --low 300 --high 3400 --phase minimum
    """


def _filtered(name: str, options: dict[str, Any]) -> None:
    """Render with the filter of that class name; what the common options leave are its parameters."""
    from reverb.effects import filters

    rendering = take_rendering(options)
    render(rendering, getattr(filters, name)(**options))


@filter_group.command()
@rendering_options
@_CUTOFF
@_design_options
def lowpass(**options: Any) -> None:
    """Keep what lies below --cutoff."""
    _filtered("LowPass", options)


@filter_group.command()
@rendering_options
@_CUTOFF
@_design_options
def highpass(**options: Any) -> None:
    """Keep what lies above --cutoff."""
    _filtered("HighPass", options)


@filter_group.command()
@rendering_options
@_LOW
@_HIGH
@_design_options
def bandpass(**options: Any) -> None:
    """Keep what lies between --low and --high."""
    _filtered("BandPass", options)


@filter_group.command()
@rendering_options
@_LOW
@_HIGH
@_design_options
def bandstop(**options: Any) -> None:
    """Keep what lies outside --low to --high."""
    _filtered("BandStop", options)
