"""`reverb devices` and `reverb tune`: the sound cards as a table, and what is measured."""

import json
from pathlib import Path

import pytest

from reverb.errors import missing_extra
from reverb.live.cards import Device
from tests.cli.running import run
from tests.live.fakes import CARD


def test_devices_are_a_table_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Device(1, "Scarlett", "ALSA", 2, 0, 96_000, 0.005, 0.05)
    monkeypatch.setattr("reverb.live.cards.devices", lambda: [CARD, other])
    result = run("devices")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].split() == ["no.", "name", "host", "API", "in", "out", "rate", "(Hz)", "latency", "(ms)"]
    assert lines[1].split() == ["><", "0", "fake", "Fake", "API", "2", "2", "48000", "1.0", "to", "10.0"]
    assert lines[2].split() == ["1", "Scarlett", "ALSA", "2", "0", "96000", "5.0", "to", "50.0"]
    assert json.loads(run("devices", "--json").output)[1]["name"] == "Scarlett"
    monkeypatch.setattr("reverb.live.cards.devices", list)
    assert "no sound card" in run("devices").output


def test_tune_measures_and_says_where_it_keeps_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reverb import cache
    from reverb.engine import fftw, machine, tuning
    from reverb.engine.machine import POCKETFFT_COSTS

    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(machine, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(tuning, "learn_fftw", lambda step, **_: "" if [step(n) for n in fftw.SIZES] else None)
    monkeypatch.setattr(tuning, "measure_costs", lambda _: POCKETFFT_COSTS)
    done = run("tune")
    assert done.exit_code == 0
    assert "pocketfft" in done.output
    assert str(missing_extra("fftw", "FFTW would render files and live sound faster")) in done.output
    assert str(tmp_path) in done.output
    assert run("tune", "--quiet").output == ""
