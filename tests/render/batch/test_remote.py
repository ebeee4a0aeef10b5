"""Files behind URLs, and a cluster that loses a worker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reverb import Reverb, process_files
from reverb.errors import AudioFileError, ClusterError, MissingExtraError, ParameterError
from reverb.render.batch.journal import JOURNAL
from tests.conftest import ROOT
from tests.render.batch.folders import QUIETER, ROOM, contents, fill, journal, strays

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

# A process of its own: a cluster starts threads and event loops that would outlive the test.
_CLUSTER = """
import os, signal, sys
import distributed, reverb

def main():
    settings = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(n_workers=3, **settings) as cluster:
        victims = [worker.process.process.pid for worker in list(cluster.workers.values())[:1]]

        def kill_one(event):
            if victims:
                os.kill(victims.pop(), signal.SIGKILL)

        report = reverb.process_files(
            "takes", "out", reverb.Reverb("room"),
            augment=reverb.Augment(variants=8, seed=2, mix=(0, 1)),
            scheduler=cluster.scheduler_address, progress=kill_one,
        )
    assert not victims
    print(report.planned, report.count("done"), len({outcome.task.output for outcome in report.outcomes}))

if __name__ == "__main__":
    main()
"""


def test_a_cluster_that_loses_a_worker_makes_every_output_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    from reverb import Augment

    monkeypatch.chdir(tmp_path)
    takes = fill(tmp_path / "takes", *(f"{number}.wav" for number in range(4)), frames=100_000)
    Path("script.py").write_text(_CLUSTER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "script.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert said.stdout == "32 32 32\n", said.stderr
    augment = Augment(variants=8, seed=2, mix=(0, 1))
    process_files(takes, "here", Reverb("room"), augment=augment, workers=1)
    assert contents(Path("out")) == contents(Path("here"))
    assert len(journal(Path("out"))) == 32
    assert strays(Path("out")) == []


def test_no_cluster_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    monkeypatch.setattr("reverb.render.batch.cluster._CONNECT_SECONDS", 0.2)
    takes = fill(tmp_path / "takes", "a.wav")
    with pytest.raises(ClusterError, match=r"cannot be reached.*tcp://host:8786"):
        process_files(takes, tmp_path / "out", QUIETER, scheduler="tcp://127.0.0.1:9")
