"""Remote control by MIDI (extra `midi`): controllers set parameters, program changes select responses.

By default controller 91 (reverb send) sets the mix, 12 wet, 13 dry, 7 (volume) the gain; 80 bypasses and 81 mutes from
value 64 on; program n selects response n. Learning assigns any other controller to a parameter permanently.
"""

import json
import platform
import threading
from pathlib import Path
from typing import Any

from reverb.audiofiles.outputs import PathLike
from reverb.checks import instance, one_of
from reverb.errors import AudioFileError, DeviceError, missing_extra
from reverb.live.control.core import PARAMETERS, Controllable, request_number, set_or_tell

DEFAULT_MAP = {91: "mix", 12: "wet", 13: "dry", 7: "gain", 80: "bypass", 81: "mute"}
_MAX_VALUE = 127  # of a controller, and its highest number
# Needed to compile python-rtmidi where there is no wheel of it.
_COMPILERS = {
    "Linux": "a compiler and ALSA: apt install build-essential pkg-config python3-dev libasound2-dev",
    "Darwin": "a compiler: xcode-select --install",
    "Windows": "a C++ compiler",
}


def map_file() -> Path:
    """Return the path of the file for learned assignments."""
    import platformdirs

    return Path(platformdirs.user_config_dir("reverb")) / "midi.json"


class MidiMap:
    """Assignments of controllers to parameters.

    Parameters
    ----------
    path : path-like, optional
        File to read, and to write when a controller is learned; by default nothing is stored.

    Attributes
    ----------
    controllers : dict of int to str
        Controller number to parameter.
    learning : str or None
        The parameter to which the next controller that moves is assigned.

    Raises
    ------
    AudioFileError
        If the file exists but does not contain assignments.
    """

    def __init__(self, path: PathLike | None = None) -> None:
        self._path = path = None if path is None else Path(path)
        self.controllers = dict(DEFAULT_MAP)
        self.learning: str | None = None
        if path is not None and path.exists():
            try:
                stored = {int(number): str(name) for number, name in json.loads(path.read_text()).items()}
            except (OSError, ValueError, AttributeError) as error:
                raise AudioFileError(
                    f"{path} is not a MIDI map ({error}); delete it to restore the defaults"
                ) from error
            self.controllers = {
                number: name
                for number, name in stored.items()
                if name in PARAMETERS and 0 <= number <= _MAX_VALUE
            }

    def learn(self, parameter: str | None) -> None:
        """Assign the next controller that moves to a parameter; with None, assign none."""
        if parameter is not None:
            one_of("parameter", parameter, PARAMETERS)
        self.learning = parameter

    def assign(self, controller: int) -> str | None:
        """Assign a controller to the parameter that is being learned; return the parameter, None if none is."""
        parameter, self.learning = self.learning, None
        if parameter is None:
            return None
        others = {number: name for number, name in self.controllers.items() if name != parameter}
        self.controllers = {**others, controller: parameter}
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self.controllers, indent=2))
        return parameter


class MidiControl:
    """Receives messages of a MIDI input until it is closed.

    Parameters
    ----------
    session : Controllable
    port : str
        A part of the input's name; by default the first input.
    midi_map : MidiMap, optional
    backend : str, optional
        Backend of mido, such as ``mido.backends.rtmidi/UNIX_JACK``.

    Attributes
    ----------
    name : str
        Of the input.

    Raises
    ------
    MissingExtraError
        If mido or python-rtmidi is not installed.
    DeviceError
        If there is no such input.
    """

    def __init__(
        self,
        session: Controllable,
        port: str = "",
        midi_map: MidiMap | None = None,
        backend: str | None = None,
    ) -> None:
        self._session = session
        self.map = midi_map or MidiMap()
        mido = _load_mido(backend)
        self.name = _find_input(mido, instance("port", port, str, "a part of a MIDI input's name"))
        self._lock = threading.Lock()
        self._input = mido.open_input(self.name, callback=self.receive)

    def close(self) -> None:
        """Stop receiving."""
        self._input.close()

    def receive(self, message: Any) -> None:
        """Act on a message of mido; called by the MIDI thread."""
        if not self._session.started:
            return
        with self._lock:
            if message.type == "program_change":
                request_number(self._session, message.program)
            elif message.type == "control_change":
                self._set(message.control, message.value)

    def _set(self, controller: int, value: int) -> None:
        if self.map.learning is not None:
            try:
                learned = self.map.assign(controller)
            except OSError as error:
                self._session.tell(f"MIDI map not saved: {error}")
                return
            self._session.tell(f"MIDI controller {controller} now moves {learned}")
        name = self.map.controllers.get(controller)
        if name is not None:
            set_or_tell(self._session, name, PARAMETERS[name].at(value / _MAX_VALUE))


def inputs(backend: str | None = None) -> list[str]:
    """Return the names of the MIDI inputs."""
    return _names(_load_mido(backend))


def _load_mido(backend: str | None) -> Any:
    try:
        import mido
        import rtmidi  # noqa: F401  # mido imports its backend only when a port is opened
    except ImportError as error:
        tools = _COMPILERS.get(platform.system(), _COMPILERS["Windows"])
        needs = f"MIDI needs mido and python-rtmidi, which is compiled on Python 3.13 and later (first install {tools})"
        raise missing_extra("midi", needs) from error
    return mido.Backend(backend) if backend else mido


def _names(mido: Any) -> list[str]:
    try:
        return [str(name) for name in mido.get_input_names()]
    except Exception as error:  # rtmidi has another error class on each system
        raise DeviceError(f"the MIDI system cannot be reached ({error})") from error


def _find_input(mido: Any, port: str) -> str:
    names = _names(mido)
    matches = [name for name in names if port.lower() in name.lower()]
    if not matches:
        raise DeviceError(
            f"no MIDI input {port!r}; available: {'; '.join(names) or 'none'}. Connect one and try again"
        )
    return matches[0]
