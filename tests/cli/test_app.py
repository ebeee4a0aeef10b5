"""The command as a whole: help, version, --debug, and failures that nobody foresees."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import reverb
from tests.cli.running import fail, run, succeed
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("recording")
ROOM = ("--ir", "room.wav")


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["apply"],
        ["filter"],
        *(["filter", kind] for kind in ("lowpass", "highpass", "bandpass", "bandstop")),
    ],
)
def test_help_is_there_for_all(args: list[str]) -> None:
    for flag in ("--help", "-h"):
        result = succeed(*args, flag)
        assert result.stdout.startswith("Usage: reverb")
    if args != ["filter", "lowpass"] and len(args) < 2:
        assert "Examples:" in result.stdout


def test_every_option_with_a_number_names_its_unit() -> None:
    text = succeed("apply", "--help").stdout + succeed("filter", "bandpass", "--help").stdout
    for option in (
        "--wet DB",
        "--dry DB",
        "--gain DB",
        "--predelay MS",
        "--mix 0..1",
        "--low HZ",
        "--transition HZ",
    ):
        assert option in text
    assert "FLOAT" not in text.replace("PCM_24, FLOAT", "")


def test_the_version_is_the_packages() -> None:
    assert succeed("--version").stdout == f"reverb, version {reverb.__version__}\n"


def test_debug_shows_the_traceback() -> None:
    for args in (
        ("--debug", "apply", "missing.wav", "out.wav", *ROOM),
        ("apply", "missing.wav", "out.wav", *ROOM, "--debug"),
    ):
        result = run(*args)
        assert isinstance(result.exception, reverb.AudioFileError)


def test_an_unforeseen_failure_of_the_system_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error", "out.wav")

    monkeypatch.setattr(os, "link", broken)
    monkeypatch.setattr(os, "rename", broken)
    fail(1, "Input/output error", "apply", "in.wav", "out.wav", *ROOM)


BLAS = """
import os, sys
from click.testing import CliRunner
from reverb.cli.app import cli
seen = []

def note(event, args):
    if event == "import" and args[0] == "numpy":
        seen.append(os.environ.get("OPENBLAS_NUM_THREADS"))

sys.addaudithook(note)
CliRunner().invoke(cli, ["apply", "no such file.wav", "out.wav", "--ir", "church"])
print(seen[:1], os.environ.get("OPENBLAS_NUM_THREADS"))
"""


def test_blas_starts_no_threads_for_a_rendering_and_the_environment_stays_as_it_was(tmp_path: Path) -> None:
    def run(**given: str) -> str:
        environment = {
            name: text for name, text in os.environ.items() if name != "OPENBLAS_NUM_THREADS"
        } | given
        done = subprocess.run(
            [sys.executable, "-c", BLAS],
            capture_output=True, text=True, check=True, cwd=tmp_path, env={**environment, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        return done.stdout.strip()

    assert run() == "['1'] None"
    assert run(OPENBLAS_NUM_THREADS="3") == "['3'] 3"
