"""`reverb ir`: edits in command-line order, synthesized rooms, lists and tables."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from reverb.cli.app import cli
from reverb.effects import edits
from reverb.responses import edit as editing
from reverb.responses.response import ImpulseResponse
from reverb.store.response_files import load_response, save_response
from tests.signals import decaying

RATE = 16_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")
    samples = decaying(RATE, 2)
    samples[0] = 1
    save_response(ImpulseResponse(samples, RATE, "room"), tmp_path / "room.wav")
    save_response(ImpulseResponse(samples[:, :1], RATE, "mono"), tmp_path / "mono.wav")
    return tmp_path


def run(*args: str, status: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["ir", *args], prog_name="reverb")
    assert result.exit_code == status, result.output
    return result


def test_steps_are_done_in_their_order_and_as_often_as_they_stand() -> None:
    room = load_response("room.wav")
    run(
        "edit",
        "room.wav",
        "a.wav",
        "--reverse",
        "--fade-out",
        "100",
        "--gain",
        "-3",
        "--predelay",
        "5",
        "--gain",
        "-3",
    )
    run("edit", "room.wav", "b.wav", "--fade-out", "100", "--reverse", "--predelay", "5", "--gain", "-6")
    a = editing.predelay(editing.fade_out(editing.reverse(room), 0.1).gain(-3), 0.005).gain(-3)
    b = editing.predelay(editing.reverse(editing.fade_out(room, 0.1)), 0.005).gain(-6)
    for name, expected in (("a", a), ("b", b)):
        np.testing.assert_allclose(load_response(f"{name}.wav").samples, expected.samples, rtol=1e-6)
    assert load_response("a.wav").name == "a"
    assert load_response("room.wav") == room


def test_settings_serve_all_steps() -> None:
    room = load_response("room.wav")
    settings = ("--bpm", "125", "--split", "50", "--slope", "24")
    run("edit", "room.wav", "b.wav", "--predelay", "1/16", *settings, "--late", "-9", "--low-cut", "200")
    late = editing.balance(editing.predelay(room, 0.12), late_db=-9, split=0.05)
    expected = edits.low_cut(late, 200, 24)
    np.testing.assert_allclose(load_response("b.wav").samples, expected.samples, atol=1e-6)


def test_a_note_needs_a_tempo() -> None:
    assert "--bpm" in run("edit", "room.wav", "x.wav", "--predelay", "1/16", status=2).stderr
    assert not Path("x.wav").exists()


@pytest.mark.parametrize(
    "steps",
    [
        ("--trim-head", "--trim-tail", "-40", "--length", "300"),
        ("--cut-noise", "--extend-tail", "--floor", "-60"),
        ("--stretch", "1.5", "--tape", "0.7", "--attack", "10", "--fade-in", "2"),
        ("--width", "1.5", "--to", "mono", "--to", "true-stereo", "--width", "0.5"),
        ("--right-source", "room.wav", "--level", "peak-safe"),
        ("--low-shelf", "200:3", "--high-shelf", "2k:-3", "--eq", "100:-3,1k:0,4kHz:2", "--high-cut", "5k"),
        ("--rt60", "0.8", "--early", "2", "--rate", "24000"),
        ("--rt60", "500=0.8,2k=0.5"),
        ("--reverse", "--level", "loudness", "--gain", "-12"),
    ],
)
def test_every_step_works(steps: tuple[str, ...]) -> None:
    assert "out.wav: " in run("edit", "room.wav", "out.wav", *steps).stdout
    assert load_response("out.wav").samples.any()


def test_force_quiet_and_failures() -> None:
    run("edit", "room.wav", "out.wav", "--gain", "-3")
    assert "exists already" in run("edit", "room.wav", "out.wav", status=1).stderr
    assert run("edit", "room.wav", "out.wav", "--force", "--quiet").output == ""
    for args, says in (
        (("--to", "mono", "--width", "2"), "no width"),
        (("--trim-tail", "3"), "expected a number from -200 to -10 dB"),
        (("--rt60", "a"), "expected HZ=NUMBER"),
        (("--low-shelf", "100:1,200:2"), "one HZ:DB"),
        (("--eq", "oops"), "expected HZ:NUMBER"),
        (("--low-cut", "deep"), "expected Hz, such as"),
        (("--gain", "nan"), "expected a number"),
    ):
        result = CliRunner().invoke(cli, ["ir", "edit", "room.wav", "no.wav", *args])
        assert result.exit_code in (1, 2)
        assert says in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert not Path("no.wav").exists()


def test_list_shows_searches_and_tells_figures() -> None:
    table = run("list", "true-stereo").stdout.splitlines()
    assert [line.split()[0] for line in table[1:]] == ["church-true-stereo", "hall-true-stereo"]
    found = json.loads(run("list", "hall", "--json").stdout)
    assert {entry["name"] for entry in found} >= {"hall"}
    assert all(
        entry["t30"] > 1 and entry["origin"] == "bundled" for entry in found if entry["name"] == "hall"
    )
    assert "nothing matches" in run("list", "zzz").stderr


def test_info_as_table_csv_and_json() -> None:
    text = run("info", "room.wav").stdout
    assert "broadband" in text
    assert "IACC E" in text
    for label in ("sample rate (Hz)", "length (s)", "peak (dBFS)", "loudness (dB)"):
        assert label in text
    rows = list(csv.DictReader(io.StringIO(run("info", "room.wav", "--csv").stdout)))
    report = json.loads(run("info", "room.wav", "--json").stdout)["acoustics"]
    bands = len(report["mean"])
    assert [row["channel"] for row in rows] == ["1"] * bands + ["2"] * bands + ["mean"] * bands
    for row, band in zip(rows[-bands:], report["mean"], strict=True):
        assert row["band"] == band["label"]
        assert float(row["c80_db"]) == pytest.approx(band["c80"], abs=1e-5)
        assert row["t30_valid"] == str(band["t30"]["valid"])
    assert "63 Hz" in run("info", "mono.wav", "--bands", "third").stdout


def test_info_of_a_response_with_silent_paths() -> None:
    run("edit", "room.wav", "full.wav", "--to", "true-stereo")
    assert "true-stereo" in run("info", "full.wav").stdout


def test_compare_shows_both_and_their_difference() -> None:
    run("edit", "room.wav", "dry.wav", "--late", "-12")
    text = run("compare", "room.wav", "dry.wav", "--bands", "broadband").stdout
    assert "*" in text
    found = json.loads(run("compare", "room.wav", "dry.wav", "--json").stdout)
    clarity = next(
        one for one in found["differences"] if one["figure"] == "C80" and one["band"] == "broadband"
    )
    assert clarity["change"] == pytest.approx(12, abs=1.5)
    assert clarity["audible"]
    same = run("compare", "room.wav", "room.wav", "--layout", "1x2").stdout
    assert "1×2" in same
    assert not re.search(r"-0\.?0*$", same, re.MULTILINE)  # zero has no sign


def test_rooms_and_plates_are_made_and_repeat() -> None:
    args = ("--rt60", "0.3", "--size", "4", "--rate", "16000", "--layout", "mono", "--seed", "4")
    run("synth", "figures", "a.wav", *args)
    run("synth", "figures", "b.wav", *args)
    assert load_response("a.wav") == load_response("b.wav")
    run(
        "synth", "plate", "p.wav", "--size", "1x0.6", "--rt60", "0.8", "--rt60-high", "0.4", "--rate", "16000"
    )
    assert load_response("p.wav").layout == "stereo"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("room", "x.wav"), "either a size"),
        (("room", "x.wav", "--size", "3x3"), "LENGTHxWIDTHxHEIGHT"),
        (("room", "x.wav", "--plan", "1,1 2"), "expected corners"),
        (("room", "x.wav", "--size", "3x3x3", "--walls", "jam"), "no surface 'jam'"),
        (("figures", "x.wav", "--size", "999"), "size is 999 m"),
        (
            (
                "figures",
                "x.txt",
            ),
            "names no audio format",
        ),
        (("plate", "x.wav", "--thickness", "50"), "thick"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(args: tuple[str, ...], says: str) -> None:
    result = run("synth", *args, status=2)
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
