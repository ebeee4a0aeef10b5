"""Renders on their way: a queue, a few that run, and what became of each."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reverb.errors import ParameterError, ReverbError, UnknownNameError
from reverb.render.files import RenderReport
from reverb.render.job import Progress

State = Literal["queued", "running", "done", "failed", "cancelled"]
Work = Callable[[Path, Progress], RenderReport]
"""Renders into a path, and tells its progress."""

_RUNNING: State = "running"
_AT_ONCE = 2  # each keeps several cores busy
_MOST_WAITING = 200
_MOST_KEPT, _MOST_BYTES = 64, 4_000_000_000


class _GivenUpError(Exception):
    """Somebody has given a render up."""


@dataclass
class Render:
    """One render: what it is called, where its file is, how far it is."""

    name: str
    path: Path
    state: State = "queued"
    progress: float = 0.0
    report: RenderReport | None = None
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed", "cancelled")


class Renders:
    """A bounded pool of workers, and a queue before it in which renders wait rather than are dropped.

    Files of the oldest that have ended are removed when there are too many.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, "render")
        self._renders: OrderedDict[str, Render] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, path: Path, work: Work) -> str:
        """Queue a render, and return its id.

        Raises
        ------
        ParameterError
            If hundreds wait already.
        """
        render, id = Render(name, path), secrets.token_hex(8)
        with self._lock:
            if sum(not other.ended for other in self._renders.values()) >= _MOST_WAITING:
                raise ParameterError(f"{_MOST_WAITING} renders wait already; let some of them end first")
            self._renders[id] = render
            self._forget_old()
        self._pool.submit(_run, render, work)
        return id

    def _forget_old(self) -> None:
        """Remove what has ended but for the newest, so that neither their number nor their bytes grow on."""
        ended = [(key, other.path) for key, other in self._renders.items() if other.ended]
        kept = 0
        for number, (key, path) in enumerate(reversed(ended)):
            kept += path.stat().st_size if path.exists() else 0
            if number >= _MOST_KEPT or kept > _MOST_BYTES:
                self._renders.pop(key)
                path.unlink(missing_ok=True)

    def get(self, id: str) -> Render:
        """Return a render, or raise UnknownNameError."""
        with self._lock:
            if id not in self._renders:
                raise UnknownNameError("no such render any more; start it again")
            return self._renders[id]

    def facts(self, id: str) -> dict[str, Any]:
        """Return how far a render is, ready for JSON."""
        render = self.get(id)
        with self._lock:
            names = list(self._renders)
            before = sum(self._renders[key].state == "queued" for key in names[: names.index(id)])
        report = render.report
        return {
            "id": id,
            "name": render.name,
            "state": render.state,
            "progress": render.progress,
            "before": before,
            "error": render.error,
            "report": report
            and {
                "seconds": report.duration,
                "speed": report.speed,
                "clipped": report.clipped,
                "peak_db": max(report.peak_db, -200.0),
                "subtype": report.subtype,
            },
        }

    def cancel(self, id: str) -> None:
        """Give a render up: it never starts, or stops at its next block. One that has ended loses its file."""
        render = self.get(id)
        render.stop.set()
        if render.ended:
            with self._lock:
                self._renders.pop(id, None)
            render.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give up all that wait and run, and wait for their ends."""
        for render in list(self._renders.values()):
            render.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _run(render: Render, work: Work) -> None:
    def progress(done: int, total: int) -> None:
        if render.stop.is_set():
            raise _GivenUpError
        render.progress = done / max(total, 1)

    try:
        progress(0, 1)
        render.state = _RUNNING
        render.report = work(render.path, progress)
        render.progress, render.state = 1.0, "done"
    except _GivenUpError:
        render.state = "cancelled"
    except (ReverbError, OSError) as error:
        render.error, render.state = str(error), "failed"
    except BaseException as error:  # a worker's last chance to tell of it
        render.error, render.state = f"{type(error).__name__}: {error}", "failed"
        raise
