"""Files behind URLs, and a cluster that loses a worker."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reverb import Reverb, process_files
from reverb.errors import AudioFileError, MissingExtraError, ParameterError
from reverb.render.batch.journal import JOURNAL
from tests.render.batch.folders import QUIETER, ROOM, contents, fill

fsspec = pytest.importorskip("fsspec", reason="needs the extra 'cluster'")


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a file system in memory with some takes, which are also in the local folder ``takes``."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "takes", "a.wav", "z/b.flac", "z/.hidden.wav")
    (tmp_path / "takes" / "notes.txt").touch()
    disk = fsspec.filesystem("memory")
    disk.put("takes", "/bucket/takes", recursive=True)
    yield disk
    disk.store.clear()
    disk.pseudo_dirs[:] = [""]


def _names(disk: Any, folder: str = "/bucket/wet") -> set[str]:
    return {path.removeprefix(folder).lstrip("/") for path in disk.find(folder)}


def test_from_url_to_url_is_as_from_folder_to_folder(memory: Any) -> None:
    effects = {"room": Reverb(ROOM), "quieter": QUIETER}
    report = process_files("memory://bucket/takes", "memory://bucket/wet", effects)
    assert report.succeeded
    process_files("takes", "here", effects)
    expected = contents(Path("here"))
    assert {name: memory.cat_file(f"/bucket/wet/{name}") for name in expected} == expected
    assert _names(memory) == {*expected, JOURNAL}  # nothing temporary is left
    records = [json.loads(line) for line in memory.cat_file(f"/bucket/wet/{JOURNAL}").splitlines()]
    assert [record["output"] for record in records] == sorted(expected)
    assert records[0]["input"] == "memory:///bucket/takes/a.wav"


def test_urls_resume_and_keep_as_folders_do(memory: Any) -> None:
    process_files("memory://bucket/takes/**/*.flac", "memory://bucket/wet", QUIETER)
    assert _names(memory) == {"z/b.flac", JOURNAL}
    memory.pipe_file("/bucket/wet/a.wav", b"precious")
    resumed = process_files("memory://bucket/takes", "memory://bucket/wet", QUIETER, resume=True)
    assert {o.task.output: o.status for o in resumed.outcomes} == {"a.wav": "failed", "z/b.flac": "kept"}
    assert memory.cat_file("/bucket/wet/a.wav") == b"precious"
    refused = process_files("memory://bucket/takes", "memory://bucket/wet", QUIETER)
    assert all("exists already" in str(outcome.error) for outcome in refused.outcomes)
    assert process_files("takes", "memory://bucket/wet", QUIETER, overwrite=True).succeeded


def test_an_upload_that_fails_leaves_nothing(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ConnectionResetError("the store hung up")

    monkeypatch.setattr(type(memory), "mv", broken)
    report = process_files("takes/a.wav", "memory://bucket/wet", QUIETER)
    assert "ConnectionResetError: the store hung up" in str(report.outcomes[0].error)
    assert _names(memory) == {JOURNAL}


@pytest.mark.usefixtures("memory")
def test_urls_that_lead_nowhere() -> None:
    with pytest.raises(AudioFileError, match="memory://bucket/nothing: no such file or folder"):
        process_files("memory://bucket/nothing", "out", QUIETER)
    with pytest.raises((ParameterError, MissingExtraError), match="nonsense://x"):
        process_files("nonsense://x", "out", QUIETER)


# -- a cluster ------------------------------------------------------------------------------------------------
