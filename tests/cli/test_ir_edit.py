"""`reverb ir edit`: steps in command-line order."""

from pathlib import Path

import numpy as np
import pytest

from reverb.effects import edits
from reverb.responses import edit as editing
from reverb.store.response_files import load_response
from tests.cli.running import fail
from tests.cli.running import run_ir as run

pytestmark = pytest.mark.usefixtures("responses")


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
    for status, says, args in (
        (1, "no width", ("--to", "mono", "--width", "2")),
        (2, "expected a number from -200 to -10 dB", ("--trim-tail", "3")),
        (2, "expected HZ=NUMBER", ("--rt60", "a")),
        (2, "one HZ:DB", ("--low-shelf", "100:1,200:2")),
        (2, "expected HZ:NUMBER", ("--eq", "oops")),
        (2, "expected Hz, such as", ("--low-cut", "deep")),
        (2, "expected a number", ("--gain", "nan")),
    ):
        fail(status, says, "ir", "edit", "room.wav", "no.wav", *args)
