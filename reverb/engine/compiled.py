"""A package's compiled module alone, without what importing the package would run."""

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType


def load_compiled(package: str, place: str, name: str) -> ModuleType | None:
    """Load the compiled module that lies at a place in an installed package.

    Parameters
    ----------
    package : str
        Whose folder is searched; nothing of it is imported.
    place : str
        The module's file in that folder, without its ending.
    name : str
        What to load it as; its last part is the module's own name.

    Returns
    -------
    module or None
        None where there is no such package or file.
    """
    found = importlib.util.find_spec(package)
    for folder in (found and found.submodule_search_locations) or ():
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder, place + suffix)
            if path.exists():
                spec = importlib.util.spec_from_file_location(name, path)
                assert spec is not None, path
                assert spec.loader is not None, path
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    return None
