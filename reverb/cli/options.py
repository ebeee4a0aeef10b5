"""Options that several groups of commands share."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Command = TypeVar("_Command", bound=Callable[..., Any])


def completions(begun: str, names: Iterable[str] = (), otherwise: str = "file") -> list["CompletionItem"]:
    """Offer a shell those of the `names` that begin so, or else files or folders (``dir``)."""
    from click.shell_completion import CompletionItem  # no other start needs it

    known = [CompletionItem(name) for name in names if name.startswith(begun)]
    return known or [CompletionItem(begun, type=otherwise)]


class _Path(click.types.StringParamType):
    """A name of a file or folder, which shells complete; what is wrong with one is said where it is opened."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  # as click calls it
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list["CompletionItem"]:
        return completions(incomplete, otherwise=self._kind)


FILE, FOLDER = _Path("file"), _Path("dir")

MIX = click.option(
    "--mix", type=float, metavar="0..1", help="Share of the room at constant loudness.  [default: 0.3]"
)
WET = click.option("--wet", type=float, metavar="DB", help="Level of the room, instead of --mix.")
DRY = click.option(
    "--dry", type=float, metavar="DB", help="Level of the dry sound, instead of --mix; -inf for none."
)
PREDELAY = click.option(
    "--predelay", type=float, default=0.0, show_default=True, metavar="MS", help="Delay of the room."
)


def with_options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[_Command], _Command]:
    """Add groups of options to a command, in their order."""

    def add(command: _Command) -> _Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return add
