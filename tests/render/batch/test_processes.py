"""Worker processes: crashes, kills, interrupts, progress, and effects that cannot be sent."""

import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reverb import Gain, Reverb, process_files
from reverb.errors import ParameterError
from reverb.render.batch.journal import JOURNAL
from reverb.render.batch.tasks import TaskProgress
from tests.conftest import ROOT
from tests.render.batch.folders import (
    EFFECTS,
    QUIETER,
    contents,
    fill,
    journal,
    leftovers,
    rendered,
    statuses,
)

# An effect on which the process dies, as on a fault in a decoder.
_FATAL = "import os\n\nclass Fatal:\n    def response(self, sample_rate):\n        os.kill(os.getpid(), 9)\n"


def test_an_effect_that_kills_its_process_fails_alone(takes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("fatal_effect.py").write_text(_FATAL)
    monkeypatch.syspath_prepend(takes.parent)
    effects = {"fatal": importlib.import_module("fatal_effect").Fatal(), "fine": QUIETER}
    report = process_files(takes / "a.wav", "out", effects, workers=2)
    assert statuses(report) == ["failed", "done"]
    assert str(report.outcomes[0].error).endswith(
        "its process died 2 times (signal 9); the file may be damaged, or memory ran out"
    )
    assert leftovers(Path("out")) == []


def test_an_effect_that_no_other_process_can_have_is_refused(takes: Path) -> None:
    class Local(Gain):
        """Known in this function alone."""

    with pytest.raises(ParameterError, match="an effect cannot be sent to another process"):
        process_files(takes, "out", Local(-6.0))


@pytest.mark.usefixtures("takes")
def test_a_script_without_a_main_guard_may_render() -> None:
    script = "import reverb\nprint(reverb.process_files('takes', 'out', reverb.Gain(-6.0), workers=2).count('done'))\n"
    Path("script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "script.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert (said.stdout, said.stderr) == ("3\n", "")


def test_how_far_a_file_is_can_be_followed(takes: Path) -> None:
    fill(takes, "long.wav", frames=48_000 * 40)
    events: list[Any] = []
    process_files(takes / "long.wav", "out", EFFECTS["hall"], progress=events.append)
    shares = [event.done for event in events if isinstance(event, TaskProgress)]
    assert shares == sorted(shares)
    assert all(0 < share <= 1 for share in shares)
    assert events[-1].status == "done"


def _start(*args: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "reverb", "batch", "takes", "-o", "out", *args]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def _workers_of(parent: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [int(number) for number in listed.stdout.split()]


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps to find the workers")
def test_kills_at_random_moments_lose_nothing_that_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    takes = fill(tmp_path / "takes", *(f"{number}.wav" for number in range(30)), frames=50_000)
    expected = rendered(takes, {"hall": Reverb("hall")}, workers=2)
    chance = random.Random(1)
    done = 0
    for attempt in range(3):
        process = _start("--ir", "hall", "--resume", "--workers", "2")
        _wait_for_more(Path("out"), done)
        time.sleep(chance.uniform(0.0, 0.1))
        workers = _workers_of(process.pid)
        for victim in ([process.pid], [process.pid, *workers], [*workers[:1], process.pid])[attempt]:
            os.kill(victim, signal.SIGKILL)
        process.communicate()
        for worker in workers:
            _wait_for_end(worker)
        made = contents(Path("out"))
        whole = {name: data for name, data in made.items() if ".part/" not in name}
        assert whole.items() <= expected.items()
        assert len(whole) > done
        done = len(whole)
    finishing = _start("--ir", "hall", "--resume", "--workers", "2")
    _, errors = finishing.communicate(timeout=120)
    assert (finishing.returncode, errors) == (0, b"")
    assert contents(Path("out")) == expected
    assert set(journal(Path("out"))) == set(expected)
    assert leftovers(Path("out")) == []


def _wait_for_more(out: Path, done: int) -> None:
    deadline = time.monotonic() + 60
    while _finished(out) <= done and time.monotonic() < deadline:
        time.sleep(0.01)


def _finished(out: Path) -> int:
    """Count outputs; `os.walk`, unlike `Path.rglob`, tolerates folders that vanish in the meantime."""
    found = 0
    for _, folders, names in os.walk(out):
        folders[:] = [name for name in folders if not name.endswith(".part")]
        found += sum(name.endswith(".wav") for name in names)
    return found


def _wait_for_end(process: int) -> None:
    """A worker ends by itself when nobody reads its output any more."""
    deadline = time.monotonic() + 60
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{process}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.01)
    assert not Path(f"/proc/{process}").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_done_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "takes", "0.wav")
    fill(tmp_path / "takes", "1.wav", "2.wav", frames=48_000 * 120)
    process = _start("--ir", "room", "--workers", "1", "--report", "report.csv")
    while not Path("out", JOURNAL).exists() or not Path("out", JOURNAL).read_bytes():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (
        errors.decode()
        == "Error: interrupted after 1 of 3 outputs; run the same command with --resume to continue\n"
    )
    assert set(contents(Path("out"))) == set(journal(Path("out"))) == {"0.wav"}
    assert leftovers(Path("out")) == []
    assert len(Path("report.csv").read_text().splitlines()) == 2
