"""Faults during a batch: full and vanishing disks, kills, odd names, concurrent batches, clocks, a damaged journal."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from reverb import Gain, Reverb, process_files
from reverb.render.batch.journal import JOURNAL
from reverb.render.batch.run_task import FoldedResponses, WorkerContext, run_task
from reverb.render.batch.storage import LocalFolder
from reverb.render.batch.tasks import Task, Treatment
from tests.conftest import ROOT, MakeSound
from tests.render.batch.folders import QUIETER, contents, fill, journal, strays

here = pytest.mark.usefixtures("in_this_process")
NAMES = tuple(f"{number}.wav" for number in range(6))


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path / "takes", *NAMES)


def _expected(takes: Path, effect: Any = QUIETER, **settings: Any) -> dict[str, bytes]:
    """Return the outputs of an undisturbed batch."""
    process_files(takes, "expected", effect, **settings)
    return contents(Path("expected"))


# -- disks and folders ----------------------------------------------------------------------------------------


@here
def test_a_full_disk_fails_what_does_not_fit_and_resume_goes_on(small_disk: Path, tmp_path: Path) -> None:
    takes = fill(tmp_path / "takes", *NAMES, frames=30_000)
    report = process_files(takes, small_disk, QUIETER)
    done = {outcome.task.output for outcome in report.outcomes if outcome.status == "done"}
    assert 0 < len(done) == report.count("done") < 6
    assert all("no space left on the disk" in str(o.error) for o in report.outcomes if o.status == "failed")
    assert strays(small_disk) == []
    assert set(contents(small_disk)) == done
    if report.journal_error is None:
        assert set(journal(small_disk)) == set(NAMES)
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    again = process_files(takes, small_disk, QUIETER, resume=True)
    assert again.succeeded
    assert again.count("kept") == len(done)
    process_files(takes, tmp_path / "expected", QUIETER)
    assert contents(small_disk) == contents(tmp_path / "expected")


@here
def test_a_journal_that_cannot_be_written_is_told_and_costs_no_output(takes: Path) -> None:
    Path("out", JOURNAL).mkdir(parents=True)  # nobody can write to a folder
    report = process_files(takes, "out", QUIETER)
    assert report.count("done") == 6
    assert not report.succeeded
    assert "reverb-batch.jsonl: cannot be written (Is a directory)" in str(report.journal_error)
    Path("out", JOURNAL).rmdir()
    assert process_files(takes, "out", QUIETER, resume=True).succeeded


@here
def test_an_output_folder_that_vanishes_is_not_made_anew(takes: Path) -> None:
    def vanish(event: Any) -> None:
        if event.task.output == "2.wav":
            shutil.rmtree("out")

    report = process_files(takes, "out", QUIETER, progress=vanish)
    assert [outcome.status for outcome in report.outcomes] == ["done"] * 3 + ["failed"] * 3
    assert all("out: the output folder vanished" in str(outcome.error) for outcome in report.outcomes[3:])
    assert report.journal_error is not None
    assert not Path("out").exists()
    assert process_files(takes, "out", QUIETER, resume=True).succeeded


@here
def test_a_subfolder_that_vanishes_fails_what_was_being_written(
    takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reverb.render.batch import run_task as module

    render = module.render_file

    def vanishing(source: Any, made: Path, *rest: Any, **more: Any) -> Any:
        report = render(source, made, *rest, **more)
        if Path(source).name == "x.wav":
            shutil.rmtree("out/sub")
        return report

    monkeypatch.setattr(module, "render_file", vanishing)
    fill(takes, "sub/x.wav", "sub/y.wav")
    report = process_files(takes, "out", QUIETER)
    assert [o.task.output for o in report.outcomes if o.status == "failed"] == ["sub/x.wav"]


def _immutable(path: Path) -> Callable[[], object]:
    """Make a folder read-only, even for root, and return a function that undoes it."""
    if os.geteuid() != 0:
        path.chmod(0o555)
        return lambda: path.chmod(0o755)
    chattr = shutil.which("chattr")
    if not chattr or subprocess.run([chattr, "+i", str(path)], capture_output=True, check=False).returncode:
        pytest.skip("root may write everywhere on this file system")
    return lambda: subprocess.run([chattr, "-i", str(path)], check=True)


@here
def test_a_folder_that_cannot_be_written_fails_its_files_alone(takes: Path) -> None:
    fill(takes, "closed/a.wav", "open/a.wav")
    Path("out/closed").mkdir(parents=True)
    reopen = _immutable(Path("out/closed"))
    try:
        report = process_files(takes, "out", QUIETER)
    finally:
        reopen()
    (failed,) = (outcome for outcome in report.outcomes if outcome.status == "failed")
    assert failed.task.output == "closed/a.wav"
    assert "no permission to write" in str(failed.error)
    assert process_files(takes, "out", QUIETER, resume=True).count("done") == 1


# -- inputs ---------------------------------------------------------------------------------------------------


@here
def test_inputs_that_cannot_be_read_fail_alone(takes: Path) -> None:
    (takes / "loop.wav").symlink_to("loop.wav")
    (takes / "nowhere.wav").symlink_to("nothing")
    os.mkfifo(takes / "pipe.wav")  # to open it would wait for ever
    (takes / "empty.wav").touch()
    expected = {
        "loop.wav": "Too many levels",
        "nowhere.wav": "No such file",
        "pipe.wav": "device or pipe",
        "empty.wav": "not a readable audio file",
    }
    if os.geteuid() != 0:
        fill(takes, "secret.wav")
        (takes / "secret.wav").chmod(0)
        expected["secret.wav"] = "Permission denied"
    report = process_files(takes, "out", QUIETER)
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


ODD = (
    "ü ñ 音楽.wav", "two  spaces .wav", "-dash.wav", "--help.wav", "{stem}.wav", "new\nline.wav", "'\"$(x).wav",
    "a" * 246 + "é.w64",
)  # fmt: skip


@here
def test_odd_names_come_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    takes, undecodable = Path("takes"), os.fsdecode(b"latin-\xe9.wav")
    fill(takes, *ODD)
    with open(takes / undecodable, "wb") as file:
        file.write((takes / "-dash.wav").read_bytes())
    assert max(len(os.fsencode(name)) for name in ODD) == 252
    report = process_files(takes, "out", QUIETER, report="report.csv")
    assert [outcome.error for outcome in report.outcomes] == [None] * 9
    assert set(contents(Path("out"))) == set(journal(Path("out"))) == {*ODD, undecodable}
    assert process_files(takes, "out", QUIETER, resume=True).count("kept") == 9
    assert undecodable in os.fsdecode(Path("report.csv").read_bytes())


@here
def test_a_name_that_becomes_too_long_fails_alone(takes: Path) -> None:
    fill(takes, "a" * 251 + ".wav")
    report = process_files(takes, "out", {"x": QUIETER, "y": Gain(0.0)})
    assert report.count("done") == 12
    assert all("File name too long" in str(o.error) for o in report.outcomes if o.status == "failed")
    assert process_files(takes, "whole", QUIETER).succeeded  # 255 bytes are allowed


# -- kills and other batches ----------------------------------------------------------------------------------


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
    expected = _expected(takes, {"hall": Reverb("hall")}, workers=2)
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
    assert strays(Path("out")) == []


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
    assert strays(Path("out")) == []
    assert len(Path("report.csv").read_text().splitlines()) == 2


def test_two_batches_in_one_folder_lose_no_line_and_break_no_file(takes: Path) -> None:
    fill(Path("more"), *(f"more-{name}" for name in NAMES))
    expected = _expected(takes) | _expected(Path("more"))
    reports: list[Any] = []

    def batch(*inputs: Path) -> None:
        reports.append(process_files(inputs, "out", QUIETER, workers=1))

    threads = [threading.Thread(target=batch, args=inputs) for inputs in ((takes,), (Path("more"), takes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(Path("out")) == expected
    assert set(journal(Path("out"))) == set(expected)
    # Both made the same of `takes`; one that came when the other had begun may have found names taken.
    assert all("exists already" in str(o.error) for report in reports for o in report.outcomes if o.error)


@here
def test_a_batch_that_would_make_another_thing_keeps_what_appeared(takes: Path) -> None:
    def other(event: Any) -> None:
        if event.task.output == "0.wav" and not event.task.done:
            process_files(takes / "1.wav", "out", Gain(-12.0))

    report = process_files(takes, "out", QUIETER, progress=other)
    assert [o.task.output for o in report.outcomes if o.status == "failed"] == ["1.wav"]
    assert "1.wav: exists with other content" in str(report.outcomes[1].error)
    assert soundfile.read("out/1.wav")[0].std() < 0.3 * soundfile.read("takes/1.wav")[0].std()


@here
def test_scratch_in_use_is_not_swept(takes: Path) -> None:
    folder = LocalFolder(str(Path("out").resolve()))
    folder.create()
    Path("out/.reverb-dead.part").mkdir()
    Path("out/.reverb-dead.part/output.wav").touch()
    with folder.scratch("x.wav") as scratch:
        process_files(takes, "out", QUIETER, resume=True)
        assert strays(Path("out")) == [Path("out") / scratch.name]
    assert strays(Path("out")) == []


# -- clocks and journals --------------------------------------------------------------------------------------


@here
def test_clocks_may_jump(takes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(2_000_000_000, 0, -86_400))
    with monkeypatch.context() as jumping:
        jumping.setattr(time, "time", lambda: float(next(times)))  # a day back at each look
        report = process_files(takes, "out", QUIETER)
    assert report.succeeded
    assert all(outcome.record["seconds"] >= 0 for outcome in report.outcomes)
    for index, path in enumerate([*takes.iterdir(), *Path("out").iterdir()]):
        os.utime(path, (0, 0) if index % 2 else (4_000_000_000, 4_000_000_000))
    assert process_files(takes, "out", QUIETER, resume=True).count("kept") == 6


@here
@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (lambda lines: [*lines[:-1], lines[-1][:40]], 1),  # cut short, as by a power cut
        (lambda lines: [*lines[:2], b"\x00" * 4096 + b"\n", *lines[2:]], 0),
        (lambda lines: [lines[0].replace(b'"', b"'"), *lines[1:]], 1),
        (lambda lines: [b"[" * 100_000 + b"\n", b"{}\n", b"null\n", b'{"output": 3}\n', *lines], 0),
        (lambda _: [os.urandom(2000)], 6),
        (lambda lines: [lines[0].replace(b'"output_hash"', b'"output_bash"'), *lines[1:]], 1),
    ],
)
@pytest.mark.filterwarnings("ignore:.*lines are damaged")
def test_a_damaged_journal_costs_only_what_it_held(
    takes: Path, damage: Callable[[list[bytes]], list[bytes]], lost: int
) -> None:
    process_files(takes, "out", QUIETER)
    before = contents(Path("out"))
    path = Path("out", JOURNAL)
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))
    report = process_files(takes, "out", QUIETER, resume=True)
    assert report.succeeded
    assert (report.count("kept"), report.count("done")) == (6 - lost, lost)
    assert contents(Path("out")) == before
    assert set(journal(Path("out"))) == set(NAMES)


@here
def test_a_line_after_one_that_was_cut_short_stands_alone(takes: Path) -> None:
    folder = LocalFolder(str(takes.parent))
    folder.append("lines", b'{"cut": ')
    folder.append("lines", b'{"whole": 1}\n')
    assert [json.loads(line) for line in Path("lines").read_bytes().splitlines()[1:]] == [{"whole": 1}]
