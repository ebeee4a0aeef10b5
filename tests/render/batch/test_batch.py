"""Batches from beginning to end: outputs, reports, and the outputs that `resume` keeps."""

import csv
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from reverb import Augment, Reverb, process_file, process_files
from reverb.errors import ParameterError
from reverb.render.batch.journal import JOURNAL
from tests.render.batch.folders import (
    EFFECTS,
    QUIETER,
    ROOM,
    contents,
    fill,
    journal,
    leftovers,
    statuses,
)
from tests.render.wrong import WRONG

# -- outputs ------------------------------------------------------------------------------------------------


def test_any_number_of_workers_gives_the_same_bytes_in_the_same_order(takes: Path) -> None:
    reports = {workers: process_files(takes, f"out{workers}", EFFECTS, workers=workers) for workers in (1, 3)}
    one, three = (Path(f"out{workers}") for workers in (1, 3))
    assert contents(one) == contents(three)
    assert [o.task.output for o in reports[3].outcomes] == [
        "a-room.wav", "a-hall.wav", "b-room.flac", "b-hall.flac", "z/c-room.wav", "z/c-hall.wav",
    ]  # fmt: skip
    for first, second in zip(journal(one).values(), journal(three).values(), strict=True):
        assert {**first, "seconds": 0} == {**second, "seconds": 0}
    assert list(journal(three)) == sorted(journal(three))
    for output, name, effect in (("a-room.wav", "a.wav", "room"), ("z/c-hall.wav", "z/c.wav", "hall")):
        process_file(takes / name, "alone.wav", EFFECTS[effect], overwrite=True)
        assert (three / output).read_bytes() == Path("alone.wav").read_bytes()
    assert reports[1].succeeded
    assert leftovers(takes.parent) == []


@pytest.mark.usefixtures("in_this_process")
def test_one_bad_file_does_not_stop_the_others(takes: Path) -> None:
    (takes / "a1.wav").write_bytes(b"no sound at all")
    report = process_files(takes, "out", QUIETER, report="report.csv")
    assert statuses(report) == ["done", "failed", "done", "done"]
    assert not report.succeeded
    error = report.outcomes[1].error
    assert error is not None
    assert "a1.wav: not a readable audio file" in error
    rows = list(csv.DictReader(Path("report.csv").read_text().splitlines()))
    assert [(row["status"], row["output"]) for row in rows] == [
        ("done", "a.wav"), ("failed", "a1.wav"), ("done", "b.flac"), ("done", "z/c.wav"),
    ]  # fmt: skip
    assert rows[1]["error"] == journal(Path("out"))["a1.wav"]["error"] == error


def test_wrong_settings_are_refused_first(takes: Path) -> None:
    for settings in ({"gain": 500}, {"loudness": 3}, {"container": "XYZ"}, {"workers": 0}, {"workers": 2.5}):
        with pytest.raises(ParameterError):
            process_files(takes, "out", QUIETER, **settings)
    assert not Path("out").exists()


OPTIONAL = ("name_template", "augment", "report", "workers", "scheduler", "progress", "container", "dither")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in (*OPTIONAL, "resume", "overwrite", "tail", "gain") for value in WRONG),
        *((name, None) for name in ("resume", "overwrite", "tail", "gain")),
    ],
)
def test_wrong_arguments_are_refused_first(takes: Path, name: str, value: Any) -> None:
    with pytest.raises(ParameterError):
        process_files(takes, "out", QUIETER, **{name: value})
    assert not Path("out").exists()


@pytest.mark.parametrize("value", [None, 3, b"takes", [None], "a\0b", *WRONG[:1], *WRONG[2:]])
def test_wrong_paths_are_refused_first(takes: Path, value: Any) -> None:
    with pytest.raises(ParameterError):
        process_files(value, "out", QUIETER)
    with pytest.raises(ParameterError):
        process_files(takes, value, QUIETER)
    assert os.listdir() == ["takes"]


@pytest.mark.parametrize("value", [None, "hall", 3, *WRONG])
def test_only_effects_are_applied(takes: Path, value: Any) -> None:
    wrong: tuple[Any, ...] = (value, {"x": value}, {3: QUIETER})
    for effects in wrong:
        with pytest.raises(ParameterError):
            process_files(takes, "out", effects)
    assert not Path("out").exists()


@pytest.mark.usefixtures("in_this_process")
def test_silence_and_numpy_numbers_have_a_line_in_the_journal(takes: Path) -> None:
    augment = Augment(variants=np.int64(1), seed=np.int64(3), gain=(np.float32(-3), np.float32(-1)))  # type: ignore[arg-type]
    assert process_files(takes / "a.wav", "drawn", QUIETER, augment=augment).succeeded
    silent = process_files(takes / "a.wav", "silent", QUIETER, gain=-math.inf, report="report.csv")
    assert silent.succeeded
    record = journal(Path("silent"))["a.wav"]
    assert record["gain"] == record["settings"]["gain"] == "-inf"
    assert process_files(takes / "a.wav", "silent", QUIETER, gain=-math.inf, resume=True).count("kept") == 1


@pytest.mark.usefixtures("in_this_process")
def test_the_old_name_of_the_journals_error_warns(takes: Path) -> None:
    report = process_files(takes, "out", QUIETER)
    with pytest.warns(DeprecationWarning, match="trouble is now BatchReport.journal_error"):
        assert report.trouble is report.journal_error is None


