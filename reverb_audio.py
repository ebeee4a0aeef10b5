"""Entry point of the command `reverb`.

It is outside the package `reverb`, so that it still runs, and explains, if another distribution has overwritten or
hides that package.
"""

import os
import sys


def main() -> None:
    """Run the command line, or explain which distribution has replaced its package."""
    try:
        from reverb.cli import main as run
    except ImportError:
        if hasattr(sys.modules.get("reverb"), "__distribution__"):
            raise  # the package is the right one; another import is missing
        sys.exit(f"Error: {_reason()}")
    run()


def _reason() -> str:
    import runpy
    from importlib.util import find_spec

    found = find_spec("reverb")
    ours = runpy.run_path(os.path.join(os.path.dirname(__file__), "reverb", "__distribution__.py"))
    reason: str = ours["stranger"](found and found.origin)
    return reason


if __name__ == "__main__":
    main()
