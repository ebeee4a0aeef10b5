"""`reverb ir synth`: responses of rooms and plates that were never built."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from reverb.cli.ir_edit import save
from reverb.cli.options import with_options
from reverb.cli.pairs import Pairs

if TYPE_CHECKING:
    from reverb.responses.layouts import Layout
    from reverb.responses.rooms.plate import PlateLayout

_Command = Callable[..., None]


class _Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with ``x`` or commas between: ``12x8x4``, ``1.5,2,1.2``."""

    name = "numbers"

    def __init__(self, count: int, form: str) -> None:
        self._count, self._form = count, form

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(
                float(part) for part in value.lower().replace("×", "x").replace("x", ",").split(",")
            )
        except ValueError:
            numbers = ()
        if len(numbers) != self._count:
            self.fail(f"{value!r}; expected {self._form}", param, ctx)
        return numbers


class _Plan(click.ParamType[tuple[tuple[float, float], ...]]):
    """Corners of a floor: ``0,0 6,0 7,4 0,5``."""

    name = "plan"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the corners."""
        try:
            corners = [tuple(float(number) for number in corner.split(",")) for corner in value.split()]
        except ValueError:
            corners = []
        if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
            self.fail(f"{value!r}; expected corners such as '0,0 6,0 7,4 0,5', counter-clockwise", param, ctx)
        return tuple(corners)


_SIZE = _Numbers(3, "LENGTHxWIDTHxHEIGHT in metres, such as 12x8x4")
_PLACE = _Numbers(3, "X,Y,Z in metres, such as 2,3.5,1.6")
_SHEET = _Numbers(2, "LENGTHxWIDTH in metres, such as 2x1")


def _common(layouts: tuple[str, ...]) -> Callable[[_Command], _Command]:
    options = (
        click.option(
            "--layout",
            type=click.Choice(layouts),
            default="stereo",
            show_default=True,
            help="Of the response.",
        ),
        click.option("--rate", "sample_rate", type=int, default=48_000, show_default=True, metavar="HZ"),
        click.option("--force", is_flag=True, help="Replace an existing OUTPUT."),
        click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    )

    return with_options([click.argument("output", type=click.Path())], options)


@click.group()
def synth() -> None:
    """Make responses of rooms by figures or by geometry, and of plates.

    \b
    Examples:
      reverb ir synth figures hall.wav --rt60 2.2 --size 24 --distance 9
      reverb ir synth room studio.wav --size 6x4.5x3 --walls furnished --floor carpet
      reverb ir synth plate plate.wav --rt60 3 --rt60-high 1
    """


@synth.command()
@_common(("mono", "stereo", "true-stereo"))
@click.option(
    "--rt60",
    type=Pairs("=", alone=True),
    default="1.5",
    show_default=True,
    metavar="S_OR_BANDS",
    help="Decay time: 2 for all octaves, or 125=3,1k=2,8k=0.9.",
)
@click.option(
    "--size", type=float, default=12.0, show_default=True, metavar="M", help="Cube root of the volume."
)
@click.option(
    "--distance", type=float, metavar="M", help="Source to microphones.  [default: 0.3 of the length]"
)
@click.option(
    "--early", type=float, default=0.0, show_default=True, metavar="DB", help="Of the first reflections."
)
@click.option(
    "--density",
    type=float,
    default=1.0,
    show_default=True,
    metavar="0.01..4",
    help="Of the tail; low is grainy.",
)
@click.option(
    "--spacing", type=float, default=0.4, show_default=True, metavar="M", help="Of the microphones."
)
@click.option(
    "--angle", type=float, default=50.0, show_default=True, metavar="DEGREES", help="Turned outwards, each."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Another number, another room alike."
)
def figures(
    output: str, layout: "Layout", sample_rate: int, force: bool, quiet: bool, early: float, **given: Any
) -> None:
    """Make a room by what it shall be like.

    \b
    Examples:
      reverb ir synth figures hall.wav --rt60 2.2 --size 24 --distance 9
      reverb ir synth figures dark.wav --rt60 125=3,1k=2,8k=0.6 --layout true-stereo --seed 7
    """
    from reverb.responses.rooms.figures import Figures, synthesise

    _check(output, force)
    response = synthesise(Figures(early_db=early, **given), sample_rate, layout)
    save(response, output, force=force, quiet=quiet)


@synth.command()
@_common(("mono", "stereo", "true-stereo"))
@click.option("--size", type=_SIZE, metavar="LxWxH", help="Of a rectangular room, in metres.")
@click.option(
    "--plan",
    type=_Plan(),
    metavar="CORNERS",
    help="Instead: the floor's corners, '0,0 6,0 7,4 0,5', in metres.",
)
@click.option("--height", type=float, metavar="M", help="With --plan.")
@click.option(
    "--walls", default="plaster", show_default=True, metavar="SURFACE", help="Absorption: see below."
)
@click.option(
    "--floor", default="wood-floor", show_default=True, metavar="SURFACE", help="The same for the floor."
)
@click.option(
    "--ceiling", default="plaster", show_default=True, metavar="SURFACE", help="The same for the ceiling."
)
@click.option(
    "--relief",
    default="flat",
    show_default=True,
    metavar="SURFACE",
    help="Scattering: flat, masonry, or numbers.",
)
@click.option(
    "--rt60", type=Pairs("=", alone=True), metavar="S_OR_BANDS", help="Tune the surfaces to a decay time."
)
@click.option("--source", type=_PLACE, metavar="X,Y,Z", help="Where the sound is, in metres.")
@click.option("--microphones", type=_PLACE, metavar="X,Y,Z", help="The middle of the pair, in metres.")
@click.option(
    "--spacing", type=float, default=0.4, show_default=True, metavar="M", help="Of the microphones."
)
@click.option(
    "--angle", type=float, default=50.0, show_default=True, metavar="DEGREES", help="Turned outwards, each."
)
@click.option("--order", type=int, default=8, show_default=True, help="Reflections followed one by one.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all chance.")
def room(output: str, layout: "Layout", sample_rate: int, force: bool, quiet: bool, **given: Any) -> None:
    """Simulate a room from its geometry and surfaces (needs the extra `rooms`).

    A SURFACE is a name (stone, plaster, lath-plaster, wood-floor, pews, chairs, audience, stage, tiles, carpet,
    furnished), a share from 0 to 1, or seven shares, 125 Hz to 8 kHz. x runs along the length, y along the width, z
    up. Without places the source stands at a third of the length, the pair at two thirds.

    \b
    Examples:
      reverb ir synth room studio.wav --size 6x4.5x3 --walls furnished --floor carpet
      reverb ir synth room chapel.wav --plan '0,0 14,0 16,4 14,8 0,8' --height 9 --walls stone --rt60 3
    """
    from reverb.responses.rooms.building import build
    from reverb.responses.rooms.simulate import simulate

    _check(output, force)
    response = simulate(build(**given), sample_rate, layout)
    save(response, output, force=force, quiet=quiet)


@synth.command()
@_common(("mono", "stereo"))
@click.option(
    "--size", type=_SHEET, default="2.013x0.981", show_default=True, metavar="LxW", help="In metres."
)
@click.option("--thickness", type=float, default=0.5, show_default=True, metavar="MM", help="Of the steel.")
@click.option("--rt60", type=float, default=3.6, show_default=True, metavar="S", help="At low frequencies.")
@click.option(
    "--rt60-high", type=float, default=1.1, show_default=True, metavar="S", help="At high frequencies."
)
@click.option("--turn", type=float, default=2600.0, show_default=True, metavar="HZ", help="Between the two.")
def plate(
    output: str,
    layout: "PlateLayout",
    sample_rate: int,
    force: bool,
    quiet: bool,
    size: tuple[float, float],
    thickness: float,
    rt60: float,
    rt60_high: float,
    turn: float,
) -> None:
    """Make a plate reverberator: a hanging sheet of steel.

    \b
    Example:
      reverb ir synth plate plate.wav --rt60 3 --rt60-high 1 --thickness 0.4
    """
    from reverb.responses.rooms.plate import sheet, synthesise_plate

    _check(output, force)
    made = sheet(size, thickness / 1000, rt60_low=rt60, rt60_high=rt60_high, turn=turn)
    save(synthesise_plate(made, sample_rate, layout), output, force=force, quiet=quiet)


def _check(output: str, force: bool) -> None:
    from reverb.audiofiles.files import output_format
    from reverb.audiofiles.outputs import check_output

    output_format(output)
    check_output(output, force)
