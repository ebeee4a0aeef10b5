"""The responses that a session can step through, and a thread that loads and prepares those requested."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypeAlias

from reverb.effects.effect import HasResponse
from reverb.effects.tree import first, replace_first
from reverb.errors import ParameterError, ReverbError, shown
from reverb.mailbox import Latest
from reverb.responses.response import ImpulseResponse
from reverb.store import library

Responses: TypeAlias = dict[str, ImpulseResponse | None]
"""Responses by name, in order; None stands for one of the library that has not been loaded."""


def list_responses(effect: HasResponse, chosen: Iterable[ImpulseResponse | str] | None) -> Responses:
    """Return the chosen responses, or else those of the library; the effect's own is added if it is not among them.

    Raises
    ------
    ParameterError
        If `chosen` is no iterable of responses and names.
    ReverbError
        If one of them cannot be loaded.
    """
    responses: Responses = {}
    if chosen is None:
        responses = dict.fromkeys(library.names())
    elif isinstance(chosen, str | PathLike) or not isinstance(chosen, Iterable):
        raise ParameterError(f"responses is {shown(repr(chosen))}; expected a list of responses or names")
    else:
        for response in map(library.as_response, chosen):
            responses[response.name] = response
    own = room_of(effect)
    if own is not None and own.name not in responses:
        responses = {own.name: own, **responses}
    return responses


def find_response(responses: Responses, name: Any) -> ImpulseResponse:
    """Return a response by its name, or one of the library or a file if it is not among them.

    Raises
    ------
    ParameterError
        If the name is no text and no path.
    UnknownNameError, AudioFileError, InvalidAudioError
        As `reverb.impulse`.
    """
    check_name(name)
    found = responses.get(name)
    return found if found is not None else library.impulse(name)


def check_name(name: object) -> None:
    """Raise ParameterError unless a response's name is a text or a path."""
    if not isinstance(name, str | PathLike):
        raise ParameterError(
            f"response is {shown(repr(name))}; expected the name of a response or the path of a file"
        )


def room_of(effect: HasResponse) -> ImpulseResponse | None:
    """Return the first impulse response inside an effect, or None."""
    return first(effect, ImpulseResponse)


def with_room(effect: HasResponse, room: ImpulseResponse) -> HasResponse:
    """Return an effect with its first impulse response replaced by `room`.

    Raises
    ------
    ParameterError
        If the effect has none.
    """
    if room_of(effect) is None:
        raise ParameterError(f"{effect!r} has no impulse response that could be exchanged; expected a reverb")
    return replace_first(effect, ImpulseResponse, lambda _: room)


@dataclass(frozen=True, eq=False)
class _Request:
    """A request for a response; two requests for the same name are different ones."""

    name: str


class ResponseLoader:
    """Serves requests for responses in a thread: one at a time, and of those that arrive meanwhile only the last.

    Parameters
    ----------
    load : callable
        Takes the name of a response; the errors it raises become messages.
    tell : callable
        Takes messages for the user.

    Notes
    -----
    Invariant: `_newest` is the last request; it has been served when it is `_served`, which only the loader's thread
    changes.
    """

    def __init__(self, load: Callable[[str], None], tell: Callable[[str], None]) -> None:
        self._load, self._tell = load, tell
        self._requests = Latest[_Request]()
        self._lock = threading.Lock()  # between requesting threads; not held while a response is loaded
        self._newest: _Request | None = None
        self._served: _Request | None = None
        self._open = True
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="reverb-loader", daemon=True).start()

    @property
    def pending(self) -> str | None:
        """The name of the last request, None if it has been served."""
        newest = self._newest
        return None if newest is None or newest is self._served else newest.name

    def request(self, name: str) -> None:
        """Request a response; returns at once."""
        request = _Request(name)
        with self._lock:
            self._newest = request
            self._requests.put(request)
        self._wake.set()

    def close(self) -> None:
        """Serve no more requests; does not wait for the one being served."""
        self._open = False
        self._wake.set()

    def _run(self) -> None:
        while self._wake.wait() and self._open:
            self._wake.clear()  # before the mailbox is read, so that a request that arrives now wakes the loop again
            request = self._requests.take()
            if request is None:
                continue
            try:
                self._load(request.name)
            except Exception as error:  # of any kind: a dead thread would serve no later request
                self._tell(str(error) if isinstance(error, ReverbError) else f"{request.name}: {error!r}")
            self._served = request
