"""A session as text: meters, decay, levels, the status line and the summary."""

import math

import numpy as np
import pytest

import reverb
from reverb.live.meters import Level
from reverb.monitor.text import bar, clock, db, decay, levels, scale, status, summary, title
from tests.monitor.fakes import FakeSession


def test_numbers_as_people_read_them() -> None:
    assert [db(x) for x in (-math.inf, 0.0, -6.04, 3.0)] == ["-inf", "0.0", "-6.0", "+3.0"]
    assert [clock(x) for x in (0, 61.25, 3600)] == ["0:00.0", "1:01.2", "60:00.0"]


@pytest.mark.parametrize(
    ("rms", "peak", "hold", "expected"),
    [
        (-math.inf, -math.inf, -math.inf, "··········"),
        (-30.0, -12.0, -6.0, "█████▒▒▒│·"),
        (0.0, 0.0, 0.0, "█████████│"),
        (9.0, 9.0, 9.0, "█████████│"),
    ],
)
def test_a_meter_is_a_bar(rms: float, peak: float, hold: float, expected: str) -> None:
    assert bar(Level((peak,), (hold,), (rms,), hold, 0), 0, 10) == expected


@pytest.mark.parametrize("width", [6, 20, 46, 126])
def test_a_scale_stands_under_its_meter(width: int) -> None:
    marks = scale(width)
    assert len(marks) == width
    assert marks.endswith("0")
    level = Level((-24.0,), (-24.0,), (-24.0,), -24.0, 0)
    if width >= 20:
        assert marks.index("-24") + 2 == bar(level, 0, width).index("│")


def test_a_decay_falls_from_left_to_right() -> None:
    n = np.arange(48_000)
    rows = decay(reverb.ImpulseResponse(10 ** (-3 * n / 48_000), 48_000), 30, 4)
    assert [len(row) for row in rows] == [30] * 4
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[column]) for row in rows) for column in range(30)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == 32
    assert heights[-1] == pytest.approx(32 * (1 - 59 / 80), abs=1.5)


def test_even_the_shortest_response_has_a_picture() -> None:
    assert len(decay(reverb.ImpulseResponse(np.ones(1), 48_000), 20, 3)) == 3


def test_the_line_and_the_summary_tell_the_session() -> None:
    session = FakeSession()
    assert title(session) == "room  mono, 0.10 s"
    assert levels(session) == "mix 30%  wet -6.0 dB  dry 0.0 dB  gain 0.0 dB"
    session.mix, session.bypass, session.mute = None, True, True
    assert levels(session).endswith("BYPASS  MUTE")
    line = status(session)
    for part in ("1:05.0", "room", "in -12.0", "out -3.0", "CLIP", "load 5%", "xruns 3"):
        assert part in line
    text = summary(session.stats(), ["take.wav"])
    for part in (
        "1:05.0 at 48000 Hz",
        "3 xruns",
        "7 samples reduced",
        "1 howls",
        "take.wav: 0:01.0, 5 frames lost",
    ):
        assert part in text
