"""What every rendering command shares: its options, the progress bar, and the report."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from reverb.cli.options import FILE, with_options

if TYPE_CHECKING:
    from reverb.effects.effect import HasResponse
    from reverb.render.files import RenderReport

_Command = TypeVar("_Command", bound=Callable[..., Any])

_STEPS = 1000  # of the progress bar

_INPUT = click.argument("source", metavar="INPUT", type=FILE)
_OUTPUT = click.argument("destination", metavar="OUTPUT", type=FILE)
_GAIN = click.option(
    "--gain", type=float, default=0.0, show_default=True, metavar="DB", help="Change the result's level."
)
_WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Threads that convolve.  [default: one per core]",
)
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--tail/--no-tail", default=True, show_default=True, help="Keep what sounds on after the input ends."
    ),
    click.option(
        "--normalize",
        type=click.Choice(["none", "peak"]),
        default="none",
        show_default=True,
        help="peak: bring the largest sample to -1 dBFS (renders twice).",
    ),
    click.option(
        "--match-loudness/--keep-level",
        default=None,
        help="Make the output as loud as the input (BS.1770; renders twice), or leave its level.  [default: leave it]",
    ),
    click.option(
        "--loudness", type=float, metavar="LUFS", help="Bring the output to this loudness, such as -16."
    ),
    click.option(
        "--ceiling",
        type=float,
        metavar="DBTP",
        help="Keep the true peak under this, such as -1, by less gain.",
    ),
    click.option(
        "--format", "container", metavar="NAME", help="WAV, FLAC, AIFF, OGG, W64, ...  [default: by ending]"
    ),
    click.option("--subtype", metavar="NAME", help="PCM_16, PCM_24, FLOAT, ...  [default: the input's own]"),
    click.option(
        "--dither/--no-dither",
        default=None,
        help="Triangular dither before rounding.  [default: for 16 bits and fewer]",
    ),
    click.option("--force", is_flag=True, help="Replace an existing output."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
)


class Rendering(NamedTuple):
    """The settings that the options of `rendering_options` give."""

    source: str
    destination: str
    tail: bool
    gain: float
    normalize: str
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
    """Add INPUT, OUTPUT and the common options; `take_rendering` collects them again."""
    return _INPUT(_OUTPUT(common_options(command)))


def common_options(command: _Command) -> _Command:
    """Add the common options alone."""
    return batch_options(_GAIN(_WORKERS(command)))


def batch_options(command: _Command) -> _Command:
    """Add those of the common options that mean the same for one file and for many."""
    return with_options(_OPTIONS)(command)


def take_rendering(options: dict[str, Any]) -> Rendering:
    """Take the common options out of a command's keyword arguments."""
    return Rendering(**{name: options.pop(name) for name in Rendering._fields})


def render(rendering: Rendering, effect: "HasResponse", *, floor_db: float | None = None) -> "RenderReport":
    """Render one file, with a progress bar on a terminal; show the report at the end, and return it."""
    from reverb.render.files import process_file
    from reverb.render.streams import destination_file, source_file

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
            normalize="peak" if rendering.normalize == "peak" else "none",
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
    """Give a progress callback that draws on stderr where that is a terminal, None elsewhere."""
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
    """Say what was written; on stderr where the sound itself goes to stdout."""
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
        held = f"; {report.held:.1f} dB less than asked, for its peaks" if report.held >= 0.05 else ""
        click.echo(
            f"loudness {_db(report.input_loudness)} -> {_db(report.loudness)} LUFS; true peak "
            f"{_db(report.true_peak)} dBTP{held}",
            err=to_stderr,
        )
    if report.clipped:
        kept = report.subtype in ("FLOAT", "DOUBLE")
        effect = "which a float file keeps but a sound card clips" if kept else "and was clipped"
        click.echo(
            f"Warning: {report.clipped} samples went up to {report.peak_db:+.2f} dB over full scale, {effect}; "
            f"use --normalize peak, or --gain {-math.ceil(report.peak_db * 10) / 10:g}",
            err=True,
        )


def _db(db: float) -> str:
    return f"{db:.1f}" if db > -math.inf else "-inf"


def clock(seconds: float) -> str:
    """Write a duration as minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:06.3f}"
