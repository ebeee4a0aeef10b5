"""Other distributions that bring a `reverb`: named where they stand beside this package, or in its place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reverb.__distribution__ import NAME, install_hint
from tests.conftest import ROOT

CURE = install_hint(options="--force-reinstall --no-deps")
COMMAND = "import sys, reverb_audio; sys.argv = ['reverb', '--version']; reverb_audio.main()"
PARTS = sorted(path.parent.name for path in (ROOT / "reverb").glob("*/__init__.py"))

# As dm-reverb 0.14 does: its top asks for tensorflow, and errors.py and others lie beside it.
DM_TOP = "from reverb.server import Server\nfrom reverb.errors import ReverbError\n"
DM_TOP_WITHOUT_TENSORFLOW = "raise ModuleNotFoundError(\"No module named 'tensorflow'\", name='tensorflow')\n"
DM_FILES = {"errors.py": "class ReverbError(Exception): ...\n", "server.py": "class Server: ...\n"}
DM_INFO = "dm_reverb-0.14.0.dist-info"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as of installed packages, with this package in it."""
    folder = tmp_path / "site-packages"
    (folder / "reverb").mkdir(parents=True)
    (folder / "reverb_audio-0.1.0.dist-info").mkdir()
    shutil.copy(ROOT / "reverb_audio.py", folder)
    for path in (ROOT / "reverb").iterdir():
        if path.suffix == ".py":
            shutil.copy(path, folder / "reverb")
        elif path.is_dir() and path.name != "__pycache__":
            (folder / "reverb" / path.name).symlink_to(path)
    return folder


def _overwrite(site: Path, top: str) -> None:
    for name, text in {"__init__.py": top, **DM_FILES}.items():
        (site / "reverb" / name).write_text(text)
    (site / DM_INFO).mkdir()


def _python(code: str, *folders: Path, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run code where these folders, and no other, hold a `reverb`."""
    here = [str(folder) for folder in folders]
    alone = (
        "import os, sys\n"
        f"sys.path[:] = [p for p in sys.path if p in {here} or not os.path.exists(f'{{p}}/reverb/__init__.py')]\n"
    )
    return subprocess.run(
        [sys.executable, *options, "-c", alone + code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folders[0].parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "checkout"])
def test_nothing_is_said_or_loaded_where_all_is_well(site: Path, installed: bool) -> None:
    for name in ("reverb_tools-1.0.dist-info", "reverberate-1.0.dist-info", "numpy_reverb-2.0.dist-info"):
        (site / name).mkdir()
    code = "import sys, reverb; assert not {'importlib.metadata', 'reverb.__distribution__'} & {*sys.modules}"
    code += f"\nfor part in {PARTS}: __import__(f'reverb.{{part}}')\nprint(reverb.__file__)"
    done = _python(code, site if installed else ROOT, options=("-W", "error"))
    assert done.stderr == ""
    assert Path(done.stdout.strip()) == (site if installed else ROOT) / "reverb" / "__init__.py"
    done = _python(COMMAND, site if installed else ROOT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("info", "named", "harm"),
    [
        (DM_INFO, "dm-reverb 0.14.0", "files of the same names"),
        (
            "dm_reverb_nightly-0.15.0.dev20261201.dist-info",
            "dm-reverb-nightly 0.15.0.dev20261201",
            "same names",
        ),
        ("reverb-2.0.1.dist-info", "reverb 2.0.1", "another project, whose module reverb this package hides"),
        ("reverb-2.0.1-py3.11.egg-info", "reverb 2.0.1", "another project, whose module"),
        ("reverb-0.1.0.dist-info", "reverb 0.1.0", "this program under its former name"),
    ],
)
def test_another_beside_is_named_at_import(site: Path, info: str, named: str, harm: str) -> None:
    (site / info).mkdir()
    done = _python("import reverb\nimport reverb.effects\nprint(reverb.LowPass(8000))", site)
    assert done.returncode == 0
    assert done.stderr.startswith(
        f"<string>:3: RuntimeWarning: {named} is installed beside {NAME} in {site}."
    )
    assert harm in done.stderr
    assert f"pip uninstall {named.split()[0]}, then {CURE}." in done.stderr
    assert done.stderr.count("RuntimeWarning") == 1


def test_the_command_names_another_beside_and_works(site: Path) -> None:
    (site / DM_INFO).mkdir()
    done = _python(COMMAND, site)
    assert done.returncode == 0
    assert done.stdout.startswith("reverb, version ")
    assert done.stderr.count("RuntimeWarning: dm-reverb 0.14.0 is installed beside") == 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("dm-reverb", "belongs to dm-reverb 0.14.0. To have"),
        ("unknown", "is somebody else's. To have"),
        ("gone", "is gone, as when another reverb was installed over it and removed again. To have"),
    ],
)
def test_every_subpackage_refuses_to_serve_in_anothers_package(site: Path, state: str, reason: str) -> None:
    top = site / "reverb" / "__init__.py"
    if state == "dm-reverb":
        _overwrite(site, DM_TOP)
    elif state == "unknown":
        top.write_text("")
    else:
        top.unlink()
    code = f"for part in {PARTS}:\n"
    code += (
        " try: __import__(f'reverb.{part}')\n except ImportError as error: print(error)\n else: print(part)"
    )
    done = _python(code, site)
    said = done.stdout.splitlines()
    assert done.stderr == ""
    assert len(said) == len(PARTS) >= 8
    assert len({*said}) == 1
    assert said[0].startswith(f"the package reverb is not that of {NAME}: {top} {reason}")
    assert said[0].endswith(f"{CURE}. To have both: each in an environment of its own")


@pytest.mark.parametrize("top", [DM_TOP, DM_TOP_WITHOUT_TENSORFLOW], ids=["its top works", "its top fails"])
def test_the_command_says_whose_package_it_met(site: Path, top: str) -> None:
    _overwrite(site, top)
    done = _python(COMMAND, site)
    path = site / "reverb" / "__init__.py"
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"Error: the package reverb is not that of {NAME}: {path} belongs to dm-reverb 0.14.0."
    )
    assert f"pip uninstall dm-reverb, then {CURE}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_says_who_hides_its_package(site: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    (first / "reverb-2.0.1.dist-info").mkdir(parents=True)
    (first / "reverb.py").write_text("import re\n")
    done = _python(COMMAND, first, site)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"Error: the package reverb is not that of {NAME}: {first / 'reverb.py'} belongs to reverb 2.0.1."
    )


def test_the_command_blames_nobody_for_a_library_that_is_missing(site: Path) -> None:
    done = _python(f"import sys; sys.modules['click'] = None; {COMMAND}", site)
    assert done.returncode == 1
    assert "ModuleNotFoundError: import of click" in done.stderr
    assert NAME not in done.stderr
