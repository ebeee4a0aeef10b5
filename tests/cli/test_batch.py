"""`reverb batch`: its options and its output."""

import csv
import json
import re
from pathlib import Path

import click.testing
import pytest

from reverb import Reverb, load_chain, process_file
from reverb.cli.app import cli
from tests.conftest import MakeSound
from tests.signals import noise
from tests.terminals import on_a_terminal


@pytest.fixture
def takes(make_sound: MakeSound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "takes" / "low").mkdir(parents=True)
    make_sound("takes/a.wav", noise(2000), subtype="PCM_16")
    make_sound("takes/low/b.wav", noise(3000, 1, seed=2), subtype="PCM_16")
    make_sound("room.wav", noise(500, 1, seed=3) / 20)
    return tmp_path / "takes"


def _batch(*args: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(cli, ["batch", *args], prog_name="reverb")


def test_files_through_a_response_and_a_chain(takes: Path) -> None:
    effects = ("--ir", "room.wav", "--chain", "telephone", "--mix", "0.4", "--predelay", "5")
    result = _batch(str(takes), "-o", "out", *effects)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert sorted(lines[:4]) == [
        "done    a-room.wav",
        "done    a-telephone.wav",
        "done    low/b-room.wav",
        "done    low/b-telephone.wav",
    ]
    assert [line.split()[:4] for line in lines[4:8]] == [
        ["effect", "done", "kept", "failed"],
        ["room", "2", "0", "0"],
        ["telephone", "2", "0", "0"],
        ["all", "4", "0", "0"],
    ]
    assert re.fullmatch(r"\d+\.\d s, \d+ x real time", lines[8])
    process_file("takes/low/b.wav", "alone.wav", Reverb("room.wav", mix=0.4, predelay=0.005))
    assert Path("out/low/b-room.wav").read_bytes() == Path("alone.wav").read_bytes()
    # As `reverb chain` does it: as loud as the input, and trimmed.
    settings = {"match_loudness": True, "floor_db": -120.0, "overwrite": True}
    process_file("takes/a.wav", "alone.wav", load_chain("telephone"), **settings)  # type: ignore[arg-type]
    assert Path("out/a-telephone.wav").read_bytes() == Path("alone.wav").read_bytes()

    kept = _batch(str(takes), "-o", "out", *effects, "--resume", "--quiet", "--report", "report.csv")
    assert (kept.exit_code, kept.output) == (0, "")
    rows = list(csv.DictReader(Path("report.csv").read_text().splitlines()))
    assert [row["status"] for row in rows] == ["kept"] * 4


def test_a_failure_is_told_and_sets_the_status(takes: Path) -> None:
    (takes / "bad.wav").write_bytes(b"?")
    result = _batch("takes", "-o", "out", "--ir", "room.wav")
    assert result.exit_code == 1
    assert "Failed: takes/bad.wav: not a readable audio file" in result.stderr
    assert result.stderr.splitlines()[-1] == "Error: 1 of 3 outputs could not be made"
    assert "failed  bad.wav" in result.stdout
    assert _batch("takes/a.wav", "-o", "out", "--ir", "room.wav", "--quiet").exit_code == 1  # it stands
    assert _batch("takes/a.wav", "-o", "out", "--ir", "room.wav", "--force").exit_code == 0


@pytest.mark.usefixtures("takes")
def test_a_dry_run_shows_the_plan_and_does_nothing() -> None:
    ranges = ("--mix", "0.1..0.5", "--predelay", "0..40", "--gain", "-6..0", "--augment", "2", "--seed", "4")
    result = _batch("takes/**/*.wav", "-o", "out", "--ir", "room.wav", *ranges, "--dry-run")
    assert result.exit_code == 0
    header, *rows, empty, count = result.stdout.splitlines()
    assert header.split("  ")[0] == "input"
    assert [row.split()[-1] for row in rows] == ["a-1.wav", "a-2.wav", "low/b-1.wav", "low/b-2.wav"]
    assert (empty, count) == ("", "4 outputs in out; nothing was done")
    assert not Path("out").exists()
    _batch("takes/a.wav", "-o", "out", "--ir", "room.wav", *ranges)
    record = json.loads(Path("out/reverb-batch.jsonl").read_text().splitlines()[0])
    shown = rows[0].split()[2:5]
    drawn = (record["mix"], 1000 * record["predelay"], record["gain"])
    assert shown == [f"{value:.2f}" for value in drawn]
    assert 0.1 <= drawn[0] <= 0.5
    assert 0 <= drawn[1] <= 40
    assert -6 <= drawn[2] <= 0
    again = _batch("takes/a.wav", "-o", "out", "--ir", "room.wav", *ranges, "--dry-run")
    assert [line.split()[-1] for line in again.stdout.splitlines()[1:3]] == ["exists", "exists"]


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--ir", "room.wav"], "Missing option '-o' / '--output-dir'"),
        (["-o", "out"], "Missing option '--ir' or '--chain'"),
        (["-o", "out", "--ir", "nothing"], "no impulse response 'nothing'"),
        (
            ["-o", "out", "--ir", "room.wav", "--mix", "0..1"],
            "--mix 0..1 is a range; --augment N draws from it",
        ),
        (["-o", "out", "--ir", "room.wav", "--mix", "much"], "'much'; expected a number, or LOW..HIGH"),
        (["-o", "out", "--ir", "room.wav", "--mix", "0..1", "--wet", "0"], "--mix excludes --wet and --dry"),
        (["-o", "out", "--ir", "room.wav", "--name-template", "{x}"], "unknown {x}"),
        (["-o", "takes", "--ir", "room.wav"], "is itself an input"),
        (["-o", "out", "--ir", "room.wav", "--report", "r.txt"], "ends in .csv or .jsonl"),
    ],
)
@pytest.mark.usefixtures("takes")
def test_wrong_usage_is_told_before_anything_is_done(args: list[str], complaint: str) -> None:
    result = _batch("takes", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("out").exists()


def test_bars_are_drawn_on_a_terminal(takes: Path) -> None:
    (takes / "bad.wav").write_bytes(b"?")
    done, drawn = on_a_terminal("batch", "takes", "-o", "out", "--ir", "room.wav", cwd=takes.parent)
    assert done.returncode == 1
    assert b"done  " not in done.stdout.replace(b"effect  done  ", b"")  # no lines beside the bars
    assert "0 of 3" in drawn
    assert "3 of 3, 1 failed" in drawn
    assert "Failed: takes/bad.wav: not a readable audio file" in drawn
