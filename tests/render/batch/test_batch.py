"""Batches from beginning to end: outputs, reports, and the outputs that `resume` keeps."""

import csv
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

import reverb
from reverb import Augment, Gain, Reverb, process_file, process_files
from reverb.effects.tree import fingerprint
from reverb.errors import ParameterError
from reverb.levels import to_db
from reverb.render.batch.batch import BatchReport
from reverb.render.batch.journal import JOURNAL
from reverb.render.batch.tasks import TaskProgress
from reverb.render.loudness import LoudnessMeter
from tests.render.batch.folders import HALL, QUIETER, ROOM, contents, fill, journal, strays

EFFECTS: Mapping[str, Any] = {"room": Reverb(ROOM), "hall": Reverb(HALL, mix=0.5, predelay=0.01)}


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path / "takes", "a.wav", "b.flac", "z/c.wav")


def _statuses(report: BatchReport) -> list[str]:
    return [outcome.status for outcome in report.outcomes]


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
    assert strays(takes.parent) == []


@pytest.mark.usefixtures("in_this_process")
def test_one_bad_file_does_not_stop_the_others(takes: Path) -> None:
    (takes / "a1.wav").write_bytes(b"no sound at all")
    report = process_files(takes, "out", QUIETER, report="report.csv")
    assert _statuses(report) == ["done", "failed", "done", "done"]
    assert not report.succeeded
    error = report.outcomes[1].error
    assert error is not None
    assert "a1.wav: not a readable audio file" in error
    rows = list(csv.DictReader(Path("report.csv").read_text().splitlines()))
    assert [(row["status"], row["output"]) for row in rows] == [
        ("done", "a.wav"), ("failed", "a1.wav"), ("done", "b.flac"), ("done", "z/c.wav"),
    ]  # fmt: skip
    assert rows[1]["error"] == journal(Path("out"))["a1.wav"]["error"] == error


# An effect on which the process dies, as on a fault in a decoder.
_FATAL = "import os\n\nclass Fatal:\n    def response(self, sample_rate):\n        os.kill(os.getpid(), 9)\n"


def test_an_effect_that_kills_its_process_fails_alone(takes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("fatal_effect.py").write_text(_FATAL)
    monkeypatch.syspath_prepend(takes.parent)
    effects = {"fatal": importlib.import_module("fatal_effect").Fatal(), "fine": QUIETER}
    report = process_files(takes / "a.wav", "out", effects, workers=2)
    assert _statuses(report) == ["failed", "done"]
    assert str(report.outcomes[0].error).endswith(
        "its process died 2 times (signal 9); the file may be damaged, or memory ran out"
    )
    assert strays(Path("out")) == []


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


# -- what is reported -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_this_process")
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


@pytest.mark.usefixtures("in_this_process")
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


def test_wrong_settings_are_refused_first(takes: Path) -> None:
    for settings in ({"gain": 500}, {"loudness": 3}, {"container": "XYZ"}, {"workers": 0}):
        with pytest.raises(ParameterError):
            process_files(takes, "out", QUIETER, **settings)
    assert not Path("out").exists()


# -- resume ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_this_process")
def test_resume_keeps_what_is_done_and_makes_the_rest(takes: Path) -> None:
    process_files(takes, "out", EFFECTS)
    before = contents(Path("out"))
    again = process_files(takes, "out", EFFECTS, resume=True)
    assert _statuses(again) == ["kept"] * 6
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
    assert _statuses(changed) == ["done", "done"]
    process_file(takes / "a.wav", "alone.wav", EFFECTS["room"], **settings)
    assert Path("out/a-room.wav").read_bytes() == Path("alone.wav").read_bytes()


@pytest.mark.usefixtures("in_this_process")
def test_resume_goes_by_the_response_itself(takes: Path) -> None:
    effects = {"room": Reverb(ROOM)}
    process_files(takes, "out", effects)
    renamed = {"room": Reverb(replace(ROOM, name="another name"))}
    assert _statuses(process_files(takes, "out", renamed, resume=True)) == ["kept"] * 3
    edited = {"room": Reverb(ROOM * 0.5, level="none")}
    assert _statuses(process_files(takes, "out", edited, resume=True)) == ["done"] * 3


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
    assert sorted(_statuses(report)) == ["done"] + ["kept"] * 5


@pytest.mark.usefixtures("in_this_process")
def test_a_failed_attempt_does_not_forget_what_is_a_batchs_own(
    takes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_files(takes, "out", QUIETER)
    with monkeypatch.context() as broken:
        broken.setattr("reverb.render.batch.run_task.render_file", lambda *_, **__: 1 / 0)
        failed = process_files(takes, "out", Gain(-3.0), resume=True)
    assert _statuses(failed) == ["failed"] * 3
    assert "unexpected ZeroDivisionError" in str(failed.outcomes[0].error)
    assert process_files(takes, "out", Gain(-3.0), resume=True).succeeded


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
