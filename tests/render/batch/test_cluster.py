"""A Dask cluster: one that loses a worker, and one that cannot be reached."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reverb import Augment, Reverb, process_files
from reverb.errors import ClusterError
from tests.conftest import ROOT
from tests.render.batch.folders import QUIETER, contents, fill, journal, leftovers

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
    assert leftovers(Path("out")) == []


def test_no_cluster_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    monkeypatch.setattr("reverb.render.batch.cluster._CONNECT_SECONDS", 0.2)
    takes = fill(tmp_path / "takes", "a.wav")
    with pytest.raises(ClusterError, match=r"cannot be reached.*tcp://host:8786"):
        process_files(takes, tmp_path / "out", QUIETER, scheduler="tcp://127.0.0.1:9")
