"""Options: their types; and their choices and defaults, which must be those of the values and functions they set.

The command line repeats defaults, because importing them would load NumPy for each --help.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

from reverb import choices
from reverb.cli.app import cli
from reverb.cli.options import Hertz, NumberOrRange, Numbers, Pairs, Renamed, grouped
from reverb.effects.edits import low_cut
from reverb.effects.filters import LowPass
from reverb.effects.reverb import DEFAULT_MIX, Reverb
from reverb.live.settings import LiveSettings
from reverb.render.batch.tasks import Augment
from reverb.render.files import process_file
from reverb.render.settings import RenderSettings
from reverb.responses.edit import balance, trim_head
from reverb.responses.measure.burst import from_burst
from reverb.responses.measure.identify import identify
from reverb.responses.measure.sweep import Sweep
from reverb.responses.measure.sweep_deconvolution import deconvolve
from reverb.responses.rooms.figures import Figures
from reverb.responses.rooms.plate import Plate
from reverb.responses.rooms.room import build
from reverb.responses.tail import extend_tail
from reverb.store.formats.exports import KINDS
from tests.cli.running import fail

MS, MM = 1000, 1000
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("apply", "level"): choices.LEVELS,
    ("apply", "normalize"): choices.NORMALIZE,
    ("batch", "level"): choices.LEVELS,
    ("batch", "normalize"): choices.NORMALIZE,
    ("chain", "normalize"): choices.NORMALIZE,
    ("live", "transition"): choices.TRANSITIONS,
    ("ir info", "bands"): choices.BAND_SETS,
    ("ir compare", "bands"): choices.BAND_SETS,
    ("ir edit", "to"): choices.LAYOUTS,
    ("ir edit", "level"): choices.GAIN_MODES,
    ("ir export", "kind"): ("audio", *KINDS),
    ("ir synth figures", "layout"): choices.LAYOUTS,
    ("ir synth room", "layout"): choices.LAYOUTS,
    ("ir synth plate", "layout"): choices.PLATE_LAYOUTS,
    ("filter design", "curve"): choices.WEIGHTS,
    **{
        (f"filter {name}", "phase"): choices.PHASES
        for name in ("design", "lowpass", "highpass", "peak", "eq")
    },
    **{(f"filter {name}", "method"): choices.METHODS for name in ("design", "lowpass", "bandstop")},
}
# Command, the value or function that it sets, its options (by the parameter, where they differ), and their units.
DEFAULTS: list[tuple[str, Callable[..., Any], dict[str, str], dict[str, float]]] = [
    (
        "apply",
        Reverb,
        {n: n for n in ("mix", "wet", "dry", "predelay", "decay", "low_cut", "high_cut", "width", "level")},
        {"predelay": MS},
    ),
    (
        "apply",
        process_file,
        {
            n: n
            for n in ("tail", "gain", "normalize", "loudness", "ceiling", "container", "subtype", "dither")
        },
        {},
    ),
    (
        "batch",
        RenderSettings,
        {
            n: n
            for n in ("tail", "gain", "normalize", "loudness", "ceiling", "container", "subtype", "dither")
        },
        {},
    ),
    ("batch", Reverb, {n: n for n in ("mix", "predelay", "decay", "width", "level")}, {"predelay": MS}),
    ("batch", Augment, {"seed": "seed"}, {}),
    (
        "live",
        LiveSettings,
        {
            n: n
            for n in (
                "sample_rate",
                "block_size",
                "latency",
                "limiter",
                "feedback_guard",
                "exclusive",
                "loop",
            )
        },
        {},
    ),
    (
        "filter lowpass",
        LowPass,
        {n: n for n in ("transition", "attenuation", "ripple", "method", "phase")},
        {},
    ),
    (
        "ir sweep",
        Sweep,
        {
            n: n
            for n in (
                *("sample_rate", "seconds", "low", "level", "pause"),
                *("repetitions", "sources", "fade_in", "fade_out"),
            )
        },
        {"fade_in": MS, "fade_out": MS},
    ),
    (
        "ir deconvolve",
        deconvolve,
        {"lead": "lead", "drift": "correct_drift", "length": "seconds"},
        {"lead": MS},
    ),
    ("ir identify", identify, {n: n for n in ("lead", "iterations", "align")}, {"lead": MS}),
    (
        "ir burst",
        from_burst,
        {"length": "seconds", "flatten": "flatten", "direct": "direct", "limit": "limit"},
        {"direct": MS},
    ),
    ("ir edit", trim_head, {"onset": "threshold_db"}, {}),
    ("ir edit", extend_tail, {"floor": "floor_db"}, {}),
    ("ir edit", balance, {"split": "split"}, {"split": MS}),
    ("ir edit", low_cut, {"slope": "slope"}, {}),
    (
        "ir synth figures",
        Figures,
        {n: n for n in ("size", "distance", "early_db", "density", "spacing", "angle", "seed")},
        {},
    ),
    ("ir synth room", build, {n: n for n in inspect.signature(build).parameters}, {}),
    (
        "ir synth plate",
        Plate,
        {"thickness": "thickness", "rt60": "rt60_low", "rt60_high": "rt60_high", "turn": "turn"},
        {"thickness": MM},
    ),
]


def _commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def _option(command: str, name: str) -> click.Parameter:
    return next(option for option in dict(_commands())[command].params if option.name == name)


@pytest.mark.parametrize(("command", "name"), CHOICES)
def test_choices_are_those_of_the_type(command: str, name: str) -> None:
    kind = _option(command, name).type
    assert isinstance(kind, click.Choice)
    assert tuple(kind.choices) == CHOICES[command, name]


@pytest.mark.parametrize(
    ("command", "target", "option", "parameter", "unit"),
    [
        (command, target, option, parameter, units.get(option, 1))
        for command, target, options, units in DEFAULTS
        for option, parameter in options.items()
    ],
)
def test_defaults_are_those_of_what_is_set(
    command: str, target: Callable[..., Any], option: str, parameter: str, unit: float
) -> None:
    theirs = inspect.signature(target).parameters[parameter].default
    ours = _option(command, option).get_default(click.Context(click.Command("any")))
    ours = (
        ours if isinstance(ours, bool | int | float | str) else None
    )  # click marks options without a default
    if isinstance(theirs, float):
        assert ours == pytest.approx(unit * theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("command", ["apply", "batch", "live"])
def test_the_help_tells_the_default_mix(command: str) -> None:
    assert f"[default: {DEFAULT_MIX:g}]" in " ".join(
        CliRunner().invoke(cli, [command, "--help"]).stdout.split()
    )


@pytest.mark.parametrize(("name", "command"), list(_commands()))
def test_every_option_is_explained(name: str, command: click.Command) -> None:
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, f"reverb {name} {option.opts[0]}"


_WITHOUT_NAN = {
    "apply": ("in.wav", "out.wav", "--ir", "room.wav"),
    "filter lowpass": ("in.wav", "out.wav", "--cutoff", "1000"),
    "filter bandpass": ("in.wav", "out.wav", "--low", "300", "--high", "3000"),
    "filter shelf": ("in.wav", "out.wav", "--kind", "low", "--frequency", "100", "--boost", "3"),
    "filter tilt": ("in.wav", "out.wav", "--boost", "3"),
    "filter notch": ("in.wav", "out.wav", "--frequency", "100"),
    "filter crossover": ("in.wav", "out.wav", "--at", "100"),
    "ir edit": ("room.wav", "out.wav"),
    "ir sweep": ("out.wav",),
    "live": (),
}


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize("command", _WITHOUT_NAN)
def test_no_option_accepts_nan(command: str) -> None:
    numbers = [
        option.opts[0]
        for option in dict(_commands())[command].params
        if isinstance(option, click.Option) and isinstance(option.type, click.types.FloatParamType | Hertz)
    ]
    assert numbers
    for name in numbers:
        if name in ("--onset", "--floor", "--split", "--bpm"):
            continue  # settings of steps that are not given
        fail(2, "nan", *command.split(), *_WITHOUT_NAN[command], name, "nan")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Hertz(), "6000", 6000.0),
        (Hertz(), "6k", 6000.0),
        (Hertz(), "2.5 kHz", 2500.0),
        (Pairs(":"), "100:-3,1k:0", {100.0: -3.0, 1000.0: 0.0}),
        (Pairs("=", alone=True), "2.5", 2.5),
        (Pairs("=", alone=True), "125=3,8k=0.9", {125.0: 3.0, 8000.0: 0.9}),
        (NumberOrRange(), "0.3", 0.3),
        (NumberOrRange(), "-3..6", (-3.0, 6.0)),
        (Numbers(3, "LxWxH"), "12x8X4", (12.0, 8.0, 4.0)),
        (Numbers(2, "X,Y"), "1.5,2", (1.5, 2.0)),
    ],
)
def test_types_of_options(kind: click.ParamType[Any], text: str, value: object) -> None:
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Hertz(), "six", "expected Hz"),
        (Pairs(":"), "3", "expected HZ:NUMBER"),
        (Pairs("=", alone=True), "a=b", "or one number"),
        (NumberOrRange(), "much", "expected a number, or LOW..HIGH"),
        (Numbers(3, "LxWxH"), "12x8", "expected LxWxH"),
    ],
)
def test_wrong_values_of_options(kind: click.ParamType[Any], text: str, expected: str) -> None:
    with pytest.raises(click.BadParameter, match=expected):
        kind.convert(text, None, None)


class _Point(NamedTuple):
    x: float
    y: float


@click.command()
@grouped("point", _Point, click.option("--x", type=float, default=1.0), click.option("--y", type=float))
@click.option("--size", cls=Renamed, former="--sise", type=float, required=True)
def _command(point: _Point, size: float) -> None:
    click.echo(json.dumps([point.x, point.y, size]))


def test_a_group_of_options_arrives_as_one_value() -> None:
    assert json.loads(CliRunner().invoke(_command, ["--y", "2", "--size", "3"]).stdout) == [1, 2, 3]


def test_a_former_name_works_and_is_not_shown() -> None:
    assert json.loads(CliRunner().invoke(_command, ["--y", "2", "--sise", "3"]).stdout) == [1, 2, 3]
    for arguments in (["--help"], []):
        output = CliRunner().invoke(_command, arguments).output
        assert "--size" in output
        assert "--sise" not in output


def test_the_former_spelling_of_regularization_works() -> None:
    for name in ("--regularization", "--regularisation"):
        result = CliRunner().invoke(cli, ["ir", "identify", "a", "b", "c", name, "x"])
        assert "'x' is not a valid float" in result.output