# -- resume ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_this_process")
def test_resume_keeps_what_is_done_and_makes_the_rest(takes: Path) -> None:
    process_files(takes, "out", EFFECTS)
    before = contents(Path("out"))
    again = process_files(takes, "out", EFFECTS, resume=True)
    assert statuses(again) == ["kept"] * 6
    Path("out/a-room.wav").write_bytes(before["a-room.wav"][:-100])  # cut short
    Path("out/z/c-hall.wav").unlink()
    fill(takes, "new.wav")
    mended = process_files(takes, "out", EFFECTS, resume=True, report="report.jsonl")
    assert mended.count("kept") == 4
    assert {o.task.output for o in mended.outcomes if o.status == "done"} == {
        "a-room.wav", "z/c-hall.wav", "new-room.wav", "new-hall.wav",
    }  # fmt: skip
    assert {name: data for name, data in contents(Path("out")).items() if "new" not in name} == before
    assert len(journal(Path("out"))) == len(Path("report.jsonl").read_text().splitlines()) == 8


@pytest.mark.usefixtures("in_this_process")
def test_resume_goes_by_content_not_by_name(takes: Path) -> None:
    process_files(takes, "out", EFFECTS)
    (takes / "a.wav").write_bytes((takes / "z" / "c.wav").read_bytes())  # another sound under the old name
    changed = process_files(takes, "out", EFFECTS, resume=True)
    assert [o.task.output for o in changed.outcomes if o.status == "done"] == ["a-room.wav", "a-hall.wav"]
    assert Path("out/a-room.wav").read_bytes() == Path("out/z/c-room.wav").read_bytes()


@pytest.mark.parametrize(
    "settings", [{"gain": -1.0}, {"tail": False}, {"subtype": "PCM_24"}, {"dither": False}, {"ceiling": -3.0}]
)
@pytest.mark.usefixtures("in_this_process")
def test_resume_goes_by_settings(takes: Path, settings: dict[str, Any]) -> None:
    process_files(takes / "a.wav", "out", EFFECTS)
    changed = process_files(takes / "a.wav", "out", EFFECTS, resume=True, **settings)
    assert statuses(changed) == ["done", "done"]
    process_file(takes / "a.wav", "alone.wav", EFFECTS["room"], **settings)
    assert Path("out/a-room.wav").read_bytes() == Path("alone.wav").read_bytes()


@pytest.mark.usefixtures("in_this_process")
def test_resume_goes_by_the_response_itself(takes: Path) -> None:
    effects = {"room": Reverb(ROOM)}
    process_files(takes, "out", effects)
    renamed = {"room": Reverb(replace(ROOM, name="another name"))}
    assert statuses(process_files(takes, "out", renamed, resume=True)) == ["kept"] * 3
    edited = {"room": Reverb(ROOM * 0.5, level="none")}
    assert statuses(process_files(takes, "out", edited, resume=True)) == ["done"] * 3


@pytest.mark.usefixtures("in_this_process")
def test_what_no_batch_has_made_is_kept(takes: Path) -> None:
    Path("out").mkdir()
    Path("out/a.wav").write_bytes(b"precious")
    for resume, complaint in ((False, "exists already; use --force"), (True, "exists with other content")):
        report = process_files(takes, "out", QUIETER, resume=resume)
        assert report.outcomes[0].status == "failed"
        assert complaint in str(report.outcomes[0].error)
        assert Path("out/a.wav").read_bytes() == b"precious"
    forced = process_files(takes, "out", QUIETER, overwrite=True)
    assert forced.succeeded
    assert soundfile.info("out/a.wav").frames == 2000


@pytest.mark.usefixtures("in_this_process")
def test_an_output_whose_line_was_lost_is_recognised(takes: Path) -> None:
    process_files(takes, "out", EFFECTS)
    lines = Path("out", JOURNAL).read_bytes().splitlines(keepends=True)
    Path("out", JOURNAL).write_bytes(b"".join(lines[1:]))
    report = process_files(takes, "out", EFFECTS, resume=True)
    assert report.succeeded
    assert sorted(statuses(report)) == ["done"] + ["kept"] * 5


# -- augmentation ---------------------------------------------------------------------------------------------

AUGMENT = Augment(variants=2, seed=3, mix=(0.0, 1.0), predelay=(0.0, 0.02), gain=(-9.0, 0.0))


def test_the_same_seed_gives_the_same_bytes_whatever_else_there_is(takes: Path) -> None:
    process_files(takes, "few", EFFECTS, augment=AUGMENT, workers=1)
    fill(takes, "0.wav")
    process_files(
        [takes / "z", takes],
        "more",
        EFFECTS,
        augment=AUGMENT,
        workers=3,
        name_template="{root}/{folder}/{stem}-{variant}",
    )
    few, more = contents(Path("few")), contents(Path("more"))
    assert len(few) == 6
    assert len(set(few.values())) == 6
    assert {f"takes/{name}": data for name, data in few.items()}.items() <= more.items()


@pytest.mark.usefixtures("in_this_process")
def test_the_report_is_enough_to_make_a_variant_again(takes: Path) -> None:
    process_files(takes, "out", EFFECTS, augment=AUGMENT)
    for output, record in journal(Path("out")).items():
        effect = replace(EFFECTS[record["treatment"]], mix=record["mix"], predelay=record["predelay"])
        made = Path("again").with_suffix(Path(output).suffix)
        process_file(record["input"], made, effect, gain=record["gain"], overwrite=True)
        assert made.read_bytes() == Path("out", output).read_bytes()
        assert (record["seed"], record["variant"]) == (3, int(Path(output).stem[-1]))


@pytest.mark.usefixtures("in_this_process")
def test_chains_may_be_among_the_effects_that_are_drawn(takes: Path) -> None:
    report = process_files(takes, "out", {"quieter": QUIETER}, augment=AUGMENT)
    assert report.succeeded
    record = report.outcomes[0].record
    assert record["mix"] is record["predelay"] is None
    assert -9 <= record["gain"] <= 0
