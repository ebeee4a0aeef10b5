"""`reverb ir edit`: edit a response in steps, which are applied in command-line order, each as often as given."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click

from reverb.choices import GAIN_MODES, LAYOUTS
from reverb.cli.options import FORCE, QUIET, Hertz, Milliseconds, Number, Pairs, complete_response, grouped
from reverb.cli.results import save

if TYPE_CHECKING:
    from reverb.effects import edits
    from reverb.responses import edit as editing
    from reverb.responses import stretch, tail
    from reverb.responses.decay import shaping
    from reverb.responses.response import ImpulseResponse
else:

    class _Module:
        """A module that is imported when one of its functions is first used."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, function: str) -> Any:
            from importlib import import_module

            return getattr(import_module(self._name), function)

    edits = _Module("reverb.effects.edits")
    editing = _Module("reverb.responses.edit")
    shaping = _Module("reverb.responses.decay.shaping")
    stretch = _Module("reverb.responses.stretch")
    tail = _Module("reverb.responses.tail")

_STEPS_KEY = "reverb.steps"


class _Settings(NamedTuple):
    """The options that are settings of all steps; `split` in seconds."""

    onset: float
    floor: float
    split: float
    slope: int
    bpm: float | None


_Edit: TypeAlias = "Callable[[ImpulseResponse, Any, _Settings], ImpulseResponse]"
"""Returns the response after a step; the second argument is the value of the step's option."""


class _Step(click.Option):
    """An option that is a step of editing."""

    def __init__(self, name: str, edit: _Edit, text: str, settings: dict[str, Any]) -> None:
        super().__init__([name], multiple=True, help=text, **settings)
        self.edit = edit


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


class _OnePair(Pairs):
    """One number by frequency: ``6k:-3``."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Return Hz and the number."""
        pairs = super().convert(value, param, ctx)
        if len(pairs) != 1:
            self.fail(f"{value!r}; expected one HZ:DB; give the option again for another shelf", param, ctx)
        ((frequency, number),) = pairs.items()
        return frequency, number


def _predelay(response: "ImpulseResponse", text: str, settings: _Settings) -> "ImpulseResponse":
    from reverb.effects.echoes import note_seconds
    from reverb.errors import ParameterError

    if "/" in text:
        if settings.bpm is None:
            raise ParameterError(f"pre-delay {text!r} is a note; give the tempo too, such as --bpm 120")
        return editing.predelay(response, note_seconds(text, settings.bpm))
    try:
        return editing.predelay(response, float(text) / 1000)
    except ValueError:
        raise ParameterError(f"pre-delay {text!r}; expected ms, or a note such as 1/16 with --bpm") from None


def _right_source(response: "ImpulseResponse", path: str, _: _Settings) -> "ImpulseResponse":
    from reverb.store.library import impulse

    return editing.true_stereo(response, impulse(path))


# Types of steps, as click takes them.
_FLAG: dict[str, Any] = {"is_flag": True}
_DB: dict[str, Any] = {"type": float, "metavar": "DB"}
_FACTOR: dict[str, Any] = {"type": float, "metavar": "FACTOR"}
_HZ: dict[str, Any] = {"type": Hertz(), "metavar": "HZ"}
_MS: dict[str, Any] = {"type": Milliseconds(), "metavar": "MS"}
_SHELF: dict[str, Any] = {"type": _OnePair(":"), "metavar": "HZ:DB"}

