"""Remote control: OSC over loopback, MIDI messages, and the parameters they share."""

import json
import socket
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from reverb.errors import AudioFileError, DeviceError, MissingExtraError, ParameterError
from reverb.live.control.core import PARAMETERS, request_number, set_or_tell, set_parameter
from reverb.live.control.midi import MidiControl, MidiMap, inputs
from reverb.live.control.osc import OscControl

INF = float("inf")


class Remembering:
    """A session that only remembers."""

    def __init__(self) -> None:
        self.started = True
        self.mix: float | None = 0.3
        self.wet, self.dry, self.gain, self.bypass, self.mute = 0.0, 0.0, 0.0, False, False
        self.responses = ("a", "b", "c")
        self.asked: list[object] = []
        self.messages: deque[str] = deque()

    def request(self, response: str) -> None:
        self.asked.append(response)

    def step(self, by: int) -> None:
        self.asked.append(by)

    def toggle_recording(self) -> None:
        self.asked.append("record")

    def tell(self, message: str) -> None:
        self.messages.append(message)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("mix", 0.5, 0.5),
        ("mix", 7.0, 1.0),
        ("mix", -1.0, 0.0),
        ("wet", -12.0, -12.0),
        ("wet", -60.0, -INF),
        ("dry", -INF, -INF),
        ("gain", 99.0, 12.0),
        ("bypass", 1.0, True),
        ("mute", 0.2, False),
    ],
)
def test_parameters_are_held_to_their_range(name: str, value: float, expected: object) -> None:
    session = Remembering()
    set_parameter(session, name, value)
    assert getattr(session, name) == expected


def test_what_is_no_parameter_or_no_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="parameter is 'volume'; expected 'mix' or"):
        set_parameter(Remembering(), "volume", 1.0)
    with pytest.raises(ParameterError, match="mix is nan; expected a number"):
        set_parameter(Remembering(), "mix", float("nan"))


def test_faders_reach_both_ends() -> None:
    assert PARAMETERS["mix"].at(0.0) == 0.0
    assert PARAMETERS["mix"].at(1.0) == 1.0
    assert PARAMETERS["wet"].at(0.0) == -INF
    assert PARAMETERS["wet"].at(1.0) == 6.0
    assert PARAMETERS["bypass"].at(0.6) == 1.0


def test_choosing_by_number() -> None:
    session = Remembering()
    for number in (1, 99, -3):
        request_number(session, number)
    assert session.asked == ["b", "c", "a"]


@pytest.fixture
def osc():  # type: ignore[no-untyped-def]
    """A session, what listens for it, and what sends to it and waits for a last word to have arrived."""
    udp_client = pytest.importorskip("pythonosc.udp_client")
    session = Remembering()
    control = OscControl(session, 0)
    client = udp_client.SimpleUDPClient("127.0.0.1", control.port)

    def send(*messages: tuple[str, object]) -> None:
        for address, value in messages:
            client.send_message(address, value)
        client.send_message("/reverb/response", "last word")
        deadline = time.monotonic() + 5
        while "last word" not in session.asked and time.monotonic() < deadline:
            time.sleep(0.005)
        session.asked.remove("last word")

    yield session, control, send
    client.close()
    control.close()


def test_every_osc_address(osc) -> None:  # type: ignore[no-untyped-def]
    session, control, send = osc
    send(
        ("/reverb/mix", 0.75),
        ("/reverb/wet", -6),
        ("/reverb/dry", -60.0),
        ("/reverb/gain", 3.0),
        ("/reverb/bypass", True),
        ("/reverb/mute", 1),
        ("/reverb/response", "church"),
        ("/reverb/response", 2),
        ("/reverb/next", []),
        ("/reverb/previous", 1.0),
        ("/reverb/previous", 0.0),
        ("/reverb/record", []),
    )
    assert (session.mix, session.wet, session.dry, session.gain, session.bypass, session.mute) == (
        0.75,
        -6,
        -INF,
        3,
        True,
        True,
    )
    assert session.asked == ["church", "c", 1, -1, "record"]
    assert control.refused == 0


def test_osc_that_means_nothing_is_counted_and_said(osc) -> None:  # type: ignore[no-untyped-def]
    session, control, send = osc
    bad = [
        ("/reverb/volume", 1.0),
        ("/other/mix", 1.0),
        ("/reverb/mix", "loud"),
        ("/reverb/mix", []),
        ("/reverb/mix", float("nan")),
        ("/reverb/response", []),
        ("/reverb/next", "x"),
    ]
    send(*bad)
    assert control.refused == len(bad)
    assert len(session.messages) == len(bad)
    assert session.mix == 0.3


