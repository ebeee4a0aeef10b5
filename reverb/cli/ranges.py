"""Options that hold a number, or a range of them to draw from."""

from typing import Any

import click

MARK = ".."


class NumberOrRange(click.ParamType[Any]):
    """``0.3``, or ``0.1..0.5``: a float, or a tuple of two."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a float, or (low, high)."""
        if not isinstance(value, str):
            return value
        try:
            low, mark, high = value.partition(MARK)
            return (float(low), float(high)) if mark else float(low)
        except ValueError:
            self.fail(f"{value!r}; expected a number, or LOW{MARK}HIGH", param, ctx)
