"""`reverb apply`: a recording in a room."""

from typing import TypedDict

import click

from reverb.choices import LEVELS, Level
from reverb.cli.options import DRY, LAYOUT, MIX, PREDELAY, WET, complete_response, grouped
from reverb.cli.rendering import Rendering, render, with_rendering


class RoomSettings(TypedDict):
    """The options of a room, as `Reverb` takes them; mix and pre-delay are apart, because a batch draws them."""

    wet: float | None
    dry: float | None
    decay: float
    low_cut: float | None
    high_cut: float | None
    width: float
    level: Level


room_options = grouped(
    "settings",
    RoomSettings,
    WET,
    DRY,
    click.option(
        "--decay",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="Decay time of the room, as a factor from 0.125 to 8.",
    ),
    click.option("--low-cut", type=float, metavar="HZ", help="Roll off the room below HZ, 12 dB per octave."),
    click.option(
        "--high-cut", type=float, metavar="HZ", help="Roll off the room above HZ, 12 dB per octave."
    ),
    click.option(
        "--width", type=float, default=1.0, metavar="0..4", help="Stereo width of the room: 0 is mono."
    ),
    click.option(
        "--ir-level",
        "level",
        type=click.Choice(LEVELS),
        default="loudness",
        help="Quantity by which the response is normalized before mixing; none: use it as it is in the file.",
    ),
)
"""The options of a room, which a command receives as `settings`."""


@click.command()
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
@LAYOUT
@room_options
@with_rendering
def apply(
    rendering: Rendering,
    impulse_response: str,
    mix: float | None,
    predelay: float,
    layout: str | None,
    settings: RoomSettings,
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

    room = impulse(impulse_response, layout)
    render(rendering, Reverb(room, mix=mix, predelay=predelay, **settings))
