"""`reverb apply`: a recording through a room."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverb.cli.options import DRY, MIX, PREDELAY, WET, completions, with_options
from reverb.cli.rendering import render, rendering_options, take_rendering

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ROOM_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--layout",
        metavar="NAME",
        help="Of the response: mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS.",
    ),
    WET,
    DRY,
    click.option(
        "--decay",
        type=float,
        default=1.0,
        show_default=True,
        metavar="FACTOR",
        help="How many times as long the room falls, 0.125 to 8.",
    ),
    click.option(
        "--low-cut", type=float, metavar="HZ", help="Roll off the room's lows below, 12 dB per octave."
    ),
    click.option("--high-cut", type=float, metavar="HZ", help="Roll off the room's highs above."),
    click.option(
        "--width", type=float, default=1.0, show_default=True, metavar="0..4", help="Of the room: 0 is mono."
    ),
    click.option(
        "--ir-level",
        "level",
        type=click.Choice(["loudness", "energy", "peak", "none"]),
        default="loudness",
        show_default=True,
        help="What the response is brought to before mixing; none: as its file is.",
    ),
)


def complete_response(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list["CompletionItem"]:
    """Complete the name of a response, or a file."""
    from reverb.store.library import names

    return completions(begun, names())


def room_options(command: _Command) -> _Command:
    """Add the settings of a room, but for `--mix` and `--predelay`."""
    return with_options(_ROOM_OPTIONS)(command)


@click.command()
@rendering_options
@click.option(
    "--ir",
    "impulse_response",
    required=True,
    metavar="NAME_OR_FILE",
    shell_complete=complete_response,
    help="Impulse response: a name that `reverb ir list` shows, or an audio file.",
)
@MIX
@PREDELAY
@room_options
def apply(
    impulse_response: str,
    layout: str | None,
    predelay: float,
    **options: Any,
) -> None:
    """Play INPUT in a room and write the result to OUTPUT.

    INPUT and OUTPUT may be - for standard input and output. A mono input becomes stereo in a stereo room.

    \b
    Examples:
      reverb apply dry.wav wet.wav --ir church
      reverb apply dry.wav wet.wav --ir my_room.wav --wet -6 --dry 0 --predelay 15
      reverb apply dry.wav wet.flac --ir hall --mix 1 --normalize peak
      reverb apply dry.wav wet.wav --ir church --decay 0.6 --low-cut 150 --high-cut 7000
    """
    from reverb.effects.reverb import Reverb
    from reverb.store.library import impulse

    rendering = take_rendering(options)  # what is left are settings of the reverb
    room = impulse(impulse_response, layout)
    render(rendering, Reverb(room, predelay=predelay / 1000, **options))
