"""The library: bundled responses by name."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reverb
from reverb.errors import AudioFileError, UnknownNameError
from reverb.responses import library
from reverb.responses.library import bundled_folder, entries, impulse, names

PROMISED = {
    "church",
    "cathedral",
    "hall",
    "chamber",
    "room",
    "plate",
    "church-true-stereo",
    "hall-true-stereo",
}


def test_the_promised_rooms_are_there() -> None:
    assert names().keys() >= PROMISED
    assert list(names()) == sorted(names())


def test_they_are_small_together() -> None:
    assert sum(path.stat().st_size for path in bundled_folder().iterdir()) < 12e6


@pytest.mark.parametrize("name", sorted(names()))
def test_each_loads_by_its_name(name: str) -> None:
    response = impulse(name)
    assert response.name == name
    if name in PROMISED:
        assert response.sample_rate == 48_000
        assert response.layout == ("true-stereo" if name.endswith("true-stereo") else "stereo")


def test_entries_tell_what_the_files_hold() -> None:
    for entry in entries():
        response = impulse(entry.name)
        assert (entry.layout, entry.sample_rate) == (response.layout, response.sample_rate)
        assert entry.seconds == pytest.approx(response.seconds)
        assert entry.description


def test_a_name_is_loaded_once() -> None:
    assert impulse("hall") is impulse("hall")


def test_a_path_is_loaded_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.flac"
    shutil.copy(names()["room"], path)
    assert impulse(path) == impulse("room")
    assert impulse(str(path)).name == "mine"
    assert impulse(path, "1x2").layout == "1×2"


@pytest.mark.parametrize(
    ("wrong", "right"), [("chruch", "church"), ("catedral", "cathedral"), ("Hall", "hall")]
)
def test_an_unknown_name_suggests_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no impulse response '{wrong}'; did you mean '{right}'"):
        impulse(wrong)


def test_a_name_like_nothing_lists_all() -> None:
    with pytest.raises(
        UnknownNameError, match=r"^(?!.*did you mean).*Known: cathedral, .*path of an audio file"
    ):
        impulse("xyzzy")


def test_a_missing_file_is_no_unknown_name(tmp_path: Path) -> None:
    for path in ("church.wav", tmp_path / "church"):
        with pytest.raises(AudioFileError, match="no such file"):
            impulse(path)


def test_a_package_without_its_responses_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library, "_FOLDERS", (tmp_path / "none",))
    with pytest.raises(UnknownNameError, match="missing; reinstall"):
        impulse("hall")


def test_an_installed_package_finds_them(tmp_path: Path) -> None:
    """The wheel holds the responses inside the package, away from the source tree."""
    source = Path(reverb.__file__).parent
    shutil.copytree(source, tmp_path / "reverb", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "reverb" / "impulses").mkdir()
    shutil.copy(names()["room"], tmp_path / "reverb" / "impulses" / "room.flac")
    code = "import reverb; print(reverb.impulse('room').frames)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(result.stdout) == impulse("room").frames
