"""The effects of the package, found in its modules, so that a new one is tested without a change here."""

import importlib
import inspect
import pkgutil

import reverb.effects
from reverb import Effect


def concrete_effects() -> list[type[Effect]]:
    """Return the public effect classes of all modules, by name."""
    found = set[type[Effect]]()
    for module in pkgutil.walk_packages(reverb.effects.__path__, "reverb.effects."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and issubclass(value, Effect) and not inspect.isabstract(value):
                found.add(value)
    return sorted(
        (kind for kind in found if not kind.__name__.startswith("_")), key=lambda kind: kind.__name__
    )
