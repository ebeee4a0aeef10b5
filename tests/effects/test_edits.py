"""Edits of a response in tone and width, against closed forms."""

from collections.abc import Callable

import numpy as np
import pytest

from reverb.effects import edits
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import decaying

RATE = 16_000


def room(frames: int, channels: int = 2) -> ImpulseResponse:
    return ImpulseResponse(decaying(frames, channels), RATE, "room")


@pytest.mark.parametrize("channels", [2, 4])
def test_width(channels: int) -> None:
    h = room(300, channels)
    assert null_db(edits.width(h, 1).samples, h.samples) < FLOAT64_BUDGET_DB
    none = edits.width(h, 0).samples
    np.testing.assert_allclose(none[:, 0], none[:, 1])
    wide = edits.width(h, 2).samples
    np.testing.assert_allclose(wide[:, 0] - wide[:, 1], 2 * (h.samples[:, 0] - h.samples[:, 1]))
    np.testing.assert_allclose(wide[:, 0] + wide[:, 1], h.samples[:, 0] + h.samples[:, 1])
    with pytest.raises(InvalidAudioError, match="has no width"):
        edits.width(room(9, 1), 2)


def gain_at(response: ImpulseResponse, frequency: float) -> float:
    n = np.arange(response.frames)
    return float(20 * np.log10(abs(np.exp(-2j * np.pi * frequency / RATE * n) @ response.samples[:, 0])))


UNIT = ImpulseResponse(np.eye(1, 64)[0], RATE)


def test_cuts_are_butterworth() -> None:
    for slope, order in ((12, 2), (24, 4)):
        low, high = edits.low_cut(UNIT, 200, slope), edits.high_cut(UNIT, 2000, slope)
        for hz in (50, 100, 200, 1000, 2000, 4000):
            assert gain_at(low, hz) == pytest.approx(-10 * np.log10(1 + (200 / hz) ** (2 * order)), abs=0.1)
            assert gain_at(high, hz) == pytest.approx(-10 * np.log10(1 + (hz / 2000) ** (2 * order)), abs=0.1)


def test_shelves_and_curves() -> None:
    low, high = edits.low_shelf(UNIT, 300, 6), edits.high_shelf(UNIT, 1000, -9)
    assert [gain_at(low, hz) for hz in (5, 300, 7900)] == pytest.approx([6, 3, 0], abs=0.1)
    assert [gain_at(high, hz) for hz in (5, 1000, 7900)] == pytest.approx([0, -4.5, -9], abs=0.3)
    drawn = edits.draw_curve(UNIT, {4000.0: 2.0, 100.0: -3.0, 1000.0: 0.0})
    halves = [gain_at(drawn, hz) for hz in (50, 100, 10**2.5, 2000, 7000)]
    assert halves == pytest.approx([-3, -3, -1.5, 1, 2], abs=0.1)


def test_tone_comes_early() -> None:
    high = edits.high_cut(UNIT, 2000)
    assert (np.cumsum(high.samples[:, 0] ** 2) / (high.samples**2).sum())[20] > 0.99


@pytest.mark.parametrize(
    "wrong",
    [
        lambda h: edits.width(h, -1),
        lambda h: edits.low_cut(h, 9000),
        lambda h: edits.low_cut(h, 100, 7),
        lambda h: edits.draw_curve(h, {}),
        lambda h: edits.high_shelf(h, 100, 99),
    ],
)
def test_what_is_out_of_range_says_what_is_allowed(
    wrong: Callable[[ImpulseResponse], ImpulseResponse],
) -> None:
    with pytest.raises(ParameterError, match="expected"):
        wrong(room(100))
