"""A package's compiled module alone, without the imports of the package around it.

A compiled module must be loaded only once: a second copy under another name registers its C++ types twice, and the
process aborts. So it is loaded by its true name, under the lock by which the import system guards that name, and a
later import of the package gets the same module.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_bootstrap: Any = importlib._bootstrap  # the lock for a module's name has no public door


def load_compiled(name: str) -> ModuleType | None:
    """Load a compiled module by its true name, without importing the package in which it lies.

    Parameters
    ----------
    name : str
        The full dotted name, such as ``"pyfftw.pyfftw"``.

    Returns
    -------
    module or None
        None where there is no such package or module, or where it fails to load.
    """
    package = name.partition(".")[0]
    if sys.modules.get(package, True) is None:  # an import that is blocked
        return None
    try:
        return _alone(package, name)
    except ImportError:
        return None
    except AttributeError:  # an import system of another form: the ordinary way is slower, and right
        return importlib.import_module(name) if importlib.util.find_spec(name) else None


def _alone(package: str, name: str) -> ModuleType | None:
    with _bootstrap._ModuleLockManager(name):
        module: ModuleType | None = sys.modules.get(name) or _LOADED.modules.get(name)
        if module is None and (spec := _find(package, name)):
            module = _bootstrap._load_unlocked(spec)
            _LOADED.modules[name] = module
            # Left there, it would never become an attribute of its package; a later import asks `_LOADED` instead.
            del sys.modules[name]
        return module


def _find(package: str, name: str) -> ModuleSpec | None:
    """Find a compiled module's file in an installed package; nothing is imported."""
    found = importlib.util.find_spec(package)
    place = Path(*name.split(".")[1:])
    for folder in (found and found.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = Path(folder, f"{place}{suffix}")
            if path.exists():
                return importlib.util.spec_from_file_location(name, path)
    return None


class _Loaded:
    """A finder and loader of the modules that are loaded already; `importlib.abc` would take 5 ms to import."""

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # as the import system calls it
        target: ModuleType | None = None,  # noqa: ARG002  # likewise
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in self.modules else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it is executed already."""


_LOADED = _Loaded()
sys.meta_path.insert(0, _LOADED)
