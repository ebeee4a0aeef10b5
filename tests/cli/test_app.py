"""The command as a whole: help, version, --debug, and failures that nobody foresees."""

import os

import pytest

import reverb
from tests.cli.running import fail, run, succeed

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
