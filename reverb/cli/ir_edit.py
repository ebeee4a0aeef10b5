"""`reverb ir edit`: edit a response in steps, which are carried out in command-line order, as often as given."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from reverb.cli.apply import complete_response
from reverb.cli.options import Hertz, Pairs

if TYPE_CHECKING:
    from reverb.responses.response import ImpulseResponse

Edit: TypeAlias = "Callable[[ImpulseResponse], ImpulseResponse]"
_GAIN_MODES = ("none", "peak", "energy", "loudness", "peak-safe")
_STEPS_KEY = "reverb.steps"


class _Step(click.Option):
    """An option that is a step of editing; its `make` turns the option's value into the edit."""

    def __init__(self, declarations: list[str], make: Callable[[Any], Any], **settings: Any) -> None:
        super().__init__(declarations, multiple=True, **settings)
        self.make = make


class _OrderedCommand(click.Command):
    """A command that puts its steps, in command-line order, into ``ctx.meta[_STEPS_KEY]`` as (option, value) pairs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, and record the order of the steps."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        rest = super().parse_args(ctx, args)
        steps = {param.name or "": param for param in self.params if isinstance(param, _Step)}
        values = {name: iter(ctx.params.pop(name)) for name in steps}
        # The order lists an option once for each time that it is given.
        ctx.meta[_STEPS_KEY] = [
            (param, next(values[param.name or ""])) for param in order if isinstance(param, _Step)
        ]
        return rest


def _edit(module: str, function: str, *arguments: Any, **named: Any) -> Edit:
    """Return the edit by a function of `reverb.responses` or `reverb.effects.edits`, which is imported late."""

    def edit_response(response: "ImpulseResponse") -> "ImpulseResponse":
        from importlib import import_module

        if module == "edits":
            functions = import_module("reverb.effects.edits")
        else:
            functions = import_module(f"reverb.responses.{module}")
        made: ImpulseResponse = getattr(functions, function)(response, *arguments, **named)
        return made

    return edit_response


def _setting(name: str) -> Any:
    return click.get_current_context().params[name]


def _ms(function: str) -> Callable[[float], Edit]:
    return lambda value: _edit("edit", function, value / 1000)


def _flag(name: str, edit: Edit, text: str) -> _Step:
    return _Step([name], lambda _: edit, is_flag=True, help=text)


def _one_pair(function: str) -> Callable[[dict[float, float]], Edit]:
    def make(pairs: dict[float, float]) -> Edit:
        from reverb.errors import ParameterError

        if len(pairs) != 1:
            raise ParameterError(
                f"{len(pairs)} shelves at once; expected one HZ:DB; give the option again for another shelf"
            )
        ((frequency, db),) = pairs.items()
        return _edit("edits", function, frequency, db)

    return make


def _predelay(text: str) -> Edit:
    from reverb.effects.echoes import note_seconds
    from reverb.errors import ParameterError

    if "/" in text:
        bpm = _setting("bpm")
        if bpm is None:
            raise ParameterError(f"pre-delay {text!r} is a note; give the tempo too, such as --bpm 120")
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
        from reverb.responses.edit import true_stereo
        from reverb.store.library import impulse

        return true_stereo(response, impulse(path))

    return edit_response


def _rate(sample_rate: int) -> Edit:
    return lambda response: response.response(sample_rate)


_STEPS: Sequence[_Step] = (
    _Step(
        ["--trim-head"],
        lambda _: _edit("edit", "trim_head", _setting("onset")),
        is_flag=True,
        help="Cut the silence before the sound starts (--onset).",
    ),
    _Step(
        ["--trim-tail"],
        lambda db: _edit("edit", "trim_tail", db),
        type=float,
        metavar="DB",
        help="Cut where the remaining energy is DB below the total, such as -60.",
    ),
    _Step(["--length"], _ms("set_length"), type=float, metavar="MS", help="Cut, or fill with silence."),
    _flag("--cut-noise", _edit("edit", "cut_noise"), "Cut at the noise floor (Lundeby)."),
    _Step(
        ["--extend-tail"],
        lambda _: _edit("tail", "extend_tail", _setting("floor")),
        is_flag=True,
        help="Continue each band's decay beyond the noise or the end, down to --floor.",
    ),
    _Step(["--fade-in"], _ms("fade_in"), type=float, metavar="MS", help="Fade in the first MS."),
    _Step(["--fade-out"], _ms("fade_out"), type=float, metavar="MS", help="Fade out the last MS."),
    _flag("--reverse", _edit("edit", "reverse"), "Reverse in time."),
    _Step(
        ["--stretch"],
        lambda factor: _edit("stretch", "stretch_time", factor),
        type=float,
        metavar="FACTOR",
        help="Longer at the same pitch; made for tails, rough on single echoes.",
    ),
    _Step(
        ["--tape"],
        lambda factor: _edit("stretch", "stretch_tape", factor),
        type=float,
        metavar="FACTOR",
        help="Longer as by a slower tape: pitch falls and the room grows with it.",
    ),
    _Step(
        ["--predelay"],
        _predelay,
        metavar="MS_OR_NOTE",
        help="Silence before the response: ms, or a note (1/16, 1/8d, 1/8t) at --bpm.",
    ),
    _Step(
        ["--rt60"],
        lambda target: _edit("decay.shaping", "with_rt60", target),
        type=Pairs("=", alone=True),
        metavar="S_OR_BANDS",
        help="Decay time: 2.5 scales all bands; 125=3,1k=2,8k=0.9 sets octaves.",
    ),
    _Step(
        ["--attack"], _ms("attack"), type=float, metavar="MS", help="Let the level rise over the first MS."
    ),
    _Step(
        ["--early"], _balance("early_db"), type=float, metavar="DB", help="Change the level before --split."
    ),
    _Step(["--late"], _balance("late_db"), type=float, metavar="DB", help="Change the level after --split."),
    _Step(
        ["--width"],
        lambda factor: _edit("edits", "width", factor),
        type=float,
        metavar="0..4",
        help="Stereo width: 0 is mono, 1 unchanged.",
    ),
    _Step(
        ["--to"],
        lambda layout: _edit("edit", "to_layout", layout),
        type=click.Choice(["mono", "stereo", "true-stereo"]),
        help="Convert the layout.",
    ),
    _Step(
        ["--right-source"],
        _pair,
        metavar="NAME_OR_FILE",
        help="Make true stereo: INPUT was recorded with the source on the left, this with it on the right.",
    ),
    _Step(
        ["--low-cut"],
        lambda hz: _edit("edits", "low_cut", hz, _setting("slope")),
        type=Hertz(),
        metavar="HZ",
        help="Roll off below HZ.",
    ),
    _Step(
        ["--high-cut"],
        lambda hz: _edit("edits", "high_cut", hz, _setting("slope")),
        type=Hertz(),
        metavar="HZ",
        help="Roll off above HZ.",
    ),
    _Step(
        ["--low-shelf"],
        _one_pair("low_shelf"),
        type=Pairs(":"),
        metavar="HZ:DB",
        help="Raise or lower the bass.",
    ),
    _Step(
        ["--high-shelf"],
        _one_pair("high_shelf"),
        type=Pairs(":"),
        metavar="HZ:DB",
        help="Raise or lower the treble.",
    ),
    _Step(
        ["--eq"],
        lambda curve: _edit("edits", "draw_curve", curve),
        type=Pairs(":"),
        metavar="HZ:DB,...",
        help="Apply a curve through these points, such as 100:-3,1k:0,8k:2.",
    ),
    _Step(
        ["--gain"],
        lambda db: lambda response: response.gain(db),
        type=click.FloatRange(-200, 120),
        metavar="DB",
        help="Louder or softer.",
    ),
    _Step(
        ["--level"],
        lambda mode: _edit("edit", "set_gain", mode),
        type=click.Choice(_GAIN_MODES),
        help="Normalize to a level; peak-safe: no input within full scale can clip.",
    ),
    _Step(["--rate"], _rate, type=int, metavar="HZ", help="Resample."),
)


@click.command(cls=_OrderedCommand)
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
    help="For --trim-head: level re peak at which the sound starts.",
)
@click.option(
    "--floor",
    type=float,
    default=-90.0,
    show_default=True,
    metavar="DB",
    help="For --extend-tail: level re peak at which the tail ends.",
)
@click.option(
    "--split",
    type=float,
    default=80.0,
    show_default=True,
    metavar="MS",
    help="For --early and --late: end of the early part.",
)
@click.option(
    "--slope", type=int, default=12, show_default=True, metavar="DB", help="For cuts: slope per octave."
)
@click.option("--bpm", type=float, metavar="BPM", help="Tempo, for a --predelay in notes.")
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

    The steps are carried out in command-line order, each as often as it is given. INPUT is not changed. --layout,
    --onset, --floor, --split, --slope and --bpm are settings for all steps.

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
    edits = [step.make(value) for step, value in ctx.meta[_STEPS_KEY]]
    response = impulse(source, layout)
    for edit_response in edits:
        response = edit_response(response)
    save(response, output, force=force, quiet=quiet)


def save(response: "ImpulseResponse", output: str, *, force: bool, quiet: bool) -> None:
    """Write a response, named after its file, and print one line about it."""
    from pathlib import Path

    from reverb.levels import to_db
    from reverb.responses.level import peak
    from reverb.responses.response import derived
    from reverb.store.response_files import save_response

    response = derived(response, name=Path(output).stem)
    save_response(response, output, overwrite=force)
    if not quiet:
        click.echo(
            f"{click.format_filename(output)}: {response.layout}, {response.seconds:.3f} s at "
            f"{response.sample_rate} Hz, peak {to_db(peak(response)):.1f} dBFS"
        )


edit.params.extend(_STEPS)
