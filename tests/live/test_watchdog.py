"""The watchdog: the loss of a card ends the session, and is raised where the session is used."""

# ruff: noqa: PT012  # what a session raises, it raises where its block ends

from pathlib import Path

import pytest
import soundfile

import reverb
from reverb.errors import DeviceLostError
from tests.live.fakes import RATE, FakeCard, eventually, noise, open_session, room


def test_a_card_that_goes_away_ends_the_session_and_keeps_the_recording(tmp_path: Path) -> None:
    card = FakeCard()
    path = tmp_path / "kept.wav"
    with (
        pytest.raises(DeviceLostError, match="was lost"),
        open_session(card, reverb.Reverb(room()), record=path) as session,
    ):
        card.stream.play(noise())
        card.stream.active = False
        session.wait(5)
    assert soundfile.info(path).frames > RATE // 4
    assert session.stats().recorded == soundfile.info(path).frames


def test_leaving_the_block_tells_of_a_lost_card() -> None:
    card = FakeCard()
    with pytest.raises(DeviceLostError), open_session(card, reverb.Reverb(room())) as session:
        card.stream.active = False
        assert eventually(lambda: session.ended)


def test_a_card_that_stops_calling_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    card = FakeCard()
    with (
        pytest.raises(DeviceLostError, match="requested no sound"),
        open_session(card, reverb.Gain(0.0)) as session,
    ):
        card.stream.stalled = True
        monkeypatch.setattr("reverb.live.stream._MAX_SILENT_SECONDS", 0.2)
        session.wait(20)
