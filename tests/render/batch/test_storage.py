"""The output folder: full disks, vanishing folders, odd names, and several batches at once."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reverb import Gain, process_files
from reverb.render.batch.storage import LocalFolder
from reverb.render.files import render_file
from tests.render.batch.folders import NAMES, QUIETER, contents, fill, journal, leftovers, rendered

in_this_process = pytest.mark.usefixtures("in_this_process")


@in_this_process
def test_a_full_disk_fails_what_does_not_fit_and_resume_goes_on(small_disk: Path, tmp_path: Path) -> None:
    numbered_takes = fill(tmp_path / "takes", *NAMES, frames=30_000)
    report = process_files(numbered_takes, small_disk, QUIETER)
    done = {outcome.task.output for outcome in report.outcomes if outcome.status == "done"}
    assert 0 < len(done) == report.count("done") < 6
    assert all("no space left on the disk" in str(o.error) for o in report.outcomes if o.status == "failed")
    assert leftovers(small_disk) == []
    assert set(contents(small_disk)) == done
    if report.journal_error is None:
        assert set(journal(small_disk)) == set(NAMES)
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    again = process_files(numbered_takes, small_disk, QUIETER, resume=True)
    assert again.succeeded
    assert again.count("kept") == len(done)
    process_files(numbered_takes, tmp_path / "expected", QUIETER)
    assert contents(small_disk) == contents(tmp_path / "expected")


@in_this_process
def test_an_output_folder_that_vanishes_is_not_made_anew(numbered_takes: Path) -> None:
    def vanish(event: Any) -> None:
        if event.task.output == "2.wav":
            shutil.rmtree("out")

    report = process_files(numbered_takes, "out", QUIETER, progress=vanish)
    assert [outcome.status for outcome in report.outcomes] == ["done"] * 3 + ["failed"] * 3
    assert all("out: the output folder vanished" in str(outcome.error) for outcome in report.outcomes[3:])
    assert report.journal_error is not None
    assert not Path("out").exists()
    assert process_files(numbered_takes, "out", QUIETER, resume=True).succeeded


@in_this_process
def test_a_subfolder_that_vanishes_fails_what_was_being_written(
    numbered_takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def vanishing(source: Any, made: Path, *rest: Any, **more: Any) -> Any:
        report = render_file(source, made, *rest, **more)
        if Path(source).name == "x.wav":
            shutil.rmtree("out/sub")
        return report

    monkeypatch.setattr("reverb.render.batch.run_task.render_file", vanishing)
    fill(numbered_takes, "sub/x.wav", "sub/y.wav")
    report = process_files(numbered_takes, "out", QUIETER)
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


@in_this_process
def test_a_folder_that_cannot_be_written_fails_its_files_alone(numbered_takes: Path) -> None:
    fill(numbered_takes, "closed/a.wav", "open/a.wav")
    Path("out/closed").mkdir(parents=True)
    reopen = _immutable(Path("out/closed"))
    try:
        report = process_files(numbered_takes, "out", QUIETER)
    finally:
        reopen()
    (failed,) = (outcome for outcome in report.outcomes if outcome.status == "failed")
    assert failed.task.output == "closed/a.wav"
    assert "no permission to write" in str(failed.error)
    assert process_files(numbered_takes, "out", QUIETER, resume=True).count("done") == 1


ODD = (
    "ü ñ 音楽.wav", "two  spaces .wav", "-dash.wav", "--help.wav", "{stem}.wav", "new\nline.wav", "'\"$(x).wav",
    "a" * 246 + "é.w64",
)  # fmt: skip


@in_this_process
def test_odd_names_come_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    numbered_takes, undecodable = Path("takes"), os.fsdecode(b"latin-\xe9.wav")
    fill(numbered_takes, *ODD)
    with open(numbered_takes / undecodable, "wb") as file:
        file.write((numbered_takes / "-dash.wav").read_bytes())
    assert max(len(os.fsencode(name)) for name in ODD) == 252
    report = process_files(numbered_takes, "out", QUIETER, report="report.csv")
    assert [outcome.error for outcome in report.outcomes] == [None] * 9
    assert set(contents(Path("out"))) == set(journal(Path("out"))) == {*ODD, undecodable}
    assert process_files(numbered_takes, "out", QUIETER, resume=True).count("kept") == 9
    assert undecodable in os.fsdecode(Path("report.csv").read_bytes())


@in_this_process
def test_a_name_that_becomes_too_long_fails_alone(numbered_takes: Path) -> None:
    fill(numbered_takes, "a" * 251 + ".wav")
    report = process_files(numbered_takes, "out", {"x": QUIETER, "y": Gain(0.0)})
    assert report.count("done") == 12
    assert all("File name too long" in str(o.error) for o in report.outcomes if o.status == "failed")
    assert process_files(numbered_takes, "whole", QUIETER).succeeded  # 255 bytes are allowed


def test_two_batches_in_one_folder_lose_no_line_and_break_no_file(numbered_takes: Path) -> None:
    fill(Path("more"), *(f"more-{name}" for name in NAMES))
    expected = rendered(numbered_takes) | rendered(Path("more"))
    reports: list[Any] = []

    def batch(*inputs: Path) -> None:
        reports.append(process_files(inputs, "out", QUIETER, workers=1))

    threads = [
        threading.Thread(target=batch, args=inputs)
        for inputs in ((numbered_takes,), (Path("more"), numbered_takes))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(Path("out")) == expected
    assert set(journal(Path("out"))) == set(expected)
    # Both made the same of `numbered_takes`; one that came when the other had begun may have found names taken.
    assert all("exists already" in str(o.error) for report in reports for o in report.outcomes if o.error)


@in_this_process
def test_scratch_in_use_is_not_swept(numbered_takes: Path) -> None:
    folder = LocalFolder(str(Path("out").resolve()))
    folder.create()
    Path("out/.reverb-dead.part").mkdir()
    Path("out/.reverb-dead.part/output.wav").touch()
    with folder.scratch("x.wav") as scratch:
        process_files(numbered_takes, "out", QUIETER, resume=True)
        assert leftovers(Path("out")) == [Path("out") / scratch.name]
    assert leftovers(Path("out")) == []
