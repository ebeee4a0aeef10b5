"""The distribution of this package: its name, its installation, and conflicts with others.

Two other distributions contain a package `reverb`: dm-reverb, some of whose files have the same names, and the package
index's `reverb`. Every subpackage first imports the name `__distribution__` from the top package. Ours defines
it. If the top package is another's, Python imports this module instead, which fails with an explanation.
"""

import os
import sys

NAME = "reverb-audio"
PUBLISHED = False
"""Whether the package index has it; until then all texts about installation name the source folder."""

_FORMER = ("reverb", "0.1.0")
_OTHERS = ("reverb-", "dm_reverb-", "dm_reverb_nightly-")
_FOLDER = os.path.dirname(os.path.dirname(__file__))
_IMPORTER = (
    4  # stacklevel of the import statement: this module and two functions of the top package are between
)


def install_command(extra: str = "", options: str = "") -> str:
    """Return the command that installs the distribution, with an extra and pip's options if given."""
    what = NAME if PUBLISHED else "."
    return " ".join(["pip install", *options.split(), f"'{what}[{extra}]'" if extra else what])


def install_hint(extra: str = "", options: str = "") -> str:
    """Return that command and the folder in which to run it."""
    return install_command(extra, options) + ("" if PUBLISHED else " in the source folder")


def warn_of_others() -> None:
    """Warn of every other distribution with a `reverb` in the folder of this package."""
    import warnings

    for name, version in _others(_FOLDER):
        if (name, version) == _FORMER:
            harm = (
                "this program under its former name: both own the same files; uninstalling either breaks both"
            )
        elif name == "reverb":
            harm = "another project, whose module reverb this package hides: what needs that module fails"
        else:
            harm = (
                "another project, whose package reverb has files of the same names: the one installed last has"
                " overwritten the other's, and uninstalling either breaks both"
            )
        warnings.warn(
            f"{name} {version} is installed beside {NAME} in {_FOLDER}. It is {harm}. {_cure(f'pip uninstall {name}')}",
            RuntimeWarning,
            stacklevel=_IMPORTER,
        )


def stranger(origin: str | None) -> str:
    """Return why the `reverb` that Python finds is not this package, and the remedy.

    Parameters
    ----------
    origin : str or None
        The file of its top package; None if there is none.
    """
    top = origin or os.path.join(_FOLDER, "reverb", "__init__.py")
    module = not os.path.basename(top).startswith("__init__.")
    found = _others(os.path.dirname(top if module else os.path.dirname(top)))
    if found:
        reason = f"{top} belongs to {' and '.join(' '.join(other) for other in found)}"
        cure = _cure(f"pip uninstall {' '.join(name for name, _ in found)}")
    elif origin:
        reason = f"{top} is somebody else's"
        cure = _cure("remove the project that installed it")
    else:
        reason = f"{top} is gone, as when another reverb was installed over it and removed again"
        cure = _cure()
    return f"the package reverb is not that of {NAME}: {reason}. {cure}"


def _others(folder: str) -> list[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # an archive, or a removed folder
        return []
    stems = [name[:-10] for name in names if name.endswith((".dist-info", ".egg-info"))]
    parts = (stem.split("-") for stem in stems if stem.startswith(_OTHERS))
    return [(name.replace("_", "-"), version) for name, version, *_ in parts]


def _cure(*steps: str) -> str:
    mended = ", then ".join([*steps, install_hint(options="--force-reinstall --no-deps")])
    return f"To have {NAME} here: {mended}. To have both: each in an environment of its own"


def _refuse() -> None:
    package = sys.modules["reverb"]
    if not hasattr(package, "__distribution__"):
        origin = getattr(package, "__file__", None)
        raise ImportError(stranger(origin), name="reverb", path=origin)


if __name__ == "reverb.__distribution__":  # reverb_audio.py runs this file by its path, for the explanation
    _refuse()
