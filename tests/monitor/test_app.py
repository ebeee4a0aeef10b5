"""The full screen, played by Textual's pilot."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reverb.live.control.midi import MidiMap
from tests.monitor.fakes import FakeSession

pytest.importorskip("textual")

from textual.widgets import Static

from reverb.monitor.app import Monitor

Script = Callable[[Any, Monitor], Awaitable[None]]


def run(session: FakeSession, script: Script, size: tuple[int, int] = (80, 24), **options: Any) -> Monitor:
    app = Monitor(session, **options)

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(pilot, app)

    asyncio.run(play())
    return app


def shown(app: Monitor, name: str) -> str:
    return str(app.query_one(f"#{name}", Static).render())


def test_the_screen_tells_the_session() -> None:
    async def script(pilot: Any, app: Monitor) -> None:
        assert "room  mono, 0.10 s" in shown(app, "title")
        assert "in  1" in shown(app, "input")
        assert "-12.0" in shown(app, "input")
        assert "CLIP" in shown(app, "output")
        assert "CLIP" not in shown(app, "input")
        assert "worst block 20.0% of 2.67 ms   xruns 3" in shown(app, "load")
        assert "█" in shown(app, "decay")
        assert len(shown(app, "decay").splitlines()) == 6
        session.messages.append("feedback at 440 Hz")
        app.show()
        assert "feedback at 440 Hz" in shown(app, "messages")
        await pilot.pause()

    session = FakeSession()
    run(session, script)


def test_keys_move_everything() -> None:
    async def script(pilot: Any, app: Monitor) -> None:
        await pilot.press("b", "m", "right", "left", "w", "w", "s", "e", "d", "d", "up", "down", "down")
        await pilot.press("plus", "plus", "minus", "c")
        assert "BYPASS" in shown(app, "levels")
        await pilot.press("r")
        assert "● take.wav" in shown(app, "load")
        await pilot.press("r", "b")
        assert "BYPASS" not in shown(app, "levels")

    session = FakeSession()
    run(session, script)
    assert (session.bypass, session.mute, session.recording) == (False, True, None)
    assert session.asked == [1, -1, "clear_alerts"]
    assert (session.wet, session.dry, session.gain) == (-5.0, -1.0, -1.0)
    assert session.mix == pytest.approx(0.35)


def test_faders_stop_at_their_ends_and_start_from_silence() -> None:
    async def script(pilot: Any, app: Monitor) -> None:  # noqa: ARG001
        session.wet = -math.inf
        await pilot.press("w")
        assert session.wet == -59.0
        await pilot.press("s", "s")
        assert session.wet == -math.inf
        session.gain = 12.0
        await pilot.press("up")
        assert session.gain == 12.0
        session.mix = None
        await pilot.press("plus")
        assert session.mix == 0.5
        session.mix = 1.0
        await pilot.press("plus")
        assert session.mix == 1.0

    session = FakeSession()
    run(session, script)


def test_help_comes_and_goes_and_learning_steps_through() -> None:
    midi_map = MidiMap()

    async def script(pilot: Any, app: Monitor) -> None:
        help_panel = app.query_one("#help", Static)
        assert not help_panel.display
        await pilot.press("h")
        assert help_panel.display
        assert not app.query_one("#decay", Static).display  # or the keys would not fit on 24 lines
        await pilot.pause()
        assert help_panel.region.bottom <= 23
        assert "quit" in shown(app, "help")
        await pilot.press("h", "l")
        assert not help_panel.display
        assert midi_map.learning == "mix"
        app.show()
        assert "move a MIDI controller for mix" in shown(app, "messages")
        for _ in range(6):
            await pilot.press("l")
        assert midi_map.learning is None

    run(FakeSession(), script, midi_map=midi_map)


def test_without_midi_learning_says_so() -> None:
    async def script(pilot: Any, app: Monitor) -> None:
        await pilot.press("l")
        app.show()
        assert "MIDI is off" in shown(app, "messages")

    run(FakeSession(), script)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_it_can_be_left(key: str) -> None:
    async def script(pilot: Any, app: Monitor) -> None:  # noqa: ARG001
        await pilot.press(key)

    app = run(FakeSession(), script)
    assert not app.is_running


def test_it_leaves_when_the_session_ends_or_the_time_is_over() -> None:
    async def until_closed(pilot: Any, app: Monitor) -> None:
        deadline = time.monotonic() + 20
        while app.return_code is None and time.monotonic() < deadline:
            await pilot.pause(0.02)

    async def ending(pilot: Any, app: Monitor) -> None:
        session.ended = True
        await until_closed(pilot, app)

    session = FakeSession()
    assert run(session, ending).return_code == 0
    assert run(FakeSession(), until_closed, duration=0.05).return_code == 0


def test_a_small_screen_does_no_harm() -> None:
    app = Monitor(FakeSession())

    async def play() -> None:
        async with app.run_test(size=(20, 6)) as pilot:
            await pilot.press("h")

    asyncio.run(play())
