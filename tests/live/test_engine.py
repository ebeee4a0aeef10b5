"""Levels, exchanges and new block sizes at the same time: nothing waits for a build, and nothing is lost.

Every use of a session but another exchange finishes while an exchange is held up at some step. So no lock is held
while a response is loaded, or a convolver built or warmed.
"""

import re
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reverb
from reverb.live.session import Session
from tests.conftest import ROOT
from tests.live.fakes import RATE, FakeCard, eventually, noise, open_session, room

SETTLED = 20.0  # seconds after which a test has failed


FIRST = reverb.Reverb(room(0.05, name="first", seed=0), mix=0.5)
SECOND = reverb.Reverb(room(0.05, name="second", seed=1), mix=0.1)
LATE = reverb.LowPass(2000, transition=1000)


class Blocked:
    """A function that waits before its work until it is let go."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self.begun.set()
        assert self.go.wait(SETTLED)
        return self._work(*arguments, **keywords)


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def finished(thread: threading.Thread) -> bool:
    thread.join(SETTLED)
    return not thread.is_alive()


def use_everything(session: Session, folder: Path) -> None:
    """Do all that a session allows, but exchange its effect."""
    session.meters(), session.stats(), session.levels, session.effect, session.response
    session.record(folder / "take.wav", overwrite=True)
    session.stop_recording()
    session.clear_alerts()
    session.transition = "spillover"
    session.request("no such response")
    session.mix = 0.25
    session.gain, session.mute, session.bypass = -6.0, True, True
    session.bypass = False
    session.mute = False
    session.wet = -12.0


def block(monkeypatch: pytest.MonkeyPatch, place: str) -> Blocked:
    """Let a function, by its module and name, wait before its work."""
    import importlib

    module, _, name = place.partition(":")
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    blocked = Blocked(getattr(owner, last))
    # A plain function, so that it becomes a method where it stands in a class.
    monkeypatch.setattr(owner, last, lambda *arguments, **keywords: blocked(*arguments, **keywords))
    return blocked


@pytest.mark.parametrize(
    ("place", "effect"),
    [
        ("reverb.live.engine:prepare", SECOND),
        ("reverb.live.engine:LiveProcessor.swap", SECOND),
        ("reverb.live.convolver:RealtimeConvolver", SECOND),
        ("reverb.engine.realtime.swap:SwappableConvolver.swap", SECOND),
        ("reverb.engine.realtime.swap:fade_curves", SECOND),
        ("reverb.live.engine:LiveProcessor", LATE),
        ("reverb.live.engine:StreamRunner.replace_processor", LATE),
    ],
)
def test_nothing_waits_while_another_effect_is_being_built(
    place: str, effect: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    card = FakeCard()
    with open_session(card, FIRST) as session:
        before = session.response
        blocked = block(monkeypatch, place)
        swapping = in_background(lambda: session.swap(effect))
        assert blocked.begun.wait(SETTLED)
        assert finished(in_background(lambda: use_everything(session, tmp_path))), "it waited for the build"
        card.stream.play(noise(1000))  # fails if the card is not served
        assert (session.wet, session.gain) == pytest.approx((-12, -6))
        assert session.mix is None
        # It is announced only when the audio thread has been given it.
        assert session.effect is FIRST
        assert session.response is before
        blocked.go.set()
        assert finished(swapping)
        assert session.effect is effect
        assert session.gain == pytest.approx(-6)


def test_nothing_waits_while_a_response_is_being_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    card, other = FakeCard(), room(0.05, name="other", seed=2)
    with open_session(card, FIRST, responses=[]) as session:
        blocked = Blocked(lambda _name: other)
        monkeypatch.setattr("reverb.store.library.impulse", blocked)
        session.request("other")
        assert blocked.begun.wait(SETTLED)
        assert finished(in_background(lambda: use_everything(session, tmp_path)))
        swapping = in_background(lambda: session.swap(SECOND))
        assert finished(swapping), "an exchange waited for another one's file"
        blocked.go.set()
        assert eventually(lambda: session.response.name == "other")


def test_nothing_waits_while_a_new_block_size_is_being_prepared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = threading.Event()
    card = FakeCard(lambda: (256 if changed.is_set() else 128 for _ in count()))
    with open_session(card, FIRST) as session:
        blocked = block(monkeypatch, "reverb.live.engine:LiveProcessor")
        changed.set()
        assert blocked.begun.wait(SETTLED)
        assert finished(in_background(lambda: use_everything(session, tmp_path)))
        assert session.stats().block_size == 128
        # An exchange that is asked for meanwhile comes after it, and into the new processor.
        swapping = in_background(lambda: session.swap(SECOND))
        blocked.go.set()
        assert finished(swapping)
        assert session.stats().block_size == 256
        assert session.effect is SECOND
        assert session.engine.processor.convolver.tail == session.response.frames - 1


def test_levels_that_moved_during_a_build_are_those_of_the_new_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = FakeCard()
    with open_session(card, reverb.Gain(0.0)) as session:
        blocked = block(monkeypatch, "reverb.live.engine:LiveProcessor")
        swapping = in_background(lambda: session.swap(LATE))
        assert blocked.begun.wait(SETTLED)
        session.gain, session.mute = -20.0, True
        blocked.go.set()
        assert finished(swapping)
        processor = session.engine.processor
        assert processor.convolver.wet_db == pytest.approx(-20)
        assert not processor.open


def test_a_response_chosen_while_another_effect_comes_goes_into_that(monkeypatch: pytest.MonkeyPatch) -> None:
    card = FakeCard()
    other = room(0.05, name="other", seed=2)
    with open_session(card, FIRST) as session:
        blocked = Blocked(lambda _name: other)
        monkeypatch.setattr("reverb.store.library.impulse", blocked)
        choosing = in_background(lambda: session.choose("other"))
        assert blocked.begun.wait(SETTLED)
        session.swap(SECOND)
        blocked.go.set()
        assert finished(choosing)
        assert session.effect == reverb.Reverb(other, mix=0.1)


def test_levels_moved_by_many_threads_are_all_kept() -> None:
    """Each thread moves a level of its own: a change built on levels read earlier would undo another's."""
    card = FakeCard()
    with open_session(card, FIRST) as session:

        def move(name: str) -> None:
            for step in range(200):
                setattr(session, name, -float(step))

        threads = [in_background(lambda name=name: move(name)) for name in ("wet", "dry", "gain")]  # type: ignore[misc]
        assert all(finished(thread) for thread in threads)
        assert (session.wet, session.dry, session.gain) == pytest.approx((-199, -199, -199))
        convolver = session.engine.processor.convolver
        assert (convolver.wet_db, convolver.dry_db) == pytest.approx((-398, -398))


def test_messages_between_threads_go_through_the_one_mailbox() -> None:
    """No other queue of one message, and none that locks, where the audio thread could meet it."""
    for folder in ("live", "engine"):
        for path in (ROOT / "reverb" / folder).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            assert not re.search(r"maxlen=1\b|\bimport queue|\bfrom queue|SimpleQueue", source), path


def test_a_refused_effect_changes_nothing() -> None:
    card = FakeCard()
    with open_session(card, FIRST) as session:
        levels, response = session.levels, session.response
        with pytest.raises(reverb.ReverbError):
            session.swap(reverb.ImpulseResponse(np.ones((10, 6)), RATE, "3x2", "3x2"))
        with pytest.raises(reverb.ParameterError, match="effect is 'hall', no effect; expected"):
            session.swap("hall")  # type: ignore[arg-type]
        assert session.effect is FIRST
        assert session.levels is levels
        assert session.response is response
