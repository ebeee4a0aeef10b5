"""Requests for another response, granted in the background: preparing one takes longer than a key or a message may."""

import threading
from collections.abc import Callable

from reverb.errors import ReverbError


class Requests:
    """Grants requests one after the other; of those that come meanwhile only the last.

    Parameters
    ----------
    grant : callable
        Takes a response's name; what it raises is told.
    tell : callable
        Takes messages for the user.

    Attributes
    ----------
    pending : str or None
        What has been asked for and is not there yet.
    """

    def __init__(self, grant: Callable[[str], None], tell: Callable[[str], None]) -> None:
        self._grant, self._tell = grant, tell
        self.pending: str | None = None
        self._open = True
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="reverb-requests", daemon=True).start()

    def ask(self, name: str) -> None:
        """Ask for a response; returns at once."""
        self.pending = name
        self._wake.set()

    def close(self) -> None:
        """Grant nothing more; what is being prepared is not waited for."""
        self._open = False
        self._wake.set()

    def _run(self) -> None:
        while self._wake.wait() and self._open:
            self._wake.clear()
            wanted = self.pending
            if wanted is None:
                continue
            try:
                self._grant(wanted)
            except ReverbError as error:
                self._tell(str(error))
            if self.pending == wanted:
                self.pending = None