def test_osc_rubbish_does_no_harm(osc) -> None:  # type: ignore[no-untyped-def]
    session, control, send = osc
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in (b"", b"\x00", b"/reverb/mix", b"#bundle\x00rubbish", bytes(range(256))):
            sender.sendto(packet, ("127.0.0.1", control.port))
    send(("/reverb/mix", 0.6))
    assert session.mix == pytest.approx(0.6)


def test_osc_before_the_start_is_ignored(osc) -> None:  # type: ignore[no-untyped-def]
    session, control, send = osc
    session.started = False
    control.receive("/reverb/mix", 0.6)
    session.started = True
    send()
    assert session.mix == 0.3


def test_a_port_in_use_is_named(osc) -> None:  # type: ignore[no-untyped-def]
    _, control, _ = osc
    with pytest.raises(DeviceError, match=f"127.0.0.1:{control.port}"):
        OscControl(Remembering(), control.port)


class FakeMidi:
    """mido with two inputs and no hardware."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self.closed = False

    def get_input_names(self) -> list[str]:
        return self._names

    def open_input(self, name: str, callback: object) -> "FakeMidi":
        self.opened, self.callback = name, callback
        return self

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def midi(monkeypatch: pytest.MonkeyPatch) -> FakeMidi:
    fake = FakeMidi(["Through Port", "nanoKONTROL2 MIDI 1"])
    monkeypatch.setattr("reverb.live.control.midi._load_mido", lambda _backend: fake)
    return fake


@pytest.mark.parametrize(
    ("system", "needs"), [("Linux", "libasound2-dev"), ("Darwin", "xcode-select"), ("Other", "C\\+\\+")]
)
def test_without_midi_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, system: str, needs: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(MissingExtraError, match=rf"{needs}.*pip install .*\[midi\]"):
        inputs()


def test_midi_moves_and_chooses(midi: FakeMidi) -> None:
    mido = pytest.importorskip("mido")
    session = Remembering()
    control = MidiControl(session, "nano")
    assert midi.opened == control.name == "nanoKONTROL2 MIDI 1"
    for controller, value in ((91, 127), (12, 0), (13, 127), (7, 127), (80, 100), (81, 0), (3, 50)):
        control.receive(mido.Message("control_change", control=controller, value=value))
    control.receive(mido.Message("program_change", program=1))
    control.receive(mido.Message("note_on", note=60))
    assert (session.mix, session.wet, session.dry, session.gain) == (1.0, -INF, 6.0, 12.0)
    assert (session.bypass, session.mute, session.asked) == (True, False, ["b"])
    control.close()
    assert midi.closed


def test_learnt_controllers_are_kept(midi: FakeMidi, tmp_path: Path) -> None:  # noqa: ARG001
    mido = pytest.importorskip("mido")
    session, path = Remembering(), tmp_path / "deep" / "midi.json"
    control = MidiControl(session, midi_map=MidiMap(path))
    control.map.learn("mix")
    control.receive(mido.Message("control_change", control=20, value=127))
    assert session.mix == 1.0
    assert session.messages[-1] == "MIDI controller 20 now moves mix"
    control.receive(
        mido.Message("control_change", control=91, value=0)
    )  # what moved it before no longer does
    assert session.mix == 1.0
    assert json.loads(path.read_text())["20"] == "mix"
    again = MidiMap(path)
    assert again.controllers == control.map.controllers
    with pytest.raises(ParameterError, match="volume"):
        again.learn("volume")


def test_a_knob_that_is_refused_tells_why(midi: FakeMidi) -> None:
    mido = pytest.importorskip("mido")

    class Decoder(Remembering):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "bypass" and value:
                raise ParameterError("no place for a dry sound")
            super().__setattr__(name, value)

    session = Decoder()
    set_or_tell(session, "bypass", True)
    control = MidiControl(session, midi.get_input_names()[-1])
    control.receive(mido.Message("control_change", control=80, value=127))
    assert list(session.messages) == ["no place for a dry sound"] * 2
    set_or_tell(session, "dry", -3.0)
    assert (session.bypass, session.dry) == (False, -3.0)


def test_a_spoilt_map_is_named(tmp_path: Path) -> None:
    (tmp_path / "midi.json").write_text("[1, 2")
    with pytest.raises(AudioFileError, match=r"midi\.json"):
        MidiMap(tmp_path / "midi.json")


def test_a_missing_midi_input_is_named(midi: FakeMidi) -> None:
    with pytest.raises(DeviceError, match="nanoKONTROL2"):
        MidiControl(Remembering(), "launchpad")
    midi._names = []
    with pytest.raises(DeviceError, match="available: none"):
        MidiControl(Remembering())
