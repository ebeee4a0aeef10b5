"""What has been learnt about this machine, as JSON in the user's cache folder; a folder that fails costs only that."""

import json
import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Where measurements of this machine are kept between starts."""
    from platformdirs import user_cache_path

    return user_cache_path("reverb", appauthor=False)


def write_cache(path: Path, content: object) -> bool:
    """Write JSON in one step, so that a second process never reads half of it; False if that is impossible."""
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
    """Read JSON back; None if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
