"""Remote control by MIDI (extra `midi`): controllers move parameters, program changes choose responses.

By default controller 91 (reverb send) moves the mix, 12 wet, 13 dry, 7 (volume) the gain, 80 bypasses and 81 mutes,
from 64 up; program n chooses response n. Learn mode gives any other controller to a parameter, and keeps it.
"""

import json
import platform
import threading
from pathlib import Path
from typing import Any

from reverb.errors import AudioFileError, DeviceError, ParameterError, missing_extra
from reverb.live.control.core import PARAMETERS, Controllable, choose, turn

DEFAULT_MAP = {91: "mix", 12: "wet", 13: "dry", 7: "gain", 80: "bypass", 81: "mute"}
_HIGHEST = 127
# What python-rtmidi has to be compiled with where it brings no wheel.
_COMPILING = {
    "Linux": "a compiler and ALSA: apt install build-essential pkg-config python3-dev libasound2-dev",
    "Darwin": "a compiler: xcode-select --install",
    "Windows": "a C++ compiler",
}


def map_file() -> Path:
    """Return where learnt controllers are kept."""
    import platformdirs

    return Path(platformdirs.user_config_dir("reverb")) / "midi.json"


class MidiMap:
    """Which controller moves which parameter.

    Parameters
    ----------
    path : path-like, optional
        Where to read it from, and to keep what is learnt; None keeps nothing.

    Attributes
    ----------
    controllers : dict of int to str
        Controller number to parameter.
    learning : str or None
        The parameter that the next controller moved will get.

    Raises
    ------
    AudioFileError
        If the file is there and is not such a map.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.controllers = dict(DEFAULT_MAP)
        self.learning: str | None = None
        if path is not None and path.exists():
            try:
                kept = {int(number): str(name) for number, name in json.loads(path.read_text()).items()}
            except (OSError, ValueError, AttributeError) as error:
                raise AudioFileError(f"{path}: no MIDI map ({error}); delete it to begin anew") from error
            self.controllers = {
                number: name
                for number, name in kept.items()
                if name in PARAMETERS and 0 <= number <= _HIGHEST
            }

    def learn(self, parameter: str | None) -> None:
        """Give the next controller that is moved to a parameter; None ends learning."""
        if parameter is not None and parameter not in PARAMETERS:
            raise ParameterError(f"parameter {parameter!r}; expected one of {', '.join(PARAMETERS)}")
        self.learning = parameter

    def assign(self, controller: int) -> str | None:
        """Give a controller to the parameter that is being learnt; return that parameter."""
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
    """Listens to a MIDI input until it is closed.

    Parameters
    ----------
    session : Controllable
    port : str
        A part of the input's name; empty takes the first there is.
    midi_map : MidiMap, optional
    backend : str, optional
        mido's, such as ``mido.backends.rtmidi/UNIX_JACK``.

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
        mido = _mido(backend)
        self.name = _find(mido, port)
        self._lock = threading.Lock()
        self._input = mido.open_input(self.name, callback=self.take)

    def close(self) -> None:
        """Stop listening."""
        self._input.close()

    def take(self, message: Any) -> None:
        """Act on a mido message; called by the MIDI thread."""
        if not self._session.started:
            return
        with self._lock:
            if message.type == "program_change":
                choose(self._session, message.program)
            elif message.type == "control_change":
                self._controlled(message.control, message.value)

    def _controlled(self, controller: int, value: int) -> None:
        if self.map.learning is not None:
            try:
                learnt = self.map.assign(controller)
            except OSError as error:
                self._session.tell(f"MIDI map not kept: {error}")
                return
            self._session.tell(f"MIDI controller {controller} now moves {learnt}")
        name = self.map.controllers.get(controller)
        if name is not None:
            turn(self._session, name, PARAMETERS[name].at(value / _HIGHEST))


def inputs(backend: str | None = None) -> list[str]:
    """Return the names of the MIDI inputs."""
    return _names(_mido(backend))


def _mido(backend: str | None) -> Any:
    try:
        import mido
        import rtmidi  # noqa: F401  # mido imports its back end only when a port is opened
    except ImportError as error:
        tools = _COMPILING.get(platform.system(), _COMPILING["Windows"])
        needs = f"MIDI needs mido and python-rtmidi, which is compiled on Python 3.13 and later (first install {tools})"
        raise missing_extra("midi", needs) from error
    return mido.Backend(backend) if backend else mido


def _names(mido: Any) -> list[str]:
    try:
        return [str(name) for name in mido.get_input_names()]
    except Exception as error:  # rtmidi raises an error class of its own for each system
        raise DeviceError(f"the MIDI system cannot be reached ({error})") from error


def _find(mido: Any, port: str) -> str:
    names = _names(mido)
    matches = [name for name in names if port.lower() in name.lower()]
    if not matches:
        raise DeviceError(
            f"no MIDI input {port!r}; there are: {'; '.join(names) or 'none'}. Connect one and try again"
        )
    return matches[0]
