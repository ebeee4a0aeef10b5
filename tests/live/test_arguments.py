"""Values of wrong types at every public door of live sound: an error of the package that names the argument."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reverb
from reverb.errors import NotRunningError, ParameterError, ReverbError
from reverb.live.cards import find_device
from reverb.live.control.core import set_parameter
from reverb.live.control.midi import MidiControl, MidiMap
from reverb.live.control.osc import OscControl
from reverb.live.play_record import card_setup, measure_latency, play_and_record
from reverb.live.session import Session
from reverb.live.settings import LiveSettings
from tests.live.control.fakes import ControlledSession
from tests.live.fakes import CARD, FakeCard, open_session, room

NAN = float("nan")
WRONG: list[Any] = [None, NAN, "text", b"bytes", 1j, [], {}, object(), np.ones((2, 3)), reverb.LowPass]
OTHER_NUMBERS: list[Any] = [NAN, "text", 1j, [1], object(), np.ones(2)]


def refused(attempt: Callable[[Any], object], values: list[Any], name: str) -> None:
    """Fail unless each value leads to an error of the package, which names the argument."""
    for value in values:
        with pytest.raises(ReverbError, match=name):
            attempt(value)


@pytest.fixture
def session() -> Iterator[Session]:
    with open_session(FakeCard(), reverb.Reverb(room(0.05), mix=0.5)) as running:
        yield running


def test_of_a_session() -> None:
    gain = reverb.Gain(0.0)
    refused(Session, WRONG, "effect")
    refused(lambda value: Session(gain, value), [3, "text", {}, gain], "settings")
    refused(lambda value: Session(gain, gain=value), [None, *OTHER_NUMBERS], "gain")
    refused(lambda value: Session(gain, transition=value), [None, NAN, 1, "jump", []], "transition")
    refused(lambda value: Session(gain, responses=value), ["hall", Path("hall.wav"), 5, NAN], "responses")
    refused(
        lambda value: Session(gain, responses=[value]),
        [None, NAN, object(), gain, [1.0]],
        "expected|sample rate",
    )


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("input_device", "output_device"), [NAN, 1.5, -1, [1], True, object()]),
        (("sample_rate", "block_size"), [*OTHER_NUMBERS, 0, 1.5, True]),
        (("latency",), [None, *OTHER_NUMBERS, -1]),
        (
            ("input_channels", "output_channels"),
            [*OTHER_NUMBERS[:3], [], [0], [NAN], ["1"], [1, 1], object()],
        ),
        (("input_file", "record"), ["", NAN, 1, b"bytes", [], object()]),
        (("loop", "overwrite", "limiter", "feedback_guard", "exclusive"), [None, *OTHER_NUMBERS, 2]),
    ],
)
def test_of_settings(names: tuple[str, ...], values: list[Any]) -> None:
    for name in names:
        refused(lambda value, name=name: LiveSettings(**{name: value}), values, name)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["mix", "wet", "dry", "gain", "bypass", "mute", "transition"])
def test_of_a_running_sessions_attributes(session: Session, name: str) -> None:
    before = getattr(session, name)
    refused(lambda value: setattr(session, name, value), [None, *OTHER_NUMBERS], name)
    assert getattr(session, name) == before


def test_of_a_running_sessions_methods(session: Session, tmp_path: Path) -> None:
    effect = session.effect
    refused(session.swap, WRONG, "effect")
    refused(session.choose, [None, NAN, 1, [], object()], "response")
    refused(session.request, [None, NAN, 1, [], object()], "response")
    refused(session.step, [None, *OTHER_NUMBERS, 0.5], "by")
    refused(session.wait, [*OTHER_NUMBERS, -1], "seconds")
    refused(session.record, [None, "", NAN, 1, [], object()], "path")
    refused(lambda value: session.record(tmp_path / "take.wav", value), [NAN, 1, [], object()], "dry")
    refused(
        lambda value: session.record(tmp_path / "take.wav", overwrite=value), [None, NAN, "yes"], "overwrite"
    )
    assert session.recording is None
    assert session.effect is effect


def test_of_cards_and_measurements() -> None:
    setup = FakeCard().decide(LiveSettings())
    refused(
        lambda value: find_device(value, "input", [CARD]), [NAN, 1.5, [1], True, object(), "text"], "device"
    )
    refused(lambda value: measure_latency(value), [3, "text", [], object()], "settings")
    refused(lambda value: card_setup(value, 1), [None, 3, "text", object()], "settings")
    refused(lambda value: card_setup(LiveSettings(), value), [None, *OTHER_NUMBERS, 0, 1.5], "sources")
    refused(
        lambda value: play_and_record(value, setup),
        [None, NAN, "text", 1j, [], np.ones(3), np.ones((3, 3)), np.full((3, 2), NAN), [[1.0], [1.0, 2.0]]],
        "sound",
    )


def test_of_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    controlled = ControlledSession()
    refused(lambda value: set_parameter(controlled, value, 1.0), [None, NAN, 1, "volume", []], "parameter")
    refused(lambda value: set_parameter(controlled, "mix", value), [None, *OTHER_NUMBERS], "mix")
    refused(MidiMap().learn, [NAN, 1, "volume", []], "parameter")
    pytest.importorskip("pythonosc")
    refused(lambda value: OscControl(controlled, value), [None, *OTHER_NUMBERS, -1, 65536], "port")
    refused(lambda value: OscControl(controlled, 0, value), [None, NAN, 1, []], "host")
    monkeypatch.setattr("reverb.live.control.midi._load_mido", lambda _backend: None)
    refused(lambda value: MidiControl(controlled, value), [None, NAN, 1, []], "port")
    assert controlled.mix == 0.3


def test_a_session_that_has_not_begun_says_so() -> None:
    waiting = Session(reverb.Gain(0.0))
    for use in (waiting.clear_alerts, waiting.stop_recording, lambda: waiting.swap(reverb.Gain(1.0))):
        with pytest.raises(NotRunningError, match="has not begun"):
            use()
    with pytest.raises(ParameterError, match="effect"):
        waiting.swap("hall")  # type: ignore[arg-type]


def test_the_old_name_of_clear_alerts_still_works(session: Session) -> None:
    with pytest.warns(DeprecationWarning, match=r"Session\.calm is now Session\.clear_alerts"):
        session.calm()
