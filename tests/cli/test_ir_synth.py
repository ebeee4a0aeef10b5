"""`reverb ir synth`: rooms and plates, the same for the same seed, and what is refused."""

from pathlib import Path

import pytest

from reverb.store.response_files import load_response
from tests.cli.running import run_ir as run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rooms_and_plates_are_made_and_repeat() -> None:
    args = ("--rt60", "0.3", "--size", "4", "--rate", "16000", "--layout", "mono", "--seed", "4")
    run("synth", "figures", "a.wav", *args)
    run("synth", "figures", "b.wav", *args)
    assert load_response("a.wav") == load_response("b.wav")
    run(
        "synth", "plate", "p.wav", "--size", "1x0.6", "--rt60", "0.8", "--rt60-high", "0.4", "--rate", "16000"
    )
    assert load_response("p.wav").layout == "stereo"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("room", "x.wav"), "either a size"),
        (("room", "x.wav", "--size", "3x3"), "LENGTHxWIDTHxHEIGHT"),
        (("room", "x.wav", "--plan", "1,1 2"), "expected corners"),
        (("room", "x.wav", "--size", "3x3x3", "--walls", "jam"), "no surface 'jam'"),
        (("figures", "x.wav", "--size", "999"), "size is 999 m"),
        (("figures", "x.txt"), "names no audio format"),
        (("plate", "x.wav", "--thickness", "50"), "thick"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(args: tuple[str, ...], says: str) -> None:
    result = run("synth", *args, status=2)
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
