"""`reverb ir synth`: synthesize responses of rooms and plates."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from reverb.cli.ir_edit import save
from reverb.cli.options import Numbers, Pairs, with_options

if TYPE_CHECKING:
    from reverb.responses.layouts import Layout
    from reverb.responses.rooms.plate import PlateLayout

_Command = Callable[..., None]


class _FloorPlan(click.ParamType[tuple[tuple[float, float], ...]]):
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


_ROOM_SIZE = Numbers(3, "LENGTHxWIDTHxHEIGHT in meters, such as 12x8x4")
_POSITION = Numbers(3, "X,Y,Z in meters, such as 2,3.5,1.6")
_PLATE_SIZE = Numbers(2, "LENGTHxWIDTH in meters, such as 2x1")
_SPACING = click.option(
    "--spacing",
    type=float,
    default=0.4,
    show_default=True,
    metavar="M",
    help="Distance between the microphones.",
)
_ANGLE = click.option(
    "--angle",
    type=float,
    default=50.0,
    show_default=True,
    metavar="DEGREES",
    help="Each microphone's turn outwards.",
)


def _common_options(layouts: tuple[str, ...]) -> Callable[[_Command], _Command]:
    options = (
        click.option(
            "--layout",
            type=click.Choice(layouts),
            default="stereo",
            show_default=True,
            help="Layout of the response.",
        ),
        click.option(
            "--rate",
            "sample_rate",
            type=int,
            default=48_000,
            show_default=True,
            metavar="HZ",
            help="Sample rate of the response.",
        ),
        click.option("--force", is_flag=True, help="Replace an existing OUTPUT."),
        click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    )

    return with_options([click.argument("output", type=click.Path())], options)


@click.group()
def synth() -> None:
    """Synthesize responses of rooms, from figures or from geometry, and of plates.

    \b
    Examples:
      reverb ir synth figures hall.wav --rt60 2.2 --size 24 --distance 9
      reverb ir synth room studio.wav --size 6x4.5x3 --walls furnished --floor carpet
      reverb ir synth plate plate.wav --rt60 3 --rt60-high 1
    """


@synth.command()
@_common_options(("mono", "stereo", "true-stereo"))
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
    "--distance",
    type=float,
    metavar="M",
    help="From source to microphones.  [default: 0.3 of the length]",
)
@click.option(
    "--early",
    "early_db",
    type=float,
    default=0.0,
    show_default=True,
    metavar="DB",
    help="Change the level of the early reflections.",
)
@click.option(
    "--density",
    type=float,
    default=1.0,
    show_default=True,
    metavar="0.01..4",
    help="Density of the tail; low values are grainy.",
)
@_SPACING
@_ANGLE
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another number gives another room with the same figures.",
)
def figures(
    output: str,
    layout: "Layout",
    sample_rate: int,
    force: bool,
    quiet: bool,
    rt60: float | dict[float, float],
    size: float,
    distance: float | None,
    early_db: float,
    density: float,
    spacing: float,
    angle: float,
    seed: int,
) -> None:
    """Synthesize a room from figures: decay time, size, distance and density.

    \b
    Examples:
      reverb ir synth figures hall.wav --rt60 2.2 --size 24 --distance 9
      reverb ir synth figures dark.wav --rt60 125=3,1k=2,8k=0.6 --layout true-stereo --seed 7
    """
    from reverb.responses.rooms.figures import Figures, synthesize

    _check(output, force)
    wanted = Figures(
        rt60=rt60,
        size=size,
        distance=distance,
        early_db=early_db,
        density=density,
        spacing=spacing,
        angle=angle,
        seed=seed,
    )
    save(synthesize(wanted, sample_rate, layout), output, force=force, quiet=quiet)


@synth.command()
@_common_options(("mono", "stereo", "true-stereo"))
@click.option("--size", type=_ROOM_SIZE, metavar="LxWxH", help="Sides of a rectangular room, in meters.")
@click.option(
    "--plan",
    type=_FloorPlan(),
    metavar="CORNERS",
    help="Instead of --size: the floor's corners in meters, such as '0,0 6,0 7,4 0,5'.",
)
@click.option("--height", type=float, metavar="M", help="Height of the room, with --plan.")
@click.option(
    "--walls", default="plaster", show_default=True, metavar="SURFACE", help="Absorption of the walls."
)
@click.option(
    "--floor", default="wood-floor", show_default=True, metavar="SURFACE", help="Absorption of the floor."
)
@click.option(
    "--ceiling",
    default="plaster",
    show_default=True,
    metavar="SURFACE",
    help="Absorption of the ceiling.",
)
@click.option(
    "--relief",
    default="flat",
    show_default=True,
    metavar="SURFACE",
    help="Scattering of all surfaces: flat, masonry, or numbers.",
)
@click.option(
    "--rt60",
    type=Pairs("=", alone=True),
    metavar="S_OR_BANDS",
    help="Adjust the absorption to this decay time.",
)
@click.option("--source", type=_POSITION, metavar="X,Y,Z", help="Position of the source, in meters.")
@click.option("--microphones", type=_POSITION, metavar="X,Y,Z", help="Center of the pair, in meters.")
@_SPACING
@_ANGLE
@click.option(
    "--order", type=int, default=8, show_default=True, help="Reflections to compute as mirror images."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the random numbers."
)
def room(
    output: str,
    layout: "Layout",
    sample_rate: int,
    force: bool,
    quiet: bool,
    size: tuple[float, float, float] | None,
    plan: tuple[tuple[float, float], ...] | None,
    height: float | None,
    walls: str,
    floor: str,
    ceiling: str,
    relief: str,
    rt60: float | dict[float, float] | None,
    source: tuple[float, float, float] | None,
    microphones: tuple[float, float, float] | None,
    spacing: float,
    angle: float,
    order: int,
    seed: int,
) -> None:
    """Simulate a room from its geometry and surfaces (needs the extra `rooms`).

    A SURFACE is a name (stone, plaster, lath-plaster, wood-floor, pews, chairs, audience, stage, tiles, carpet,
    furnished), a coefficient from 0 to 1, or seven of them, 125 Hz to 8 kHz. x runs along the length, y along the
    width, z up. By default the source is at a third of the length, the pair of microphones at two thirds.

    \b
    Examples:
      reverb ir synth room studio.wav --size 6x4.5x3 --walls furnished --floor carpet
      reverb ir synth room chapel.wav --plan '0,0 14,0 16,4 14,8 0,8' --height 9 --walls stone --rt60 3
    """
    from reverb.responses.rooms.room import build
    from reverb.responses.rooms.simulate import simulate

    _check(output, force)
    built = build(
        size=size,
        plan=plan,
        height=height,
        walls=walls,
        floor=floor,
        ceiling=ceiling,
        relief=relief,
        rt60=rt60,
        source=source,
        microphones=microphones,
        spacing=spacing,
        angle=angle,
        order=order,
        seed=seed,
    )
    save(simulate(built, sample_rate, layout), output, force=force, quiet=quiet)


@synth.command()
@_common_options(("mono", "stereo"))
@click.option(
    "--size",
    type=_PLATE_SIZE,
    default="2.013x0.981",
    show_default=True,
    metavar="LxW",
    help="Size in meters.",
)
@click.option(
    "--thickness", type=float, default=0.5, show_default=True, metavar="MM", help="Thickness of the steel."
)
@click.option(
    "--rt60",
    type=float,
    default=3.6,
    show_default=True,
    metavar="S",
    help="Decay time at low frequencies.",
)
@click.option(
    "--rt60-high",
    type=float,
    default=1.1,
    show_default=True,
    metavar="S",
    help="Decay time at high frequencies.",
)
@click.option(
    "--turn",
    type=float,
    default=2600.0,
    show_default=True,
    metavar="HZ",
    help="Frequency between the two decay times.",
)
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
    """Synthesize a plate reverberator: a hanging sheet of steel.

    \b
    Example:
      reverb ir synth plate plate.wav --rt60 3 --rt60-high 1 --thickness 0.4
    """
    from reverb.responses.rooms.plate import plate_of_size, synthesize_plate

    _check(output, force)
    made = plate_of_size(size, thickness / 1000, rt60_low=rt60, rt60_high=rt60_high, turn=turn)
    save(synthesize_plate(made, sample_rate, layout), output, force=force, quiet=quiet)


def _check(output: str, force: bool) -> None:
    from reverb.audiofiles.files import output_format
    from reverb.audiofiles.outputs import check_output

    output_format(output)
    check_output(output, force)
