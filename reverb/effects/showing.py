"""Who draws effects: a module of a higher layer, which the package's top registers by name.

Effects know nothing of pictures; they ask here for whoever can make some, and it is loaded when it is first needed.
"""

from importlib import import_module
from typing import Any, Protocol

_DEFAULT_RATE = 48_000


class Renderer(Protocol):
    """What a registered module offers."""

    def effect_figure(self, effect: Any, sample_rate: int) -> Any:
        """Return a picture of an effect."""

    def effect_html(self, effect: Any, sample_rate: int) -> str:
        """Return a picture of an effect, as HTML for a notebook."""


_registered: list[str] = []


def register(module: str) -> None:
    """Let the module of that name draw effects from now on."""
    _registered[:] = [module]


def renderer() -> Renderer | None:
    """Return who draws effects, if anybody does."""
    return import_module(_registered[0]) if _registered else None


class Shown:
    """What makes an effect visible."""

    def plot(self, sample_rate: int = _DEFAULT_RATE) -> Any:
        """Return a figure of the effect's magnitude and decay at `sample_rate` Hz (matplotlib, extra `plot`).

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        found = renderer()
        return None if found is None else found.effect_figure(self, sample_rate)

    def _repr_html_(self) -> str | None:
        """Show the effect in a notebook."""
        found = renderer()
        return None if found is None else found.effect_html(self, _DEFAULT_RATE)
