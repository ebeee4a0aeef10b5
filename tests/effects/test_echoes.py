"""Echoes against the feedback loop that they stand for, sample by sample; delays and note values."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from reverb.effects.echoes import Delay, Echoes, beats, note_seconds, one_poles
from reverb.errors import ParameterError
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import Signal, noise

RATE = 8000


def _loop(x: Signal, frames: int, feedback: float, damping: float | None, length: int) -> Signal:
    """Return the echoes of a feedback loop, sample by sample."""
    decay = math.exp(-2 * math.pi * damping / RATE) if damping else 0.0
    y, line, state = np.zeros(length), np.zeros(length), 0.0
    for n in range(length):
        back = line[n - frames] if n >= frames else 0.0
        state = (1 - decay) * back + decay * state
        y[n] = state
        line[n] = (x[n] if n < len(x) else 0.0) + feedback * state
    return y


@pytest.mark.parametrize("damping", [None, 900.0])
def test_echoes_are_a_feedback_loops(damping: float | None) -> None:
    x = noise(300, 1)[:, 0]
    effect = Echoes(0.02, feedback=0.5, wet=0, dry=-math.inf, damping=damping, floor=-120)
    y = effect(x, RATE)
    assert np.abs(y - _loop(x, 160, 0.5, damping, len(y))).max() < 5e-6


def test_the_dry_sound_comes_before_the_echoes() -> None:
    response = Echoes(0.1, feedback=0.25, wet=-6, dry=-3, floor=-40).response(RATE).samples[:, 0]
    at = np.flatnonzero(response)
    assert at.tolist() == [0, 800, 1600, 2400, 3200]
    assert 20 * np.log10(response[at]) == pytest.approx(
        [-3, -6, *(-6 - 12.04 * n for n in (1, 2, 3))], abs=0.01
    )
    assert Echoes(0.1, feedback=0).count == 1


def test_ping_pong_goes_from_side_to_side() -> None:
    response = Echoes(0.01, feedback=0.5, wet=0, floor=-20, ping_pong=True).response(RATE)
    assert response.layout == "true-stereo"
    left_left, left_right, right_left, right_right = response.samples.T
    assert left_left[[0, 80, 160, 240]].tolist() == [1, 0.5, 0, 0.125]
    assert right_left[[0, 80, 160, 240]].tolist() == [0, 0.5, 0, 0.125]
    assert left_right[[0, 80, 160, 240]].tolist() == [0, 0, 0.25, 0]
    assert right_right[[0, 80, 160, 240]].tolist() == [1, 0, 0.25, 0]


def test_a_delay_moves_the_sound() -> None:
    x = noise(100, 2)
    y = Delay(0.01)(x, RATE)
    assert not np.abs(y[:80]).max() > 1e-15
    assert null_db(y[80:], x) <= FLOAT64_BUDGET_DB


def test_beats_are_seconds() -> None:
    assert beats(0.75, 120) == 0.375
    for count, bpm in ((0, 120), (1, 0), (1, math.nan)):
        with pytest.raises(ParameterError, match="expected"):
            beats(count, bpm)


@pytest.mark.parametrize(
    ("note", "seconds"), [("1/4", 0.5), ("1/8d", 0.375), ("1/8.", 0.375), ("1/8t", 1 / 6), (" 3/4 ", 1.5)]
)
def test_notes_are_seconds(note: str, seconds: float) -> None:
    assert note_seconds(note, 120) == pytest.approx(seconds)


def test_damping_is_a_one_pole_filter() -> None:
    effect = Echoes(0.05, feedback=0.5, wet=0, dry=-math.inf, damping=500)
    kernels = effect.response(RATE).samples[:, 0]
    decay = math.exp(-2 * math.pi * 500 / RATE)
    impulse = np.zeros(350)
    impulse[0] = 1.0
    assert np.abs(kernels[400:750] - lfilter([1 - decay], [1, -decay], impulse)).max() < 1e-8


@pytest.mark.parametrize("passes", [1, 2, 7, 200])
@pytest.mark.parametrize("damping", [10.0, 500.0, 20_000.0, 100_000.0])
def test_repeated_damping_is_the_filter_in_series(passes: int, damping: float) -> None:
    kernel = one_poles(passes, 2 * math.pi * damping / RATE)
    decay = math.exp(-2 * math.pi * damping / RATE)
    expected = np.append(1.0, np.zeros(len(kernel) + 999))
    for _ in range(passes):
        expected = lfilter([1 - decay], [1, -decay], expected)
    assert null_db(kernel, expected[: len(kernel)]) < -190
    assert expected[len(kernel) :].max() <= 1e-9 * expected.max()  # nothing audible was left out


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Echoes(0), "delay is 0; expected a number from 0.0001 to 10 s"),
        (lambda: Echoes(1, feedback=1), "feedback is 1; expected a number from 0 to 0.98"),
        (lambda: Echoes(1, wet=99), "wet is 99; expected a number up to 24 dB"),
        (lambda: Echoes(1, damping=1), "damping is 1; expected a number from 10 to 100000 Hz"),
        (lambda: Echoes(1, floor=0), "floor is 0; expected a number from -120 to -20 dB"),
        (lambda: Echoes(10, feedback=0.9), "makes 88 echoes of 10 s; expected at most 120 s"),
        (lambda: Delay(-1), "delay is -1; expected a number from 0 to 60 s"),
        (lambda: Delay(61), "delay is 61"),
    ],
)
def test_nonsense_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()
