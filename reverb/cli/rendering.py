"""Render a file for a command: the common options, the progress bar, and the report."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from reverb.cli.options import FILE, Decorator, grouped, with_options

if TYPE_CHECKING:
    from reverb.effects.effect import HasResponse
    from reverb.render.files import RenderReport
    from reverb.render.settings import Normalize

_Command = TypeVar("_Command", bound=Callable[..., Any])

_STEPS = 1000  # of the progress bar

_INPUT = click.argument("source", metavar="INPUT", type=FILE)
_OUTPUT = click.argument("destination", metavar="OUTPUT", type=FILE)
_GAIN = click.option(
    "--gain", type=float, default=0.0, show_default=True, metavar="DB", help="Change the output's level."
)
_WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Convolution threads.  [default: one per core]",
)
_OPTIONS: tuple[Decorator, ...] = (
    click.option(
        "--tail/--no-tail", default=True, show_default=True, help="Keep the sound after the input's end."
    ),
    click.option(
        "--normalize",
        type=click.Choice(["none", "peak"]),
        default="none",
        show_default=True,
        help="peak: scale the output so that its largest sample is at -1 dBFS (renders twice).",
    ),
    click.option(
        "--match-loudness/--keep-level",
        default=None,
        help="Make the output as loud as the input (BS.1770; renders twice), or keep its level.  [default: keep it]",
    ),
    click.option(
        "--loudness",
        type=float,
        metavar="LUFS",
        help="Normalize the output to this loudness, such as -16 (renders twice).",
    ),
    click.option(
        "--ceiling",
        type=float,
        metavar="DBTP",
        help="Reduce the gain so that the true peak stays at or below this, such as -1.",
    ),
    click.option(
        "--format",
        "container",
        metavar="NAME",
        help="File format: WAV, FLAC, AIFF, OGG, W64, ...  [default: by OUTPUT's ending]",
    ),
    click.option(
        "--subtype",
        metavar="NAME",
        help="Sample format: PCM_16, PCM_24, FLOAT, ...  [default: the input's own]",
    ),
    click.option(
        "--dither/--no-dither",
        default=None,
        help="Add triangular dither before rounding.  [default: for 16 bits and fewer]",
    ),
    click.option("--force", is_flag=True, help="Replace an existing output."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
)


class Rendering(NamedTuple):
    """The values of the common options."""

    source: str
    destination: str
    tail: bool
    gain: float
    normalize: "Normalize"
    match_loudness: bool | None
    loudness: float | None
    ceiling: float | None
    container: str | None
    subtype: str | None
    dither: bool | None
    workers: int | None
    force: bool
    quiet: bool


def rendering_options(command: _Command) -> _Command:
    """Add INPUT, OUTPUT and the common options, whose values `take_rendering` collects."""
    return _INPUT(_OUTPUT(common_options(command)))


with_rendering = grouped("rendering", Rendering, _INPUT, _OUTPUT, *_OPTIONS, _GAIN, _WORKERS)
"""INPUT, OUTPUT and the common options, which a command receives as `rendering`."""


def common_options(command: _Command) -> _Command:
    """Add the common options alone."""
    return batch_options(_GAIN(_WORKERS(command)))


def batch_options(command: _Command) -> _Command:
    """Add the common options that one file and many files share."""
    return with_options(_OPTIONS)(command)


def take_rendering(options: dict[str, Any]) -> Rendering:
    """Remove the common options from a command's keyword arguments, and return them."""
    return Rendering(**{name: options.pop(name) for name in Rendering._fields})


def render(rendering: Rendering, effect: "HasResponse", *, floor_db: float | None = None) -> "RenderReport":
    """Render one file with a progress bar on a terminal, print the report, and return it."""
    from reverb.render.files import destination_file, process_file, source_file

    with (
        source_file(rendering.source) as source,
        destination_file(rendering.destination, rendering.container) as destination,
        _progress_bar(hidden=rendering.quiet) as progress,
    ):
        report = process_file(
            source,
            destination,
            effect,
            tail=rendering.tail,
            gain=rendering.gain,
            normalize=rendering.normalize,
            match_loudness=bool(rendering.match_loudness),
            loudness=rendering.loudness,
            ceiling=rendering.ceiling,
            floor_db=floor_db,
            container=rendering.container or ("WAV" if rendering.destination == "-" else None),
            subtype=rendering.subtype,
            dither=rendering.dither,
            overwrite=rendering.force or rendering.destination == "-",
            workers=rendering.workers,
            progress=progress,
        )
    if not rendering.quiet:
        _show(report, rendering.destination)
    return report


@contextlib.contextmanager
def _progress_bar(hidden: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a progress callback that draws on stderr if that is a terminal, and None otherwise."""
    stream = sys.stderr
    if hidden or not stream.isatty():
        yield None
        return
    bar: Any = click.progressbar(length=_STEPS, file=stream)
    with bar:

        def advance(done: int, total: int) -> None:
            bar.update(_STEPS * done // max(total, 1) - bar.pos)

        yield advance


def _show(report: "RenderReport", destination: str) -> None:
    """Print the report; on stderr if the sound itself goes to stdout."""
    from reverb.levels import to_db

    to_stderr = destination == "-"
    click.echo(
        f"{click.format_filename(destination)}: {clock(report.duration)}, {report.channels} channels, "
        f"{report.sample_rate} Hz, {report.container} {report.subtype}; "
        f"peak {_db(to_db(report.input_peak))} -> {_db(report.peak_db)} dBFS; "
        f"{report.clipped} clipped; {report.seconds:.2f} s, {report.speed:.0f} x real time",
        err=to_stderr,
    )
    if report.loudness is not None and report.input_loudness is not None and report.true_peak is not None:
        less = report.reduction_db
        held = f"; {less:.1f} dB less than requested, because of its peaks" if less >= 0.05 else ""
        click.echo(
            f"loudness {_db(report.input_loudness)} -> {_db(report.loudness)} LUFS; true peak "
            f"{_db(report.true_peak)} dBTP{held}",
            err=to_stderr,
        )
    if report.clipped:
        kept = report.subtype in ("FLOAT", "DOUBLE")
        effect = "which a float file keeps but a sound card clips" if kept else "and were clipped"
        click.echo(
            f"Warning: {report.clipped} samples reach {report.peak_db:+.2f} dB over full scale, {effect}; "
            f"use --normalize peak, or --gain {-math.ceil(report.peak_db * 10) / 10:g}",
            err=True,
        )


def _db(db: float) -> str:
    return f"{db:.1f}" if db > -math.inf else "-inf"


def clock(seconds: float) -> str:
    """Format a duration as minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:06.3f}"
