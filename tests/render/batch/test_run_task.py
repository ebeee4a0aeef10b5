"""One task: inputs that cannot be read or change, outputs that exist, and bugs that stop nothing else."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from reverb import Gain, process_files
from reverb.render.batch.run_task import FoldedResponses, WorkerContext, run_task
from reverb.render.batch.storage import LocalFolder
from reverb.render.batch.tasks import Task, Treatment
from tests.conftest import MakeSound
from tests.render.batch.folders import QUIETER, fill

in_this_process = pytest.mark.usefixtures("in_this_process")


@in_this_process
def test_inputs_that_cannot_be_read_fail_alone(numbered_takes: Path) -> None:
    (numbered_takes / "loop.wav").symlink_to("loop.wav")
    (numbered_takes / "nowhere.wav").symlink_to("nothing")
    os.mkfifo(numbered_takes / "pipe.wav")  # to open it would wait for ever
    (numbered_takes / "empty.wav").touch()
    expected = {
        "loop.wav": "Too many levels",
        "nowhere.wav": "No such file",
        "pipe.wav": "device or pipe",
        "empty.wav": "not a readable audio file",
    }
    if os.geteuid() != 0:
        fill(numbered_takes, "secret.wav")
        (numbered_takes / "secret.wav").chmod(0)
        expected["secret.wav"] = "Permission denied"
    report = process_files(numbered_takes, "out", QUIETER)
    errors = {o.task.output: str(o.error) for o in report.outcomes if o.status == "failed"}
    assert set(errors) == set(expected)
    assert all(expected[name] in error and name in error for name, error in errors.items())
    assert report.count("done") == 6


@pytest.mark.parametrize("cut", [True, False], ids=["truncated", "rewritten"])
def test_an_input_that_changes_while_it_is_read_fails(
    tmp_path: Path, make_sound: MakeSound, cut: bool
) -> None:
    source = make_sound("long.wav", [0.1] * 400_000)
    task = Task(source=str(source), output="out.wav", treatment="quieter")
    context = WorkerContext(LocalFolder(str(tmp_path)), {"quieter": Treatment("quieter", QUIETER)})

    def change(*_: int) -> None:
        if cut:
            os.truncate(source, 1000)
        else:
            os.utime(source, ns=(0, time.time_ns() + 1))

    outcome = run_task(task, context, FoldedResponses(), change)
    assert outcome.status == "failed"
    assert "long.wav" in str(outcome.error)
    assert "changed while it was read" in str(outcome.error)
    assert sorted(os.listdir(tmp_path)) == ["long.wav"]


@in_this_process
def test_a_batch_that_would_make_another_thing_keeps_what_appeared(numbered_takes: Path) -> None:
    def other(event: Any) -> None:
        if event.task.output == "0.wav" and not event.task.done:
            process_files(numbered_takes / "1.wav", "out", Gain(-12.0))

    report = process_files(numbered_takes, "out", QUIETER, progress=other)
    assert [o.task.output for o in report.outcomes if o.status == "failed"] == ["1.wav"]
    assert "1.wav: exists with other content" in str(report.outcomes[1].error)
    assert soundfile.read("out/1.wav")[0].std() < 0.3 * soundfile.read("takes/1.wav")[0].std()


@in_this_process
def test_a_failed_attempt_does_not_forget_what_is_a_batchs_own(
    numbered_takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_files(numbered_takes, "out", QUIETER)
    with monkeypatch.context() as broken:
        broken.setattr("reverb.render.batch.run_task.render_file", lambda *_, **__: 1 / 0)
        failed = process_files(numbered_takes, "out", Gain(-3.0), resume=True)
    assert failed.count("failed") == 6
    assert "unexpected ZeroDivisionError" in str(failed.outcomes[0].error)
    assert process_files(numbered_takes, "out", Gain(-3.0), resume=True).succeeded
