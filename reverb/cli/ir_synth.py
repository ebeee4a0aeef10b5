"""`reverb ir synth`: synthesize responses of rooms and plates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

import click

from reverb.choices import LAYOUTS, PLATE_LAYOUTS, Layout, PlateLayout
from reverb.cli.options import FORCE, QUIET, Decorator, Numbers, Pairs, grouped
from reverb.cli.results import save

if TYPE_CHECKING:
    from reverb.responses.response import ImpulseResponse

_Layout = TypeVar("_Layout", Layout, PlateLayout)


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
    "--spacing", type=float, default=0.4, metavar="M", help="Distance between the microphones."
)
_ANGLE = click.option(
    "--angle",
    type=float,
    default=50.0,
    metavar="DEGREES",
    help="Angle by which each microphone is turned outwards.",
)


@dataclass(frozen=True)
class _Output(Generic[_Layout]):
    """The response to write."""

    output: str
    layout: _Layout
    sample_rate: int
    force: bool
    quiet: bool

    def check(self) -> None:
        """Raise an error if the file cannot be written."""
        from reverb.audiofiles.files import output_format
        from reverb.audiofiles.outputs import check_output

        output_format(self.output)
        check_output(self.output, self.force)

    def save(self, response: "ImpulseResponse") -> None:
        """Write the response."""
        save(response, self.output, force=self.force, quiet=self.quiet)


class _Figures(TypedDict):
    """The options of a room from figures, as `Figures` takes them."""

    rt60: float | dict[float, float]
    size: float
    distance: float | None
    early_db: float
    density: float
    spacing: float
    angle: float
    seed: int


class _Room(TypedDict):
    """The options of a room, as `build` takes them."""

    size: tuple[float, float, float] | None
    plan: tuple[tuple[float, float], ...] | None
    height: float | None
    walls: str
    floor: str
    ceiling: str
    relief: str
    rt60: float | dict[float, float] | None
    source: tuple[float, float, float] | None
    microphones: tuple[float, float, float] | None
    spacing: float
    angle: float
    order: int
    seed: int


def _output_options(layouts: Sequence[str]) -> Decorator:
    return grouped(
        "output",
        _Output,
        click.argument("output", type=click.Path()),
        click.option(
            "--layout", type=click.Choice(layouts), default="stereo", help="Layout of the response."
        ),
        click.option(
            "--rate",
            "sample_rate",
            type=int,
            default=48_000,
            metavar="HZ",
            help="Sample rate of the response.",
        ),
        FORCE,
        QUIET,
    )


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
@_output_options(LAYOUTS)
@grouped(
    "settings",
    _Figures,
    click.option(
        "--rt60",
        type=Pairs("=", alone=True),
        default="1.5",
        metavar="S_OR_BANDS",
        help="Decay time: 2 for all octaves, or 125=3,1k=2,8k=0.9.",
    ),
    click.option("--size", type=float, default=12.0, metavar="M", help="Cube root of the room's volume."),
    click.option(
        "--distance",
        type=float,
        metavar="M",
        help="Distance from the source to the microphones.  [default: 0.3 of the room's length]",
    ),
    click.option(
        "--early",
        "early_db",
        type=float,
        default=0.0,
        metavar="DB",
        help="Change the level of the early reflections.",
    ),
    click.option(
        "--density",
        type=float,
        default=1.0,
        metavar="0.01..4",
        help="Density of the tail; low values are grainy.",
    ),
    _SPACING,
    _ANGLE,
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        help="Another number gives another room with the same figures.",
    ),
)
def figures(output: _Output[Layout], settings: _Figures) -> None:
    """Synthesize a room from figures: decay time, size, distance and density.

    \b
    Examples:
      reverb ir synth figures hall.wav --rt60 2.2 --size 24 --distance 9
      reverb ir synth figures dark.wav --rt60 125=3,1k=2,8k=0.6 --layout true-stereo --seed 7
    """
    from reverb.responses.rooms.figures import Figures, synthesize

    output.check()
    output.save(synthesize(Figures(**settings), output.sample_rate, output.layout))


@synth.command()
@_output_options(LAYOUTS)
@grouped(
    "settings",
    _Room,
    click.option("--size", type=_ROOM_SIZE, metavar="LxWxH", help="Sides of a rectangular room, in meters."),
    click.option(
        "--plan",
        type=_FloorPlan(),
        metavar="CORNERS",
        help="Instead of --size: the floor's corners in meters, such as '0,0 6,0 7,4 0,5'.",
    ),
    click.option("--height", type=float, metavar="M", help="Height of the room, with --plan."),
    click.option("--walls", default="plaster", metavar="SURFACE", help="Absorption of the walls."),
    click.option("--floor", default="wood-floor", metavar="SURFACE", help="Absorption of the floor."),
    click.option("--ceiling", default="plaster", metavar="SURFACE", help="Absorption of the ceiling."),
    click.option(
        "--relief",
        default="flat",
        metavar="SURFACE",
        help="Scattering of all surfaces: flat, masonry, or numbers.",
    ),
    click.option(
        "--rt60",
        type=Pairs("=", alone=True),
        metavar="S_OR_BANDS",
        help="Adjust the absorption to this decay time: 2 for all octaves, or 125=3,1k=2,8k=0.9.",
    ),
    click.option("--source", type=_POSITION, metavar="X,Y,Z", help="Position of the source, in meters."),
    click.option(
        "--microphones", type=_POSITION, metavar="X,Y,Z", help="Center of the pair of microphones, in meters."
    ),
    _SPACING,
    _ANGLE,
    click.option(
        "--order",
        type=int,
        default=8,
        help="Highest order of the reflections that are computed as mirror images.",
    ),
    click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the random numbers."),
)
def room(output: _Output[Layout], settings: _Room) -> None:
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

    output.check()
    output.save(simulate(build(**settings), output.sample_rate, output.layout))


@synth.command()
@_output_options(PLATE_LAYOUTS)
@click.option("--size", type=_PLATE_SIZE, default="2.013x0.981", metavar="LxW", help="Size in meters.")
@click.option("--thickness", type=float, default=0.5, metavar="MM", help="Thickness of the steel.")
@click.option("--rt60", type=float, default=3.6, metavar="S", help="Decay time at low frequencies.")
@click.option("--rt60-high", type=float, default=1.1, metavar="S", help="Decay time at high frequencies.")
@click.option(
    "--turn", type=float, default=2600.0, metavar="HZ", help="Frequency between the two decay times."
)
def plate(
    output: _Output[PlateLayout],
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

    output.check()
    made = plate_of_size(size, thickness / 1000, rt60_low=rt60, rt60_high=rt60_high, turn=turn)
    output.save(synthesize_plate(made, output.sample_rate, output.layout))
