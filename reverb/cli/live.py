"""`reverb live`: play the sound card's input through a room."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reverb.choices import TRANSITIONS, Transition
from reverb.cli.live_session import Controls, continued, is_child, play, supervise
from reverb.cli.options import (
    CARD_RATE,
    DRY,
    INPUT_CHANNELS,
    INPUT_DEVICE,
    MIX,
    OUTPUT_DEVICE,
    PREDELAY,
    WET,
    CardSettings,
    Channels,
    Decorator,
    Number,
    complete_preset,
    complete_response,
    grouped,
    with_options,
)

if TYPE_CHECKING:
    from reverb.effects.effect import Effect
    from reverb.live.session import Session
    from reverb.live.settings import Latency, LiveSettings

_DEFAULT_RESPONSE = "hall"
_OSC_PORT = 9000


@dataclass(frozen=True, kw_only=True)
class _Sound:
    """The options of the sound: responses with their levels, or a preset; `predelay` in seconds."""

    responses: tuple[str, ...]
    preset: str | None
    allow_outside: bool
    layout: str | None
    mix: float | None
    wet: float | None
    dry: float | None
    predelay: float
    gain: float
    transition: Transition


class _Settings(CardSettings):
    """The options that `LiveSettings` takes."""

    block_size: int | None
    latency: "Latency"
    exclusive: bool
    input_file: str | None
    loop: bool
    record: str | None
    record_dry: str | None
    overwrite: bool
    limiter: bool
    feedback_guard: bool


class _Latency(click.ParamType[Any]):
    """A latency to request from the card: ``low``, ``high``, or milliseconds, which are returned in seconds."""

    name = "latency"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Latency":
        """Return a word or seconds."""
        if value == "low" or value == "high":
            return value  # type: ignore[no-any-return]
        try:
            return float(value) / 1000
        except ValueError:
            self.fail(f"{value!r}; expected low, high or milliseconds", param, ctx)


_CARD_OPTIONS: tuple[Decorator, ...] = (
    INPUT_DEVICE,
    OUTPUT_DEVICE,
    INPUT_CHANNELS,
    click.option(
        "--output-channels",
        type=Channels(),
        metavar="N,N",
        help="Output channels of the card to use, from 1.  [default: 1,2]",
    ),
    CARD_RATE,
    click.option("--block-size", type=int, metavar="FRAMES", help="Frames per block.  [default: the card's]"),
    click.option(
        "--latency",
        type=_Latency(),
        default="low",
        metavar="low|high|MS",
        help="Latency to request from the card.",
    ),
    click.option(
        "--exclusive", is_flag=True, help="WASAPI only: bypass the system's mixer, for lower latency."
    ),
)
_SOUND_OPTIONS: tuple[Decorator, ...] = (
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
    click.option("--gain", type=float, default=0.0, metavar="DB", help="Level of dry and wet together."),
    click.option(
        "--transition",
        type=click.Choice(TRANSITIONS),
        default="crossfade",
        help="Change of the response: as if the new one had always been in use, or so that the old one rings out.",
    ),
    click.option("--limiter/--no-limiter", default=True, help="Keep the output within full scale."),
    click.option(
        "--feedback-guard/--no-feedback-guard", default=True, help="Reduce the level at acoustic feedback."
    ),
)
_FILE_OPTIONS: tuple[Decorator, ...] = (
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
_CONTROL_OPTIONS: tuple[Decorator, ...] = (
    click.option(
        "--osc",
        "osc_port",
        type=click.IntRange(0, 65535),
        is_flag=False,
        flag_value=_OSC_PORT,
        metavar="[PORT]",
        help=f"Accept OSC messages (0: at any free port).  [{_OSC_PORT} if no port is given]",
    ),
    click.option("--osc-host", default="127.0.0.1", metavar="ADDRESS", help="Network address for OSC."),
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
        type=Number(0.0, min_open=True),
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
@with_options(*_SOUND_OPTIONS, *_FILE_OPTIONS, *_CARD_OPTIONS, *_CONTROL_OPTIONS)
@grouped("sound", _Sound)
@grouped("settings", _Settings)
@grouped("controls", Controls)
def live(
    sound: _Sound, settings: _Settings, controls: Controls, reconnect: bool, measure_latency: bool
) -> None:
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
    from reverb.live.settings import LiveSettings

    wanted = LiveSettings(**settings)
    if measure_latency:
        _measure(wanted)
    elif reconnect and not is_child():
        sys.exit(supervise(lambda text: click.echo(text, err=True)))
    else:
        play(_session(sound, continued(wanted)), controls)


def _session(sound: _Sound, settings: "LiveSettings") -> "Session":
    from reverb.effects.reverb import Reverb
    from reverb.live.session import Session
    from reverb.store.library import impulse

    if sound.preset is not None:
        effect = _chain(sound, sound.preset)
        return Session(effect, settings, gain=sound.gain, transition=sound.transition)
    chosen = [impulse(name, sound.layout) for name in sound.responses or (_DEFAULT_RESPONSE,)]
    return Session(
        Reverb(chosen[0], mix=sound.mix, predelay=sound.predelay, wet=sound.wet, dry=sound.dry),
        settings,
        gain=sound.gain,
        transition=sound.transition,
        responses=chosen if len(chosen) > 1 else None,
    )


def _chain(sound: _Sound, preset: str) -> "Effect":
    """Return the effect of --chain, or raise UsageError if an option that it replaces is given, too."""
    from reverb.store.presets import load_chain

    replaced = {
        "--ir": sound.responses,
        "--layout": sound.layout,
        "--mix": sound.mix,
        "--wet": sound.wet,
        "--dry": sound.dry,
        "--predelay": sound.predelay,
    }
    for option, value in replaced.items():
        if value not in (None, (), 0.0):
            raise click.UsageError(f"{option} and --chain exclude each other; give one of them.")
    return load_chain(preset, allow_outside=sound.allow_outside)


def _measure(settings: "LiveSettings") -> None:
    from reverb.live.play_record import measure_latency

    report = measure_latency(settings)
    stated = f"; the card states {1000 * report.stated:.1f} ms" if report.stated else ""
    blocks = f" in blocks of {report.block_size}" if report.block_size else ""
    click.echo(
        f"round trip: {report.frames} frames, {report.milliseconds:.2f} ms at {report.sample_rate} Hz{blocks} "
        f"(spread {report.spread} frames){stated}"
    )
