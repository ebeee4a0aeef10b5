"""Exporting and converting from the command line."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverb.cli.ir_export import _FORMATS
from reverb.store.formats.exports import KINDS
from reverb.store.response_files import load_response
from tests.cli.running import run_ir
from tests.signals import decaying


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    soundfile.write("room.wav", decaying(400, 2), 44_100, "FLOAT")
    return tmp_path


def test_the_formats_are_those_that_there_are() -> None:
    assert ("audio", *KINDS) == _FORMATS


@pytest.mark.parametrize("ending", [".npy", ".f32", ".txt", ".wav", ".caf", ".w64", ".conf"])
def test_there_and_back(ending: str) -> None:
    output = f"copy_44100{ending}"
    kind = ["--format", "jconvolver"] if ending == ".conf" else []
    listed = run_ir("export", "room.wav", output, *kind).stdout.split()
    assert listed[0] == output
    assert all(Path(name).exists() for name in listed)
    run_ir("export", output, "back.wav", *(["--layout", "stereo"] if ending == ".f32" else []), "--quiet")
    np.testing.assert_allclose(
        load_response("back.wav").samples, load_response("room.wav").samples, atol=1e-7
    )
    assert load_response("back.wav").sample_rate == 44_100


@pytest.mark.parametrize("kind", KINDS)
def test_each_format_by_name(kind: str) -> None:
    assert Path("out_44100.x") in [
        Path(line) for line in run_ir("export", "room.wav", "out_44100.x", "--format", kind).stdout.split()
    ]


def test_a_bundled_response_by_its_name() -> None:
    run_ir("export", "church", "church.yml")
    assert "type: Conv" in Path("church.yml").read_text()


def test_ears_from_two_directions(audio_folder: Path) -> None:
    pytest.importorskip("sofar")
    ears = str(audio_folder / "sofa" / "pypi_pyroomacoustics_mit_kemar_normal_pinna.sofa")
    run_ir("export", ears, "pair.wav", "--direction", "30", "--direction", "-30,0")
    assert load_response("pair.wav").layout == "true-stereo"


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (["room.wav", "room.wav"], 1, "exists already"),
        (["room.wav", "x.y"], 2, "names no audio format"),
        (["none.npy", "x.wav"], 1, "no such file"),
        (["room.wav", "x.npy", "--sample-rate", "48000"], 2, "not the given 48000 Hz"),
        (["room.wav", "x.wav", "--direction", "left"], 2, "expected degrees"),
        (["church", "my church.conf", "--format", "jconvolver"], 2, "not a plain word"),
    ],
)
def test_failures_are_one_line(args: list[str], status: int, told: str) -> None:
    result = run_ir("export", *args, status=status)
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["room.wav"]
