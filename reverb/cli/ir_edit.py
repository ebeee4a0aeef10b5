"""`reverb ir edit`: a new response from an old one, step by step."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from reverb.cli.apply import complete_response
from reverb.cli.ordered import STEPS, OrderedCommand, Step
from reverb.cli.pairs import Hertz, Pairs

if TYPE_CHECKING:
    from reverb.responses.response import ImpulseResponse

Edit: TypeAlias = "Callable[[ImpulseResponse], ImpulseResponse]"
_GAIN_MODES = ("none", "peak", "energy", "loudness", "peak-safe")


def _edit(module: str, function: str, *arguments: Any, **named: Any) -> Edit:
    """Return the edit that a function of `reverb.responses` makes; it is imported when it is needed."""

    def edit_response(response: "ImpulseResponse") -> "ImpulseResponse":
        from importlib import import_module

        made: ImpulseResponse = getattr(import_module(f"reverb.responses.{module}"), function)(
            response, *arguments, **named
        )
        return made

    return edit_response


def _setting(name: str) -> Any:
    return click.get_current_context().params[name]


def _ms(function: str) -> Callable[[float], Edit]:
    return lambda value: _edit("edit", function, value / 1000)


def _flag(name: str, edit: Edit, text: str) -> Step:
    return Step([name], lambda _: edit, is_flag=True, help=text)


def _one_pair(function: str) -> Callable[[dict[float, float]], Edit]:
    def make(pairs: dict[float, float]) -> Edit:
        from reverb.errors import ParameterError

        if len(pairs) != 1:
            raise ParameterError(
                f"{len(pairs)} shelves at once; expected one HZ:DB, give the option again for more"
            )
        ((frequency, db),) = pairs.items()
        return _edit("equalising", function, frequency, db)

    return make


def _predelay(text: str) -> Edit:
    from reverb.errors import ParameterError
    from reverb.responses.edit import note_seconds

    if "/" in text:
        bpm = _setting("bpm")
        if bpm is None:
            raise ParameterError(f"pre-delay {text!r} is a note; give the tempo, too: --bpm 120")
        return _edit("edit", "predelay", note_seconds(text, bpm))
    try:
        return _edit("edit", "predelay", float(text) / 1000)
    except ValueError:
        raise ParameterError(f"pre-delay {text!r}; expected ms, or a note such as 1/16 with --bpm") from None


def _balance(side: str) -> Callable[[float], Edit]:
    def make(db: float) -> Edit:
        split = _setting("split") / 1000
        return _edit("edit", "balance", **{side: db, "split": split})

    return make


def _pair(path: str) -> Edit:
    def edit_response(response: "ImpulseResponse") -> "ImpulseResponse":
        from reverb.responses.layouts import true_stereo
        from reverb.store.library import impulse

        return true_stereo(response, impulse(path))

    return edit_response


def _rate(sample_rate: int) -> Edit:
    return lambda response: response.response(sample_rate)


_STEPS: Sequence[Step] = (
    Step(
        ["--trim-head"],
        lambda _: _edit("edit", "trim_head", _setting("onset")),
        is_flag=True,
        help="Cut what lies before the sound starts (--onset).",
    ),
    Step(
        ["--trim-tail"],
        lambda db: _edit("edit", "trim_tail", db),
        type=float,
        metavar="DB",
        help="Cut where the energy to come lies DB below the whole, such as -60.",
    ),
    Step(["--length"], _ms("set_length"), type=float, metavar="MS", help="Cut, or fill with silence."),
    _flag("--cut-noise", _edit("edit", "cut_noise"), "Cut at the noise floor (Lundeby)."),
    Step(
        ["--extend-tail"],
        lambda _: _edit("tail", "extend_tail", _setting("floor")),
        is_flag=True,
        help="Continue each band's decay below noise or end (--floor).",
    ),
    Step(["--fade-in"], _ms("fade_in"), type=float, metavar="MS", help="Fade in the first MS."),
    Step(["--fade-out"], _ms("fade_out"), type=float, metavar="MS", help="Fade out the last MS."),
    _flag("--reverse", _edit("edit", "reverse"), "Turn round in time."),
    Step(
        ["--stretch"],
        lambda factor: _edit("stretch", "stretch_time", factor),
        type=float,
        metavar="FACTOR",
        help="Longer in time at the same pitch; for tails, rough on single echoes.",
    ),
    Step(
        ["--tape"],
        lambda factor: _edit("stretch", "stretch_tape", factor),
        type=float,
        metavar="FACTOR",
        help="Longer in time, pitch and room size with it.",
    ),
    Step(
        ["--predelay"],
        _predelay,
        metavar="MS_OR_NOTE",
        help="Silence before it: ms, or 1/16, 1/8d, 1/8t at --bpm.",
    ),
    Step(
        ["--rt60"],
        lambda target: _edit("decay.shaping", "with_rt60", target),
        type=Pairs("=", alone=True),
        metavar="S_OR_BANDS",
        help="Decay time: 2.5 scales all bands, 125=3,1k=2,8k=0.9 sets octaves.",
    ),
    Step(["--attack"], _ms("attack"), type=float, metavar="MS", help="Let the level rise over MS."),
    Step(["--early"], _balance("early_db"), type=float, metavar="DB", help="Level before --split."),
    Step(["--late"], _balance("late_db"), type=float, metavar="DB", help="Level after --split."),
    Step(
        ["--width"],
        lambda factor: _edit("layouts", "width", factor),
        type=float,
        metavar="0..4",
        help="Side against middle; 0 is mono, 1 as it is.",
    ),
    Step(
        ["--to"],
        lambda layout: _edit("layouts", "to_layout", layout),
        type=click.Choice(["mono", "stereo", "true-stereo"]),
        help="Convert the layout.",
    ),
    Step(
        ["--right-source"],
        _pair,
        metavar="NAME_OR_FILE",
        help="Make true stereo: INPUT was recorded with the source on the left, this with it on the right.",
    ),
    Step(
        ["--low-cut"],
        lambda hz: _edit("equalising", "low_cut", hz, _setting("slope")),
        type=Hertz(),
        metavar="HZ",
        help="Take away what lies below.",
    ),
    Step(
        ["--high-cut"],
        lambda hz: _edit("equalising", "high_cut", hz, _setting("slope")),
        type=Hertz(),
        metavar="HZ",
        help="Take away what lies above.",
    ),
    Step(
        ["--low-shelf"],
        _one_pair("low_shelf"),
        type=Pairs(":"),
        metavar="HZ:DB",
        help="Raise or lower the bass.",
    ),
    Step(
        ["--high-shelf"],
        _one_pair("high_shelf"),
        type=Pairs(":"),
        metavar="HZ:DB",
        help="Raise or lower the treble.",
    ),
    Step(
        ["--eq"],
        lambda curve: _edit("equalising", "equalise", curve),
        type=Pairs(":"),
        metavar="HZ:DB,...",
        help="Any curve: 100:-3,1k:0,8k:2.",
    ),
    Step(
        ["--gain"],
        lambda db: lambda response: response.gain(db),
        type=click.FloatRange(-200, 120),
        metavar="DB",
        help="Louder or softer.",
    ),
    Step(
        ["--level"],
        lambda mode: _edit("edit", "set_gain", mode),
        type=click.Choice(_GAIN_MODES),
        help="Bring to a level; peak-safe: no input within full scale can clip.",
    ),
    Step(["--rate"], _rate, type=int, metavar="HZ", help="Resample."),
)


@click.command(cls=OrderedCommand)
@click.argument("source", metavar="INPUT", shell_complete=complete_response)
@click.argument("output", type=click.Path())
@click.option(
    "--layout", metavar="NAME", help="Of INPUT: mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS."
)
@click.option(
    "--onset",
    type=float,
    default=-20.0,
    show_default=True,
    metavar="DB",
    help="Level below the peak that is a start.",
)
@click.option("--floor", type=float, default=-90.0, show_default=True, metavar="DB", help="Where tails end.")
@click.option("--split", type=float, default=80.0, show_default=True, metavar="MS", help="Where early ends.")
@click.option("--slope", type=int, default=12, show_default=True, metavar="DB", help="Of cuts, per octave.")
@click.option("--bpm", type=float, metavar="BPM", help="Tempo of notes.")
@click.option("--force", is_flag=True, help="Replace an existing OUTPUT.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.pass_context
def edit(
    ctx: click.Context,
    /,
    source: str,
    output: str,
    layout: str | None,
    force: bool,
    quiet: bool,
    **_settings: Any,
) -> None:
    """Edit the response INPUT, a name or a file, and write the result to OUTPUT.

    The steps are carried out in the order in which they stand on the command line, as often as they do; INPUT stays
    as it is. --layout, --onset, --floor, --split, --slope and --bpm are settings of
    all steps.

    \b
    Examples:
      reverb ir edit recorded.wav clean.wav --trim-head --extend-tail --level loudness
      reverb ir edit hall dark.wav --rt60 125=2.5,1k=2,8k=0.7 --high-shelf 6k:-3
      reverb ir edit church swell.wav --trim-tail -60 --reverse --predelay 1/16 --bpm 96
      reverb ir edit left.wav both.wav --right-source right.wav --width 1.3
    """
    from reverb.audiofiles.files import output_format
    from reverb.audiofiles.outputs import check_output
    from reverb.store.library import impulse

    output_format(output)
    check_output(output, force)
    edits = [step.make(value) for step, value in ctx.meta[STEPS]]
    response = impulse(source, layout)
    for edit_response in edits:
        response = edit_response(response)
    save(response, output, force=force, quiet=quiet)


def save(response: "ImpulseResponse", output: str, *, force: bool, quiet: bool) -> None:
    """Write a response under the name of its file, and say what was written."""
    from dataclasses import replace
    from pathlib import Path

    from reverb.levels import to_db
    from reverb.responses.level import peak
    from reverb.store.response_files import save_response

    response = replace(response, name=Path(output).stem)
    save_response(response, output, overwrite=force)
    if not quiet:
        click.echo(
            f"{click.format_filename(output)}: {response.layout}, {response.seconds:.3f} s at "
            f"{response.sample_rate} Hz, peak {to_db(peak(response)):.1f} dBFS"
        )


edit.params.extend(_STEPS)
