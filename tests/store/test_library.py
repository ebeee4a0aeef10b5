"""The library: bundled responses by name."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reverb
from reverb.effects.gain import Gain
from reverb.effects.reverb import Reverb
from reverb.errors import AudioFileError, ParameterError, UnknownNameError
from reverb.responses.response import ImpulseResponse
from reverb.store import library
from reverb.store.formats.bare import write_raw
from reverb.store.library import bundled_folder, entries, impulse, names
from reverb.store.response_files import save_response

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


def test_all_bundled_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in bundled_folder().iterdir()) < 12e6


@pytest.mark.parametrize("name", sorted(names()))
def test_each_loads_by_its_name(name: str) -> None:
    response = impulse(name)
    assert response.name == name
    if name in PROMISED:
        assert response.sample_rate == 48_000
        assert response.layout == ("true-stereo" if name.endswith("true-stereo") else "stereo")


def test_entries_agree_with_their_files() -> None:
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


def test_a_missing_file_is_not_an_unknown_name(tmp_path: Path) -> None:
    for path in ("church.wav", tmp_path / "church"):
        with pytest.raises(AudioFileError, match="no such file"):
            impulse(path)


def test_a_package_without_its_responses_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library, "_FOLDERS", (tmp_path / "none",))
    with pytest.raises(UnknownNameError, match="missing; reinstall"):
        impulse("hall")


def test_an_installed_package_finds_them(tmp_path: Path) -> None:
    """A wheel has the responses inside the package, not in the source tree."""
    source = Path(reverb.__file__).parent
    shutil.copytree(source, tmp_path / "reverb", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "reverb" / "impulses").mkdir()
    shutil.copy(names()["room"], tmp_path / "reverb" / "impulses" / "room.flac")
    code = "import reverb; print(reverb.impulse('room').frames)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(result.stdout) == impulse("room").frames


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a user's folder with responses, and an empty cache."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.setattr(library, "cache_folder", lambda: tmp_path / "cache")
    folder = tmp_path / "data" / "impulses"
    (folder / "plates").mkdir(parents=True)
    shutil.copy(names()["room"], folder / "den.flac")
    shutil.copy(names()["room"], folder / "plates" / "bright.flac")
    (folder / "notes.txt").write_text("no sound")
    (folder / ".hidden.wav").write_text("no sound")
    return folder


def test_user_and_bundled_responses_are_listed_together(own: Path) -> None:
    assert {"den", "plates/bright", "hall"} <= names().keys()
    assert "notes" not in names()
    assert impulse("plates/bright") == impulse("room")
    found = {entry.name: entry for entry in entries()}
    assert (found["den"].origin, found["hall"].origin) == ("yours", "bundled")
    assert found["den"].path == own / "den.flac"


def test_measured_figures_agree_with_the_catalogue_and_are_cached(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {entry.name: entry for entry in entries()}
    mine, bundled = found["den"], found["room"]
    assert mine.t30 == pytest.approx(bundled.t30, rel=0.01)
    assert mine.c80 == pytest.approx(bundled.c80, abs=0.05)
    assert (mine.layout, mine.channels, mine.kind) == ("stereo", 2, "file")

    def fail(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(library, "measured_facts", fail)
    assert {entry.name for entry in entries("den")} == {"den"}
    os.utime(own / "den.flac", ns=(1, 1))
    with pytest.raises(AssertionError, match="measured again"):
        list(entries("den"))


def test_folders_of_the_environment_come_first(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    shutil.copy(own / "den.flac", first / "hall.flac")
    shutil.copy(own / "den.flac", second / "extra.flac")
    monkeypatch.setenv("REVERB_IMPULSES", f"{first}{os.pathsep}{second}{os.pathsep}{tmp_path / 'missing'}")
    assert impulse("hall") == impulse("room")
    found = {entry.name: entry.origin for entry in entries()}
    assert (found["hall"], found["extra"], found["church"]) == (str(first), str(second), "bundled")


def test_search_needs_every_word_and_ignores_capitals() -> None:
    assert {entry.name for entry in entries("CHURCH")} == {"church", "church-true-stereo"}
    assert {entry.name for entry in entries(("church", "true"))} == {"church-true-stereo"}
    assert [entry.name for entry in entries("plate")] == ["plate"]
    assert not list(entries("zzz"))


def test_a_file_that_is_not_a_response_is_left_out_with_a_warning(own: Path) -> None:
    (own / "broken.wav").write_bytes(b"RIFF")
    with pytest.warns(UserWarning, match=r"left out of the list: .*broken\.wav"):
        assert "broken" not in {entry.name for entry in entries()}


def test_a_damaged_cache_is_ignored(own: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "responses.json").write_text("{")
    assert own.exists()
    assert next(entries("den")).t30


def test_figures_of_bundled_responses_are_from_the_catalogue() -> None:
    found = {entry.name: entry for entry in entries()}
    assert found["church"].t30 == pytest.approx((4.071 + 3.905) / 2)
    assert (found["plate"].kind, found["hall"].kind, found["living-room"].kind) == (
        "plate",
        "room",
        "measured",
    )
    assert found["living-room"].t30 is None


def test_one_function_takes_a_response_a_name_a_path_or_samples(tmp_path: Path) -> None:
    hall = impulse("hall")
    path = tmp_path / "own.wav"
    save_response(hall, path)
    assert library.as_response(hall) is hall
    assert library.as_response("hall") == library.as_response(path) == library.as_response(str(path)) == hall
    assert library.as_response(hall.samples, hall.sample_rate) == hall
    assert library.as_response([1.0, 0.5], 8000).frames == 2
    assert library.as_response(hall.samples, hall.sample_rate, "parallel").layout == hall.layout
    assert library.as_response(Gain(-6.0), 8000) == Gain(-6.0).response(8000)
    with pytest.raises(UnknownNameError, match="no impulse response 'hal'"):
        library.as_response("hal")
    with pytest.raises(ParameterError, match="an effect has no sample rate"):
        library.as_response(Gain(-6.0))
    with pytest.raises(ParameterError, match="give sample_rate="):
        library.as_response([1.0, 0.5])


def test_an_effect_and_a_file_of_bare_numbers_take_the_sample_rate_that_is_given(tmp_path: Path) -> None:
    assert library.as_response(Gain(-6.0), 8000) == Gain(-6.0).response(8000)
    with pytest.raises(ParameterError, match=r"an effect has no sample rate; .* give sample_rate="):
        library.as_response(Gain(-6.0))
    taps = ImpulseResponse([1.0, 0.5], 44_100)
    write_raw(taps, tmp_path / "taps.f64")
    write_raw(taps, tmp_path / "taps_44100.f64")
    (tmp_path / "dirac.conf").write_text("/convolver/new 1 1 256 100\n/impulse/dirac 1 1 1 0\n")
    assert library.as_response(tmp_path / "taps.f64", 8000).sample_rate == 8000
    assert library.as_response(tmp_path / "taps_44100.f64", 8000) == taps
    assert library.as_response(tmp_path / "dirac.conf", 8000).sample_rate == 8000
    assert library.as_response("hall", 8000) == impulse("hall")
    for name in ("taps.f64", "dirac.conf"):
        with pytest.raises(ParameterError, match=r"sample rate is not known; .*sample_rate="):
            library.as_response(tmp_path / name)


@pytest.mark.parametrize("given", [None, 3, math.nan, True, object(), iter([1.0]), Gain])
def test_other_values_are_refused_with_the_choices(given: object) -> None:
    with pytest.raises(ParameterError, match="expected an ImpulseResponse, the name of one in the library"):
        library.as_response(given, 48_000)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="expected an ImpulseResponse, the name of one in the library"):
        Reverb(given)  # type: ignore[arg-type]
