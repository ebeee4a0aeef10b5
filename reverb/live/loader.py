"""Requests for another response, served in the background: loading and preparing one takes up to seconds."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from reverb.errors import ReverbError
from reverb.mailbox import Latest


@dataclass(frozen=True, eq=False)
class _Request:
    """A request for a response; two requests for the same name are different ones."""

    name: str


class ResponseLoader:
    """Serves one request at a time; of the requests that arrive meanwhile, only the last.

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
        self._lock = threading.Lock()  # between those who request
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
            self._wake.clear()  # before the mailbox is read: a request that comes now wakes the next turn
            request = self._requests.take()
            if request is None:
                continue
            try:
                self._load(request.name)
            except Exception as error:  # of any kind: a dead thread would serve no later request
                self._tell(str(error) if isinstance(error, ReverbError) else f"{request.name}: {error!r}")
            self._served = request
