"""Options that are steps: carried out in the order in which they stand on the command line, as often as they do."""

from collections.abc import Callable
from typing import Any

import click

STEPS = "reverb.steps"


class Step(click.Option):
    """An option that is a step; its `make` turns the option's value into what the step does."""

    def __init__(self, declarations: list[str], make: Callable[[Any], Any], **settings: Any) -> None:
        super().__init__(declarations, multiple=True, **settings)
        self.make = make


class OrderedCommand(click.Command):
    """A command that leaves its steps, in their order, in ``ctx.meta[STEPS]`` as (option, value) pairs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, and note the order of the steps."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        rest = super().parse_args(ctx, args)
        steps = {param.name or "": param for param in self.params if isinstance(param, Step)}
        values = {name: iter(ctx.params.pop(name)) for name in steps}
        # The order names an option once for each time that it stands there.
        ctx.meta[STEPS] = [
            (param, next(values[param.name or ""])) for param in order if isinstance(param, Step)
        ]
        return rest
