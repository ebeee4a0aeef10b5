"""Render a file for a command: the common options, the progress bar, and the report."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverb.choices import NORMALIZE, Normalize
from reverb.cli.options import FILE, FORCE, Decorator, grouped
from reverb.cli.results import clock

if TYPE_CHECKING:
    from reverb.effects.effect import HasResponse
    from reverb.render.files import RenderReport
    from reverb.render.settings import RenderSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Options = TypeVar("_Options", bound="OutputOptions")

_STEPS = 1000  # of the progress bar

_INPUT = click.argument("source", metavar="INPUT", type=FILE)
_OUTPUT = click.argument("destination", metavar="OUTPUT", type=FILE)
_GAIN = click.option("--gain", type=float, default=0.0, metavar="DB", help="Change the output's level.")
_WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Convolution threads.  [default: one per core]",
)
_OUTPUT_OPTIONS: tuple[Decorator, ...] = (
    click.option("--tail/--no-tail", default=True, help="Keep the sound after the input's end."),
    click.option(
        "--normalize",
        type=click.Choice(NORMALIZE),
        default="none",
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
    FORCE,
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """The options that one file and many files share: the level of the output, and its format."""

    tail: bool
    normalize: Normalize
    match_loudness: bool | None
    loudness: float | None
    ceiling: float | None
    container: str | None
    subtype: str | None
    dither: bool | None
    force: bool
    quiet: bool

    def matching_loudness(self: _Options) -> _Options:
        """Return options that make the output as loud as the input, unless others set its level."""
        free = self.match_loudness is None and self.loudness is None and self.normalize == "none"
        return replace(self, match_loudness=True) if free else self

    def settings(self, gain: float, floor_db: float | None = None) -> "RenderSettings":
        """Return the settings of a rendering."""
        from reverb.render.settings import RenderSettings

        return RenderSettings(
            tail=self.tail,
            gain=gain,
            normalize=self.normalize,
            match_loudness=bool(self.match_loudness),
            loudness=self.loudness,
            ceiling=self.ceiling,
            floor_db=floor_db,
            container=self.container,
            subtype=self.subtype,
            dither=self.dither,
        )


@dataclass(frozen=True, kw_only=True)
class RenderOptions(OutputOptions):
    """The options of one rendering."""

    gain: float
    workers: int | None

    def of(self, source: str, destination: str) -> "Rendering":
        """Return a rendering of these files."""
        return Rendering(source=source, destination=destination, **vars(self))


@dataclass(frozen=True, kw_only=True)
class Rendering(RenderOptions):
    """A file to render, where to, and how; ``-`` is standard input or output."""

    source: str
    destination: str


output_options = grouped("options", OutputOptions, *_OUTPUT_OPTIONS)
"""The options of outputs, which a command receives as `options`."""
render_options = grouped("options", RenderOptions, *_OUTPUT_OPTIONS, _GAIN, _WORKERS)
"""The options of one rendering, which a command receives as `options`."""
with_rendering = grouped("rendering", Rendering, _INPUT, _OUTPUT, *_OUTPUT_OPTIONS, _GAIN, _WORKERS)
"""INPUT, OUTPUT and the options of a rendering, which a command receives as `rendering`."""


def render(rendering: Rendering, effect: "HasResponse", floor_db: float | None = None) -> "RenderReport":
    """Render one file with a progress bar on a terminal, print the report, and return it."""
    from reverb.render.files import destination_file, render_file, source_file

    settings = rendering.settings(rendering.gain, floor_db)
    to_stdout = rendering.destination == "-"
    if to_stdout and rendering.container is None:
        settings = replace(settings, container="WAV")
    with (
        source_file(rendering.source) as source,
        destination_file(rendering.destination, rendering.container) as destination,
        _progress_bar(hidden=rendering.quiet) as progress,
    ):
        report = render_file(
            source,
            destination,
            effect,
            settings,
            overwrite=rendering.force or to_stdout,
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
    """Print the report; on stderr if the sound goes to stdout."""
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
