"""The journal and the report: contents, clocks, damage, and folders that cannot be written."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

import reverb
from reverb import process_files
from reverb.effects.tree import fingerprint
from reverb.levels import to_db
from reverb.render.batch.journal import JOURNAL
from reverb.render.batch.storage import LocalFolder
from reverb.render.loudness import LoudnessMeter
from tests.render.batch.folders import (
    EFFECTS,
    NAMES,
    QUIETER,
    contents,
    journal,
)

in_this_process = pytest.mark.usefixtures("in_this_process")


@in_this_process
def test_a_journal_that_cannot_be_written_is_told_and_costs_no_output(numbered_takes: Path) -> None:
    Path("out", JOURNAL).mkdir(parents=True)  # nobody can write to a folder
    report = process_files(numbered_takes, "out", QUIETER)
    assert report.count("done") == 6
    assert not report.succeeded
    assert "reverb-batch.jsonl: cannot be written (Is a directory)" in str(report.journal_error)
    Path("out", JOURNAL).rmdir()
    assert process_files(numbered_takes, "out", QUIETER, resume=True).succeeded


@in_this_process
def test_clocks_may_jump(numbered_takes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(2_000_000_000, 0, -86_400))
    with monkeypatch.context() as jumping:
        jumping.setattr(time, "time", lambda: float(next(times)))  # a day back at each look
        report = process_files(numbered_takes, "out", QUIETER)
    assert report.succeeded
    assert all(outcome.record["seconds"] >= 0 for outcome in report.outcomes)
    for index, path in enumerate([*numbered_takes.iterdir(), *Path("out").iterdir()]):
        os.utime(path, (0, 0) if index % 2 else (4_000_000_000, 4_000_000_000))
    assert process_files(numbered_takes, "out", QUIETER, resume=True).count("kept") == 6


@in_this_process
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
    numbered_takes: Path, damage: Callable[[list[bytes]], list[bytes]], lost: int
) -> None:
    process_files(numbered_takes, "out", QUIETER)
    before = contents(Path("out"))
    path = Path("out", JOURNAL)
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))
    report = process_files(numbered_takes, "out", QUIETER, resume=True)
    assert report.succeeded
    assert (report.count("kept"), report.count("done")) == (6 - lost, lost)
    assert contents(Path("out")) == before
    assert set(journal(Path("out"))) == set(NAMES)


@in_this_process
def test_a_line_after_one_that_was_cut_short_stands_alone(numbered_takes: Path) -> None:
    folder = LocalFolder(str(numbered_takes.parent))
    folder.append("lines", b'{"cut": ')
    folder.append("lines", b'{"whole": 1}\n')
    assert [json.loads(line) for line in Path("lines").read_bytes().splitlines()[1:]] == [{"whole": 1}]


@in_this_process
def test_the_report_tells_what_was_done(takes: Path) -> None:
    process_files(takes, "out", EFFECTS, report="report.jsonl", gain=-3, subtype="PCM_24")
    record = journal(Path("out"))["z/c-hall.wav"]
    x, rate = soundfile.read("out/z/c-hall.wav", always_2d=True)
    meter = LoudnessMeter(rate, 2)
    meter.push(x)
    assert record["input"] == str(takes / "z" / "c.wav")
    assert (record["treatment"], record["mix"], record["predelay"], record["gain"]) == ("hall", 0.5, 0.01, -3)
    assert record["response_hash"] == fingerprint(EFFECTS["hall"])
    assert record["settings"]["subtype"] == record["subtype"] == "PCM_24"
    assert (record["frames"], record["channels"], record["sample_rate"]) == (*x.shape, rate)
    assert record["peak_db"] == pytest.approx(to_db(abs(x).max()), abs=0.01)
    assert record["loudness"] == pytest.approx(meter.integrated, abs=0.01)
    assert ("error" in record, record["warnings"]) == (False, [])
    lines = [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert {line["output"]: line for line in lines} == journal(Path("out"))


@in_this_process
def test_silence_and_warnings_can_be_reported(takes: Path) -> None:
    soundfile.write("silent.wav", [0.0] * 100, 48_000)
    whole = (takes / "a.wav").read_bytes()
    Path("short.wav").write_bytes(whole[:-1000])
    report = process_files(["silent.wav", "short.wav"], "out", QUIETER)
    silent, short = (outcome.record for outcome in report.outcomes)
    assert silent["peak_db"] is silent["loudness"] is None
    assert "short.wav: truncated: the header promises" in short["warnings"][0]
    assert ".reverb" not in short["warnings"][0]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("report.txt", r"ends in \.csv or \.jsonl"), ("no/report.csv", "its folder does not exist")],
)
def test_a_report_that_could_not_be_written_is_refused_first(takes: Path, path: str, complaint: str) -> None:
    with pytest.raises(reverb.ReverbError, match=complaint):
        process_files(takes, "out", QUIETER, report=path)
    assert not Path("out").exists()
