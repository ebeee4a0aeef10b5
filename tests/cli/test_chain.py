"""`reverb chain`: presets applied, explained, exported; what it refuses, in one line."""

import os
import re
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

import reverb
from reverb.store.presets import names
from tests.cli.running import fail, succeed
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import decaying, pink

pytestmark = pytest.mark.usefixtures("folder")

PRESET = """format = 1
description = "Mine"
[[step]]
type = "lowcut"
frequency = 100
[[step]]
type = "lowpass"
cutoff = 6000
transition = 1500
[[step]]
type = "reverb"
ir = "room.wav"
mix = 0.4
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_sound: MakeSound) -> Path:
    make_sound("in.wav", pink(44_100, 1.5, 2), 44_100, subtype="PCM_24")
    make_sound("room.wav", decaying(3000, 2), subtype="PCM_24")
    (tmp_path / "mine.toml").write_text(PRESET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_preset_is_applied_at_its_own_level() -> None:
    succeed("chain", "mine.toml", "in.wav", "out.wav", "--keep-level", "--no-trim")
    x, y = (soundfile.read(name)[0] for name in ("in.wav", "out.wav"))
    assert null_db(y, reverb.load_chain("mine.toml")(x, 44_100)) < -120
    succeed("chain", "mine.toml", "in.wav", "trimmed.wav", "--keep-level")
    z, _ = soundfile.read("trimmed.wav")
    assert len(z) <= len(y)
    assert null_db(np.pad(z, ((0, len(y) - len(z)), (0, 0))), y) < -120


def test_the_output_is_as_loud_as_the_input() -> None:
    said = succeed("chain", "telephone", "in.wav", "out.wav").stdout
    meter = pyloudnorm.Meter(44_100)
    before, after = (meter.integrated_loudness(soundfile.read(name)[0]) for name in ("in.wav", "out.wav"))
    assert after == pytest.approx(before, abs=0.1)
    found = re.search(r"loudness (-[\d.]+) -> (-[\d.]+) LUFS; true peak", said)
    assert found is not None
    assert [float(level) for level in found.groups()] == pytest.approx([before, after], abs=0.1)
    succeed("chain", "telephone", "in.wav", "target.wav", "--loudness", "-30", "--ceiling", "-1")
    assert meter.integrated_loudness(soundfile.read("target.wav")[0]) == pytest.approx(-30, abs=0.1)
    said = succeed("chain", "telephone", "in.wav", "loud.wav", "--loudness", "0", "--ceiling", "-1").stdout
    assert "dB less than requested, because of its peaks" in said
    succeed("chain", "telephone", "in.wav", "peak.wav", "--normalize", "peak")
    assert np.abs(soundfile.read("peak.wav")[0]).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)


def test_other_commands_take_the_same_options() -> None:
    said = succeed("filter", "lowpass", "in.wav", "out.wav", "--cutoff", "500", "--match-loudness").stdout
    assert "LUFS" in said
    assert "LUFS" not in succeed("apply", "in.wav", "wet.wav", "--ir", "room.wav").stdout


def test_the_presets_are_listed() -> None:
    lines = succeed("chain", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *names()]
    assert all(len(line.split()) > 4 for line in lines[1:])


def test_a_chain_is_explained_step_by_step() -> None:
    text = succeed("chain", "mine.toml", "--explain", "--sample-rate", "48000").stdout
    lines = text.splitlines()
    assert lines[0] == "mine: Mine"
    table = [line for line in lines if line.startswith(("1 ", "2 ", "3 "))]
    effects = [reverb.LowCut(100), reverb.LowPass(6000, transition=1500), reverb.Reverb("room.wav", mix=0.4)]
    folded = 1
    for line, effect in zip(table, effects, strict=True):
        response = effect.response(48_000)
        folded += response.frames - 1
        for figure in (response.layout, response.frames, response.latency, folded):
            assert f" {figure} " in line
    assert f"folded: {folded} frames" in text
    # A low-pass filter at 6 kHz: nothing at 1 kHz, and the stop band of 80 dB at 16 kHz.
    cells = table[1].split()
    assert cells[-5] in ("-0.0", "+0.0")
    assert float(cells[-1]) < -80
    assert "8k " not in succeed("chain", "mine.toml", "--explain", "--sample-rate", "16000").stdout


def test_the_folded_response_is_exported() -> None:
    said = succeed("chain", "mine.toml", "--export-ir", "ir.wav", "--sample-rate", "44100").stdout
    saved = reverb.load_response("ir.wav")
    effect = reverb.load_chain("mine.toml")
    assert (saved.sample_rate, saved.layout) == (44_100, "stereo")
    assert f"{saved.frames} frames at 44100 Hz, the first {saved.latency} before time zero" in said
    x, _ = soundfile.read("in.wav")
    y = effect(x, 44_100)
    z = saved.__class__.response(saved, 44_100)
    wet = np.stack([np.convolve(x[:, c], z.samples[:, c].astype(float)) for c in range(2)], axis=1)
    wet = wet[saved.latency :][: len(y)]
    assert null_db(np.pad(wet, ((0, len(y) - len(wet)), (0, 0))), y) < -119
    fail(1, "exists already", "chain", "mine.toml", "--export-ir", "ir.wav")
    succeed("chain", "mine.toml", "--export-ir", "ir.wav", "--force", "--quiet")


def test_what_is_wrong_is_told_in_one_line() -> None:
    fail(2, "Missing argument 'PRESET'; --list shows", "chain")
    fail(2, "Missing argument 'INPUT'", "chain", "telephone")
    fail(2, "Missing argument 'OUTPUT'", "chain", "telephone", "in.wav")
    fail(2, "no preset 'telefone'; did you mean 'telephone'", "chain", "telefone", "in.wav", "out.wav")
    fail(1, "none.toml: cannot be read (No such file", "chain", "none.toml", "in.wav", "out.wav")
    Path("bad.toml").write_text(PRESET.replace("0.4", "4"))
    fail(
        1,
        "bad.toml, line 13, step 3, mix: mix is 4; expected a number from 0 to 1",
        "chain",
        "bad.toml",
        "in.wav",
        "out.wav",
    )
    fail(
        2, "expected a number from -70 to 0 LUFS", "chain", "telephone", "in.wav", "o.wav", "--loudness", "5"
    )
    fail(
        2, "give one of them", "chain", "telephone", "in.wav", "o.wav", "--loudness", "-9", "--match-loudness"
    )


def test_a_preset_stays_in_its_folder_unless_asked() -> None:
    os.mkdir("inner")
    Path("inner/p.toml").write_text(PRESET.replace("room.wav", "../room.wav"))
    fail(1, "lies outside the preset's folder inner", "chain", "inner/p.toml", "in.wav", "out.wav")
    succeed("chain", "inner/p.toml", "in.wav", "out.wav", "--allow-outside")
