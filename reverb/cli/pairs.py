"""Options that hold numbers by frequency."""

from typing import Any

import click


class Hertz(click.ParamType[float]):
    """A frequency: ``6000`` or ``6k``."""

    name = "hertz"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return Hz."""
        try:
            return _hertz(str(value))
        except ValueError:
            self.fail(f"{value!r}; expected Hz, such as 6000 or 6k", param, ctx)


class Pairs(click.ParamType[Any]):
    """Numbers by frequency: ``100:-3,1k:0``; with `alone`, a single number, too."""

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


def _hertz(text: str) -> float:
    kilo = text.strip().lower().removesuffix("hz").strip()
    return 1000 * float(kilo[:-1]) if kilo.endswith("k") else float(kilo)
