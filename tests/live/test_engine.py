"""Levels, exchanges and new block sizes at the same time: nothing waits for a build, and nothing is lost."""

import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

import reverb
from reverb.live.session import Session
from tests.live.fakes import RATE, FakeCard

SETTLED = 20.0  # seconds after which a test has failed


def room(name: str, seed: int) -> reverb.ImpulseResponse:
    samples = (
        np.random.default_rng(seed).standard_normal((2400, 2)) * np.exp(-np.arange(2400) / 400)[:, np.newaxis]
    )
    return reverb.ImpulseResponse(samples, RATE, name)


FIRST, SECOND = reverb.Reverb(room("first", 0), mix=0.5), reverb.Reverb(room("second", 1), mix=0.1)
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


def move_everything(session: Session) -> None:
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
        ("reverb.live.engine:LiveProcessor", LATE),
        ("reverb.live.engine:StreamRunner.replace_processor", LATE),
    ],
)
def test_levels_move_while_another_effect_is_being_built(
    place: str, effect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = FakeCard()
    with Session(FIRST, open_stream=card.open, decide_setup=card.decide) as session:
        before = session.response
        blocked = block(monkeypatch, place)
        swapping = in_background(lambda: session.swap(effect))
        assert blocked.begun.wait(SETTLED)
        moving = in_background(lambda: move_everything(session))
        assert finished(moving), "a level waited for the build"
        assert (session.wet, session.gain) == pytest.approx((-12, -6))
        assert session.mix is None
        # It is announced only when the audio thread has been given it.
        assert session.effect is FIRST
        assert session.response is before
        blocked.go.set()
        assert finished(swapping)
        assert session.effect is effect
        assert session.gain == pytest.approx(-6)


def test_levels_move_while_a_new_block_size_is_being_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = threading.Event()
    card = FakeCard(lambda: (256 if changed.is_set() else 128 for _ in count()))
    with Session(FIRST, open_stream=card.open, decide_setup=card.decide) as session:
        blocked = block(monkeypatch, "reverb.live.engine:LiveProcessor")
        changed.set()
        assert blocked.begun.wait(SETTLED)
        assert finished(in_background(lambda: move_everything(session)))
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
    with Session(reverb.Gain(0.0), open_stream=card.open, decide_setup=card.decide) as session:
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
    other = room("other", 2)
    with Session(FIRST, open_stream=card.open, decide_setup=card.decide) as session:
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
    with Session(FIRST, open_stream=card.open, decide_setup=card.decide) as session:

        def move(name: str) -> None:
            for step in range(200):
                setattr(session, name, -float(step))

        threads = [in_background(lambda name=name: move(name)) for name in ("wet", "dry", "gain")]  # type: ignore[misc]
        assert all(finished(thread) for thread in threads)
        assert (session.wet, session.dry, session.gain) == pytest.approx((-199, -199, -199))
        convolver = session.engine.processor.convolver
        assert (convolver.wet_db, convolver.dry_db) == pytest.approx((-398, -398))


def test_a_refused_effect_changes_nothing() -> None:
    card = FakeCard()
    with Session(FIRST, open_stream=card.open, decide_setup=card.decide) as session:
        levels, response = session.levels, session.response
        with pytest.raises(reverb.ReverbError):
            session.swap(reverb.ImpulseResponse(np.ones((10, 6)), RATE, "3x2", "3x2"))
        with pytest.raises(reverb.ParameterError, match="effect is 'hall', no effect; expected"):
            session.swap("hall")  # type: ignore[arg-type]
        assert session.effect is FIRST
        assert session.levels is levels
        assert session.response is response
