"""JSON files in the user's cache folder. If the folder cannot be used, only the caching is lost."""

import json
import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for measurements of this machine and other data that can be made again."""
    from platformdirs import user_cache_path

    return user_cache_path("reverb", appauthor=False)


def write_cache(path: Path, content: object) -> bool:
    """Write JSON in one step, so that no other process reads half of it. Return False if that is impossible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    except OSError:
        return False
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
        Path(name).replace(path)
    except OSError:
        os.unlink(name)
        return False
    return True


def read_cache(path: Path) -> object:
    """Return the JSON in a file, or None if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