_STEPS: Sequence[_Step] = (
    _Step(
        "--trim-head",
        lambda response, _, settings: editing.trim_head(response, settings.onset),
        "Cut the silence before the sound starts (--onset).",
        _FLAG,
    ),
    _Step(
        "--trim-tail",
        lambda response, db, _: editing.trim_tail(response, db),
        "Cut where the remaining energy is DB below the total, such as -60.",
        _DB,
    ),
    _Step(
        "--length",
        lambda response, seconds, _: editing.set_length(response, seconds),
        "Set the length: cut the end, or append silence.",
        _MS,
    ),
    _Step(
        "--cut-noise",
        lambda response, *_: editing.cut_noise(response),
        "Cut at the noise floor (Lundeby).",
        _FLAG,
    ),
    _Step(
        "--extend-tail",
        lambda response, _, settings: tail.extend_tail(response, settings.floor),
        "Continue each band's decay beyond the noise or the end, down to --floor.",
        _FLAG,
    ),
    _Step(
        "--fade-in",
        lambda response, seconds, _: editing.fade_in(response, seconds),
        "Fade in the first MS.",
        _MS,
    ),
    _Step(
        "--fade-out",
        lambda response, seconds, _: editing.fade_out(response, seconds),
        "Fade out the last MS.",
        _MS,
    ),
    _Step("--reverse", lambda response, *_: editing.reverse(response), "Reverse in time.", _FLAG),
    _Step(
        "--stretch",
        lambda response, factor, _: stretch.stretch_time(response, factor),
        "Make it FACTOR times as long at the same pitch; meant for tails, rough on single echoes.",
        _FACTOR,
    ),
    _Step(
        "--tape",
        lambda response, factor, _: stretch.stretch_tape(response, factor),
        "Make it FACTOR times as long like a slower tape: the pitch falls, and the room grows.",
        _FACTOR,
    ),
    _Step(
        "--predelay",
        _predelay,
        "Silence before the response: ms, or a note (1/16, 1/8d, 1/8t) at --bpm.",
        {"metavar": "MS_OR_NOTE"},
    ),
    _Step(
        "--rt60",
        lambda response, target, _: shaping.with_rt60(response, target),
        "Decay time: 2.5 scales all bands; 125=3,1k=2,8k=0.9 sets octaves.",
        {"type": Pairs("=", alone=True), "metavar": "S_OR_BANDS"},
    ),
    _Step(
        "--attack",
        lambda response, seconds, _: editing.attack(response, seconds),
        "Let the level rise over the first MS.",
        _MS,
    ),
    _Step(
        "--early",
        lambda response, db, settings: editing.balance(response, early_db=db, split=settings.split),
        "Change the level before --split.",
        _DB,
    ),
    _Step(
        "--late",
        lambda response, db, settings: editing.balance(response, late_db=db, split=settings.split),
        "Change the level after --split.",
        _DB,
    ),
    _Step(
        "--width",
        lambda response, factor, _: edits.width(response, factor),
        "Stereo width: 0 is mono, 1 unchanged.",
        {"type": float, "metavar": "0..4"},
    ),
    _Step(
        "--to",
        lambda response, layout, _: editing.to_layout(response, layout),
        "Convert the layout.",
        {"type": click.Choice(LAYOUTS)},
    ),
    _Step(
        "--right-source",
        _right_source,
        "Make true stereo: the source was on the left when INPUT was recorded, and on the right for this one.",
        {"metavar": "NAME_OR_FILE"},
    ),
    _Step(
        "--low-cut",
        lambda response, hz, settings: edits.low_cut(response, hz, settings.slope),
        "Roll off below HZ.",
        _HZ,
    ),
    _Step(
        "--high-cut",
        lambda response, hz, settings: edits.high_cut(response, hz, settings.slope),
        "Roll off above HZ.",
        _HZ,
    ),
    _Step(
        "--low-shelf",
        lambda response, pair, _: edits.low_shelf(response, *pair),
        "Raise or lower the bass.",
        _SHELF,
    ),
    _Step(
        "--high-shelf",
        lambda response, pair, _: edits.high_shelf(response, *pair),
        "Raise or lower the treble.",
        _SHELF,
    ),
    _Step(
        "--eq",
        lambda response, curve, _: edits.draw_curve(response, curve),
        "Apply a curve through these points, such as 100:-3,1k:0,8k:2.",
        {"type": Pairs(":"), "metavar": "HZ:DB,..."},
    ),
    _Step(
        "--gain",
        lambda response, db, _: response.gain(db),
        "Change the level.",
        {"type": Number(-200, 120), "metavar": "DB"},
    ),
    _Step(
        "--level",
        lambda response, mode, _: editing.set_gain(response, mode),
        "Normalize to a level; peak-safe: no input within full scale can clip.",
        {"type": click.Choice(GAIN_MODES)},
    ),
    _Step(
        "--rate",
        lambda response, sample_rate, _: response.response(sample_rate),
        "Change the sample rate.",
        {"type": int, "metavar": "HZ"},
    ),
)


@click.command(cls=_OrderedCommand)
@click.argument("source", metavar="INPUT", shell_complete=complete_response)
@click.argument("output", type=click.Path())
@click.option(
    "--layout",
    metavar="NAME",
    help="Layout of INPUT: mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS.",
)
@grouped(
    "settings",
    _Settings,
    click.option(
        "--onset",
        type=float,
        default=-20.0,
        metavar="DB",
        help="For --trim-head: level relative to the peak at which the sound starts.",
    ),
    click.option(
        "--floor",
        type=float,
        default=-90.0,
        metavar="DB",
        help="For --extend-tail: level relative to the peak at which the tail ends.",
    ),
    click.option(
        "--split",
        type=Milliseconds(),
        default=80.0,
        metavar="MS",
        help="For --early and --late: end of the early part.",
    ),
    click.option(
        "--slope", type=int, default=12, metavar="DB", help="For --low-cut and --high-cut: slope per octave."
    ),
    click.option("--bpm", type=float, metavar="BPM", help="Tempo, for a --predelay in notes."),
)
@FORCE
@QUIET
@click.pass_context
def edit(
    ctx: click.Context,
    /,
    source: str,
    output: str,
    layout: str | None,
    settings: _Settings,
    force: bool,
    quiet: bool,
) -> None:
    """Edit the response INPUT, a name or a file, and write the result to OUTPUT.

    The steps are applied in command-line order, each as often as it is given. INPUT is not changed. --layout,
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
    response = impulse(source, layout)
    for step, value in ctx.meta[_STEPS_KEY]:
        response = step.edit(response, value, settings)
    save(response, output, force=force, quiet=quiet)


edit.params.extend(_STEPS)
