"""Outputs appear whole or not at all, and replace nothing unasked."""

import os
from pathlib import Path
from typing import Any

import pytest

from reverb.audiofiles.outputs import check_output, whole_or_nothing
from reverb.errors import AudioFileError, ParameterError


def test_an_output_appears_only_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with whole_or_nothing(path) as temporary:
        temporary.write_bytes(b"new")
        assert temporary.parent == tmp_path
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_what_stood_there_and_no_temporary(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_or_nothing(path, overwrite=True) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_an_existing_output_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(AudioFileError, match="exists already; use --force"), whole_or_nothing(path):
        pass
    with whole_or_nothing(path, overwrite=True) as temporary:
        temporary.write_bytes(b"new")
    assert path.read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"

    def write() -> None:
        with whole_or_nothing(path) as temporary:
            temporary.write_bytes(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(AudioFileError, match="appeared while"):
        write()
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_without_hard_links_the_output_still_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.bin"
    with whole_or_nothing(path) as temporary:
        temporary.write_bytes(b"new")
    assert os.listdir(tmp_path) == ["a.bin"]


def test_outputs_that_cannot_be_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    dangling = tmp_path / "link.wav"
    dangling.symlink_to(tmp_path / "nowhere")
    for path, says in (
        (tmp_path, "is a folder; give a file name"),
        (tmp_path / "no" / "a.wav", "does not exist; create it first"),
        (file / "a.wav", "cannot be written"),
        (dangling, "exists already"),
        (Path("/dev/null"), "device or pipe"),
    ):
        with pytest.raises(AudioFileError, match=says):
            check_output(path, overwrite=path == Path("/dev/null"))


def test_what_is_replaced_stays_until_the_disk_has_the_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stood = tmp_path / "a.bin", list[bytes]()
    monkeypatch.setattr(os, "fsync", lambda _: stood.append(path.read_bytes()))
    for content in (b"first", b"second"):
        with whole_or_nothing(path, overwrite=True) as temporary:
            temporary.write_bytes(content)
    assert stood == [b"first"]
    assert path.read_bytes() == b"second"


@pytest.mark.parametrize("value", [None, 3, float("nan"), b"a.wav", ["a.wav"], "", "a\0.wav"])
def test_what_is_no_path_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="path is"):
        check_output(value, overwrite=False)
    with pytest.raises(ParameterError, match="path is"), whole_or_nothing(value):
        pass
