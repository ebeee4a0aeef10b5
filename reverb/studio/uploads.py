"""The browser's uploads, in a temporary folder, and the library's rooms: recordings and responses by id.

A request names a file by its id, never by a path. `close` removes the folder.
"""

import contextlib
import secrets
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from reverb.audiofiles.files import FORMATS, open_sound
from reverb.checks import whole
from reverb.errors import InvalidAudioError, ParameterError, ReverbError, UnknownNameError
from reverb.responses.response import ImpulseResponse, derived
from reverb.store import library
from reverb.store.library import Entry, measured_facts
from reverb.store.response_files import load_response

_MAX_CHANNELS = 2
_MAX_LIMIT = 1 << 50
_MAX_NAME = 80  # characters
_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of uploads: bytes of one file, and number of files of a kind."""

    recording_bytes: int = 500_000_000
    response_bytes: int = 50_000_000
    recordings: int = 12
    responses: int = 24

    def __post_init__(self) -> None:
        for name in ("recording_bytes", "response_bytes", "recordings", "responses"):
            whole(name, getattr(self, name), 0, _MAX_LIMIT)


@dataclass(frozen=True)
class Recording:
    """An uploaded recording; `path` is in the temporary folder."""

    name: str
    path: Path
    frames: int
    channels: int
    sample_rate: int
    subtype: str


@dataclass(frozen=True)
class Room:
    """A response of the library, or an uploaded one (`own`); `ir` is its name in a preset."""

    ir: str
    entry: Entry
    own: bool = False

    def load(self) -> ImpulseResponse:
        """Return the response."""
        return _loaded(self.entry.path, self.entry.name) if self.own else library.impulse(self.ir)


@lru_cache(maxsize=8)
def _loaded(path: Path, name: str) -> ImpulseResponse:
    response = load_response(path)
    # The name of a response without one is that of its file, which is a random number here.
    return derived(response, name=name) if response.name == path.stem else response


class Uploads:
    """The recordings and responses of a studio.

    Parameters
    ----------
    limits : Limits

    Attributes
    ----------
    rooms : dict of str to Room
        Those of the library, then the uploaded ones.
    recordings : dict of str to Recording
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._folder = tempfile.TemporaryDirectory(prefix="reverb-studio-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()
        self.rooms = {f"r{n}": Room(entry.name, entry) for n, entry in enumerate(library.entries())}
        self.recordings: dict[str, Recording] = {}
        self._max_rooms = len(self.rooms) + limits.responses

    def close(self) -> None:
        """Remove the temporary folder with all files."""
        self._folder.cleanup()

    def new_path(self, suffix: str = "") -> Path:
        """Return a new path in the temporary folder."""
        return Path(self._folder.name) / f"{secrets.token_hex(8)}{suffix}"

    def add_recording(self, path: Path, name: str) -> str:
        """Add a file of the folder as a recording, and return its id.

        Raises
        ------
        AudioFileError, InvalidAudioError
            If it cannot be read or has too many channels; the message calls it `name`.
        ParameterError
            If there are too many.
        """
        with errors_naming(path, name), open_sound(path) as sound:
            if sound.channels > _MAX_CHANNELS:
                raise InvalidAudioError(
                    f"{name}: has {sound.channels} channels; the studio plays one or two; use reverb apply for more"
                )
            recording = Recording(name, path, sound.frames, sound.channels, sound.samplerate, sound.subtype)
        return self._put(self.recordings, recording)

    def add_room(self, path: Path, name: str) -> str:
        """Add a file of the folder as an impulse response, and return its id; raises as `add_recording`."""
        stem = PurePosixPath(name).stem
        with errors_naming(path, name):
            response = _loaded(path, stem)
            if max(response.wiring.inputs, response.wiring.outputs) > _MAX_CHANNELS:
                raise InvalidAudioError(f"{name}: is {response.layout}; expected mono, stereo or true stereo")
            facts = measured_facts(response)
        entry = Entry(name=stem, path=path, origin=library.YOURS, **facts)
        return self._put(self.rooms, Room(name, entry, own=True))

    def remove(self, id: str) -> None:
        """Remove an upload and its file; rooms of the library stay."""
        with self._lock:
            room = self.rooms.get(id)
            if room is not None and room.own:
                self.rooms.pop(id).entry.path.unlink(missing_ok=True)
            if id in self.recordings:
                self.recordings.pop(id).path.unlink(missing_ok=True)

    def recording(self, id: object) -> Recording:
        """Return a recording by its id, or raise UnknownNameError."""
        return _found(self.recordings, id, "recording")

    def room(self, id: object) -> Room:
        """Return a response by its id, or raise UnknownNameError."""
        return _found(self.rooms, id, "impulse response")

    def check_space(self, items: Mapping[str, object]) -> None:
        """Raise ParameterError if `recordings` or `rooms` has reached its limit."""
        limit = self.limits.recordings if items is self.recordings else self._max_rooms
        if len(items) >= limit:
            raise ParameterError("the limit of uploads is reached; remove one first")

    def _put(self, items: dict[str, _Item], item: _Item) -> str:
        id = secrets.token_hex(8)
        with self._lock:
            self.check_space(items)
            items[id] = item
        return id


def recording_facts(id: str, recording: Recording) -> dict[str, Any]:
    """Return the facts that the page shows about a recording."""
    return {
        "id": id,
        "name": recording.name,
        "seconds": recording.frames / recording.sample_rate,
        "channels": recording.channels,
        "sample_rate": recording.sample_rate,
        "subtype": recording.subtype,
    }


def room_facts(id: str, room: Room) -> dict[str, Any]:
    """Return the facts that the page shows about a room."""
    entry = room.entry
    return {
        "id": id,
        "name": entry.name,
        "ir": room.ir,
        "own": room.own,
        "kind": entry.kind,
        "layout": entry.layout,
        "seconds": entry.seconds,
        "t30": entry.t30,
        "description": entry.description,
    }


def clean_name(text: str) -> str:
    """Return the browser's name of a file without folders and control characters.

    Raises
    ------
    ParameterError
        If its ending is not that of an audio format.
    """
    last = text.replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    suffix = PurePosixPath(name).suffix
    if suffix.lower() not in FORMATS:
        raise ParameterError(f"{name[-_MAX_NAME:]}: no audio file; expected {', '.join(FORMATS)}")
    return name.removesuffix(suffix)[:_MAX_NAME] + suffix


@contextlib.contextmanager
def errors_naming(path: Path, name: str) -> Iterator[None]:
    """Put a file's name in place of its temporary path in errors."""
    try:
        yield
    except ReverbError as error:
        raise type(error)(str(error).replace(str(path), name)) from error


def _found(items: Mapping[str, _Item], id: object, what: str) -> _Item:
    if not isinstance(id, str) or id not in items:
        raise UnknownNameError(f"no such {what} any more; reload the page")
    return items[id]
