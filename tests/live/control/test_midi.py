"""Remote control by MIDI messages, without hardware."""

import json
import sys
from pathlib import Path

import pytest

from reverb.errors import AudioFileError, DeviceError, MissingExtraError, ParameterError
from reverb.live.control.core import set_or_tell
from reverb.live.control.midi import MidiControl, MidiMap, inputs
from tests.live.control.fakes import ControlledSession

INF = float("inf")


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
    session = ControlledSession()
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


def test_learned_controllers_are_kept(midi: FakeMidi, tmp_path: Path) -> None:  # noqa: ARG001
    mido = pytest.importorskip("mido")
    session, path = ControlledSession(), tmp_path / "deep" / "midi.json"
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

    class Decoder(ControlledSession):
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


def test_a_broken_map_is_named(tmp_path: Path) -> None:
    (tmp_path / "midi.json").write_text("[1, 2")
    with pytest.raises(AudioFileError, match=r"midi\.json"):
        MidiMap(tmp_path / "midi.json")


def test_a_missing_midi_input_is_named(midi: FakeMidi) -> None:
    with pytest.raises(DeviceError, match="nanoKONTROL2"):
        MidiControl(ControlledSession(), "launchpad")
    midi._names = []
    with pytest.raises(DeviceError, match="available: none"):
        MidiControl(ControlledSession())
