"""`reverb ir list|info|compare`: tables, CSV and JSON."""

import csv
import io
import json
import re

import pytest

from reverb.store.library import names
from tests.cli.running import run_ir as run

pytestmark = pytest.mark.usefixtures("responses")


def test_the_library_is_listed() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(names())
    assert lines[0].split()[:3] == ["name", "layout", "seconds"]


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


def test_info_shows_a_response() -> None:
    assert "stereo" in run("info", "room.wav").stdout
    facts = json.loads(run("info", "room.wav", "--json").stdout)
    assert (facts["layout"], facts["frames"], facts["sample_rate_hz"]) == ("stereo", 16_000, 16_000)


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
