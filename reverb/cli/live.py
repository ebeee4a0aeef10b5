"""`reverb live`: play the sound card's input through a room."""

import sys
from typing import TYPE_CHECKING, Any

import click

from reverb.cli import reconnect as supervisor
from reverb.cli.apply import complete_response
from reverb.cli.chain import complete_preset
from reverb.cli.options import DRY, MIX, PREDELAY, WET, with_options
from reverb.cli.playing import Controls, play

if TYPE_CHECKING:
    from reverb.effects.effect import Effect
    from reverb.live.session import Session
    from reverb.live.settings import LiveSettings

_DEFAULT_RESPONSE = "hall"
_OSC_PORT = 9000


class _Channels(click.ParamType[Any]):
    name = "channels"

    def convert(self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return tuple(int(number) for number in value.split(","))
        except ValueError:
            self.fail(f"{value!r}; expected numbers from 1, such as 1,2 or 3", parameter, ctx)


class _Latency(click.ParamType[Any]):
    name = "latency"

    def convert(self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("low", "high"):
            return value
        try:
            return float(value) / 1000.0
        except ValueError:
            self.fail(f"{value!r}; expected low, high or milliseconds", parameter, ctx)


_CARD_OPTIONS = (
    click.option(
        "--input-device", metavar="DEVICE", help="Its number, or a part of its name; see reverb devices."
    ),
    click.option("--output-device", metavar="DEVICE", help="The same for the output."),
    click.option(
        "--input-channels",
        type=_Channels(),
        metavar="N,N",
        help="The card's channels to use, from 1.  [default: 1,2]",
    ),
    click.option(
        "--output-channels", type=_Channels(), metavar="N,N", help="The same for the output.  [default: 1,2]"
    ),
    click.option("--sample-rate", type=int, metavar="HZ", help="[default: the card's]"),
    click.option("--block-size", type=int, metavar="FRAMES", help="[default: the card's]"),
    click.option(
        "--latency",
        type=_Latency(),
        default="low",
        show_default=True,
        metavar="low|high|MS",
        help="Latency to request from the card.",
    ),
    click.option(
        "--exclusive", is_flag=True, help="WASAPI only: bypass the system's mixer, for lower latency."
    ),
)
_SOUND_OPTIONS = (
    click.option(
        "--ir",
        "responses",
        multiple=True,
        metavar="NAME_OR_FILE",
        shell_complete=complete_response,
        help=f"Impulse response; repeat it for several to step through.  [default: {_DEFAULT_RESPONSE}]",
    ),
    click.option(
        "--chain",
        "preset",
        metavar="PRESET",
        shell_complete=complete_preset,
        help="A preset, by name or file (see reverb chain --list), in place of --ir and its levels.",
    ),
    click.option("--allow-outside", is_flag=True, help="Let the preset read files outside its folder."),
    click.option(
        "--layout",
        metavar="NAME",
        help="Layout of the responses: mono, stereo, true-stereo, or INPUTSxOUTPUTS.",
    ),
    MIX,
    WET,
    DRY,
    PREDELAY,
    click.option(
        "--gain",
        type=float,
        default=0.0,
        show_default=True,
        metavar="DB",
        help="Level of dry and wet together.",
    ),
    click.option(
        "--transition",
        type=click.Choice(["crossfade", "spillover"]),
        default="crossfade",
        show_default=True,
        help="Change of the response: as if the new one had always been in use, or while the old one rings out.",
    ),
    click.option(
        "--limiter/--no-limiter", default=True, show_default=True, help="Keep the output within full scale."
    ),
    click.option(
        "--feedback-guard/--no-feedback-guard",
        default=True,
        show_default=True,
        help="Duck acoustic feedback.",
    ),
)
_FILE_OPTIONS = (
    click.option(
        "--input-file", type=click.Path(), metavar="FILE", help="Play a file instead of the card's input."
    ),
    click.option("--loop", is_flag=True, help="Repeat the file without end."),
    click.option(
        "--record", type=click.Path(), metavar="FILE", help="Record the output (.wav, .w64, .caf, ...)."
    ),
    click.option("--record-dry", type=click.Path(), metavar="FILE", help="Record the input as well."),
    click.option("--force", "overwrite", is_flag=True, help="Replace existing recordings."),
)
_CONTROL_OPTIONS = (
    click.option(
        "--osc",
        "osc_port",
        type=click.IntRange(0, 65535),
        is_flag=False,
        flag_value=_OSC_PORT,
        metavar="[PORT]",
        help=f"Accept OSC messages (0: at any free port).  [{_OSC_PORT} if no port is given]",
    ),
    click.option(
        "--osc-host",
        default="127.0.0.1",
        show_default=True,
        metavar="ADDRESS",
        help="Network address for OSC.",
    ),
    click.option(
        "--midi",
        "midi_port",
        is_flag=False,
        flag_value="",
        metavar="[NAME]",
        help="Accept MIDI from this input, or from the first.",
    ),
    click.option(
        "--midi-learn",
        metavar="PARAMETER",
        help="Assign the next MIDI controller that moves to mix, wet, ...",
    ),
    click.option("--plain", is_flag=True, help="Show one line instead of the full screen."),
    click.option("--quiet", is_flag=True, help="Show only errors and the summary."),
    click.option(
        "--duration",
        type=click.FloatRange(0.0, min_open=True),
        metavar="SECONDS",
        help="End after this time.",
    ),
    click.option(
        "--reconnect", is_flag=True, help="Wait while the card is missing, and continue when it is back."
    ),
    click.option(
        "--measure-latency",
        is_flag=True,
        help="Measure the card's round trip through a cable from output to input.",
    ),
)


@click.command()
@with_options(_SOUND_OPTIONS, _FILE_OPTIONS, _CARD_OPTIONS, _CONTROL_OPTIONS)
def live(**options: Any) -> None:
    """Play the sound card's input through a room, with no latency beyond the card's own.

    A terminal shows meters and accepts keys (H lists them); Ctrl-C ends the session with a summary.

    \b
    Examples:
      reverb live --ir church
      reverb live --ir hall --ir plate --mix 0.4 --record take.wav
      reverb live --input-file dry.wav --loop --ir my_room.wav
      reverb live --chain vocal-plate
      reverb live --input-device scarlett --output-device scarlett --block-size 64
      reverb live --measure-latency
    """
    measure, reconnecting = options.pop("measure_latency"), options.pop("reconnect")
    settings = _settings(options)
    controls = Controls(**{name: options.pop(name) for name in Controls.__dataclass_fields__})
    if measure:
        _measure(settings)
    elif reconnecting and not supervisor.is_child():
        sys.exit(supervisor.supervise(lambda text: click.echo(text, err=True)))
    else:
        play(_session(supervisor.continued(settings), options), controls)


def _settings(options: dict[str, Any]) -> "LiveSettings":
    from reverb.live.settings import LiveSettings

    return LiveSettings(
        **{name: options.pop(name) for name in LiveSettings.__dataclass_fields__ if name in options}
    )


def _session(settings: "LiveSettings", options: dict[str, Any]) -> "Session":
    from reverb.effects.reverb import Reverb
    from reverb.live.session import Session
    from reverb.store.library import impulse

    if options["preset"] is not None:
        return Session(_chain(options), settings, gain=options["gain"], transition=options["transition"])
    chosen = [impulse(name, options["layout"]) for name in options["responses"] or (_DEFAULT_RESPONSE,)]
    effect = Reverb(
        chosen[0],
        mix=options["mix"],
        predelay=options["predelay"] / 1000.0,
        wet=options["wet"],
        dry=options["dry"],
    )
    return Session(
        effect,
        settings,
        gain=options["gain"],
        transition=options["transition"],
        responses=chosen if len(chosen) > 1 else None,
    )


def _chain(options: dict[str, Any]) -> "Effect":
    """Return the effect of --chain, or raise UsageError if an option that it replaces is given, too."""
    from reverb.store.presets import load_chain

    for name in ("responses", "layout", "mix", "wet", "dry", "predelay"):
        if options[name] not in (None, (), 0.0):
            option = "ir" if name == "responses" else name
            raise click.UsageError(f"--{option} and --chain exclude each other; give one of them.")
    return load_chain(options["preset"], allow_outside=options["allow_outside"])


def _measure(settings: "LiveSettings") -> None:
    from reverb.live.play_record import measure_latency

    report = measure_latency(settings)
    stated = f"; the card states {1000 * report.stated:.1f} ms" if report.stated else ""
    blocks = f" in blocks of {report.block_size}" if report.block_size else ""
    click.echo(
        f"round trip: {report.frames} frames, {report.milliseconds:.2f} ms at {report.sample_rate} Hz{blocks} "
        f"(spread {report.spread} frames){stated}"
    )
