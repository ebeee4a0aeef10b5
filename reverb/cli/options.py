"""Options that several commands share: their types, and the groups in which commands receive them."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Command = TypeVar("_Command", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]
"""A click.option or click.argument."""

RANGE_MARK = ".."


def completions(begun: str, names: Iterable[str] = (), otherwise: str = "file") -> list["CompletionItem"]:
    """Return completions for a shell: the `names` that start with `begun`, or else files or folders (``dir``)."""
    from click.shell_completion import CompletionItem  # needed by completion only

    known = [CompletionItem(name) for name in names if name.startswith(begun)]
    return known or [CompletionItem(begun, type=otherwise)]


def complete_response(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list["CompletionItem"]:
    """Complete the name of a response, or a file."""
    from reverb.store.library import names

    return completions(begun, names())


def complete_preset(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list["CompletionItem"]:
    """Complete the name of a preset, or a file."""
    from reverb.store.presets import names

    return completions(begun, names())


class _Path(click.types.StringParamType):
    """The name of a file or folder, which shells complete; it is checked where the file is opened."""

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


class Hertz(click.ParamType[float]):
    """A frequency: ``6000`` or ``6k``."""

    name = "hertz"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return Hz."""
        try:
            return _hertz(str(value))
        except ValueError:
            self.fail(f"{value!r}; expected Hz, such as 6000 or 6k", param, ctx)


class Milliseconds(click.types.FloatParamType):
    """A time in milliseconds, which a command receives in seconds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        return float(super().convert(value, param, ctx)) / 1000


class Number(click.FloatRange):
    """A number in a range; NaN, which click compares with nothing, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if number != number:
            self.fail(f"{value!r}; expected a number", param, ctx)
        return number


class Channels(click.ParamType[tuple[int, ...]]):
    """Channels of a sound card, counted from 1: ``1,2``."""

    name = "channels"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers."""
        try:
            return tuple(int(number) for number in value.split(","))
        except ValueError:
            self.fail(f"{value!r}; expected numbers from 1, such as 1,2 or 3", param, ctx)


class Pairs(click.ParamType[Any]):
    """Numbers by frequency: ``100:-3,1k:0``; with `alone`, also a single number."""

    name = "pairs"

    def __init__(self, mark: str, alone: bool = False) -> None:
        self._mark, self._alone = mark, alone

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a float, or a dict of floats."""
        if not isinstance(value, str):
            return value
        try:
            if self._alone and self._mark not in value:
                return float(value)
            return {
                _hertz(hz): float(number) for hz, number in (p.split(self._mark) for p in value.split(","))
            }
        except ValueError:
            form = f"HZ{self._mark}NUMBER,..." + (" or one number" if self._alone else "")
            self.fail(f"{value!r}; expected {form}", param, ctx)


class NumberOrRange(click.ParamType[Any]):
    """A number, or a range to draw from: ``0.3``, or ``0.1..0.5``; numbers are divided by `divisor`."""

    name = "range"

    def __init__(self, divisor: float = 1.0) -> None:
        self._divisor = divisor

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a float, or (low, high)."""
        try:
            low, mark, high = str(value).partition(RANGE_MARK)
            first = float(low) / self._divisor
            return (first, float(high) / self._divisor) if mark else first
        except ValueError:
            self.fail(f"{value!r}; expected a number, or LOW{RANGE_MARK}HIGH", param, ctx)


class Numbers(click.ParamType[tuple[float, ...]]):
    """A fixed count of numbers with ``x`` or commas between them: ``12x8x4``, ``1.5,2,1.2``."""

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


def _hertz(text: str) -> float:
    kilo = text.strip().lower().removesuffix("hz").strip()
    return 1000 * float(kilo[:-1]) if kilo.endswith("k") else float(kilo)


class Renamed(click.Option):
    """An option with a former name that still works, but is shown neither in help nor in errors."""

    def __init__(self, declarations: Sequence[str], *, former: str, **settings: Any) -> None:
        super().__init__(declarations, **settings)
        self._former = former

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Add both names to the parser."""
        shown = self.opts
        self.opts = [*shown, self._former]
        super().add_to_parser(parser, ctx)
        self.opts = shown


LAYOUT = click.option(
    "--layout",
    metavar="NAME",
    help="Layout of the response: mono, stereo, true-stereo, parallel, or INPUTSxOUTPUTS.",
)
MIX = click.option(
    "--mix",
    type=float,
    metavar="0..1",
    help="Share of the room in the sound, at constant loudness.  [default: 0.3]",
)
WET = click.option("--wet", type=float, metavar="DB", help="Level of the room, instead of --mix.")
DRY = click.option(
    "--dry", type=float, metavar="DB", help="Level of the dry sound, instead of --mix; -inf for none."
)
PREDELAY = click.option(
    "--predelay", type=Milliseconds(), default=0.0, metavar="MS", help="Delay of the room."
)


class CardSettings(TypedDict):
    """The options of the sound card that all commands share, as `LiveSettings` takes them."""

    input_device: str | None
    output_device: str | None
    input_channels: tuple[int, ...] | None
    output_channels: tuple[int, ...] | None
    sample_rate: int | None


INPUT_DEVICE = click.option(
    "--input-device",
    metavar="DEVICE",
    help="Number or part of the name of the input device; see reverb devices.",
)
OUTPUT_DEVICE = click.option(
    "--output-device", metavar="DEVICE", help="Number or part of the name of the output device."
)
INPUT_CHANNELS = click.option(
    "--input-channels",
    type=Channels(),
    metavar="N,N",
    help="Input channels of the card to use, from 1.  [default: 1,2]",
)
CARD_RATE = click.option(
    "--sample-rate", type=int, metavar="HZ", help="Sample rate of the card.  [default: the card's]"
)
FORCE = click.option("--force", is_flag=True, help="Replace an existing output.")
QUIET = click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def with_options(*options: Decorator) -> Callable[[_Command], _Command]:
    """Add options to a command, in their order."""

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def grouped(
    name: str, kind: Callable[..., object], *options: Decorator, only_given: bool = False
) -> Callable[[_Command], _Command]:
    """Add options to a command, which receives their values as one `kind` in the parameter `name`.

    Parameters
    ----------
    name : str
    kind : dataclass, NamedTuple or TypedDict
        Has a field for each of the options.
    *options : click.option
        None if they are added otherwise.
    only_given : bool
        For a TypedDict: leave out the options that are not given and have no default.
    """

    def add(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_group(*args: Any, **values: Any) -> Any:
            fields: Iterable[str] = getattr(kind, "__dataclass_fields__", kind.__annotations__)
            group = {field: values.pop(field) for field in fields}
            if only_given:
                group = {field: value for field, value in group.items() if value not in (None, ())}
            return command(*args, **{name: kind(**group)}, **values)

        decorated: _Command = with_options(*options)(with_group)  # type: ignore[assignment]
        return decorated

    return add
