"""Options that several filter commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reverb.cli.options import with_options

_Command = TypeVar("_Command", bound=Callable[..., Any])

PHASES = ("linear", "minimum", "mixed")
METHODS = ("kaiser", "least-squares", "equiripple")

METHOD = click.option(
    "--method",
    type=click.Choice(METHODS),
    default="kaiser",
    show_default=True,
    help="How the taps are designed.",
)

_EQUALISER: dict[str, Callable[[Any], Any]] = {
    "frequency": click.option("--frequency", type=float, required=True, metavar="HZ", help="Where."),
    "boost": click.option(
        "--boost", "gain_db", type=float, required=True, metavar="DB", help="By how much; negative lowers."
    ),
    "q": click.option("--q", type=float, metavar="Q", help="The higher, the narrower or steeper."),
    "pivot": click.option(
        "--pivot", type=float, metavar="HZ", help="Where nothing changes.  [default: 1000]"
    ),
    "harmonics": click.option(
        "--harmonics",
        type=int,
        metavar="N",
        help="How many multiples, the frequency itself included.  [default: 1]",
    ),
}
_PHASE = click.option(
    "--phase",
    type=click.Choice(PHASES),
    help="minimum: no delay; linear: aligned with the input.  [default: minimum]",
)


def crossover_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a crossover that are given; one with those of steep filters has no slope."""
    given = {name: value for name, value in settings.items() if value is not None}
    return {"slope": None, **given} if given.keys() & {"transition", "attenuation"} else given


def equalizer_options(*names: str, phase: bool = True) -> Callable[[_Command], _Command]:
    """Add options of equalizers; what is not given is left out of the command's arguments."""

    def decorate(command: _Command) -> _Command:
        def without_missing(**options: Any) -> Any:
            kept = (*names, "gain_db", "phase")
            return command(**{k: v for k, v in options.items() if v is not None or k not in kept})

        without_missing.__name__, without_missing.__doc__ = command.__name__, command.__doc__
        without_missing.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
        decorated: Any = without_missing
        return with_options([_EQUALISER[name] for name in names], [_PHASE] if phase else [])(decorated)  # type: ignore[no-any-return]

    return decorate
