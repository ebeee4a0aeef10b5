"""The door of the command `reverb`.

It stands outside the package `reverb`: where another distribution has overwritten or hides that package, this is still
there, and says so.
"""

import os
import sys


def main() -> None:
    """Run the command line, or say who has taken its package's place."""
    try:
        from reverb.cli import main as run
    except ImportError:
        if hasattr(sys.modules.get("reverb"), "__distribution__"):
            raise  # the package is ours: something else is missing
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
