"""The stream of a card that is a thread: its block sizes, its xruns, and a card that never calls back."""

from itertools import cycle
from typing import Any

import pytest

import reverb
from reverb.errors import DeviceError
from reverb.live.session import Session
from tests.live.fakes import FakeCard, Flags, eventually, open_session, room, settle, then


def test_varying_blocks_are_asked_for_as_equal_ones() -> None:
    card = FakeCard(lambda: cycle([441, 440, 480]))
    with open_session(card, reverb.Reverb(room())) as session:
        assert session.stats().block_size == 512
        assert [stream.closed for stream in card.streams] == [True, False]


def test_a_changed_block_size_is_followed() -> None:
    with open_session(FakeCard(then(*[128] * 40, 256)), reverb.Reverb(room())) as session:
        assert eventually(lambda: session.stats().block_size == 256)
        assert eventually(lambda: "the card now uses blocks of 256 frames" in session.messages)


def test_a_card_that_never_calls_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverb.live.stream._MAX_SILENT_SECONDS", 0.1)
    card = FakeCard()

    def silent(*arguments: Any) -> Any:
        stream = card.open(*arguments)
        stream.stalled = True
        return stream

    with (
        pytest.raises(DeviceError, match="requests no sound"),
        Session(reverb.Gain(0.0), open_stream=silent, decide_setup=card.decide),
    ):
        pass
    assert card.stream.closed


def test_xruns_are_counted() -> None:
    card = FakeCard()
    with open_session(card, reverb.Gain(0.0)) as session:
        for flags in (Flags(overflow=True), Flags(underflow=True), Flags(overflow=True, underflow=True)):
            card.stream.status = flags
            assert eventually(lambda: card.stream.status is None)
        settle(session)
        stats = session.stats()
    assert (stats.overflows, stats.underflows, stats.xruns) == (2, 2, 3)
