"""Renders in the background: a queue, a few workers, and the state of each render."""

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
"""Renders to a path and reports progress."""

_RUNNING: State = "running"
_WORKERS = 2  # each keeps several cores busy
_MAX_WAITING = 200
_MAX_KEPT, _MAX_KEPT_BYTES = 64, 4_000_000_000


class _CancelledError(Exception):
    """A render was cancelled."""


@dataclass
class Render:
    """One render: its name, its file, its state and progress."""

    name: str
    path: Path
    state: State = "queued"
    progress: float = 0.0
    report: RenderReport | None = None
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether the render is done, failed or cancelled."""
        return self.state in ("done", "failed", "cancelled")


class Renders:
    """A pool of workers with a bounded queue of renders.

    When too many renders have ended, the files of the oldest are removed.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WORKERS, "render")
        self._renders: OrderedDict[str, Render] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, path: Path, work: Work) -> str:
        """Queue a render, and return its id.

        Raises
        ------
        ParameterError
            If the queue is full.
        """
        render, id = Render(name, path), secrets.token_hex(8)
        with self._lock:
            if sum(not other.ended for other in self._renders.values()) >= _MAX_WAITING:
                raise ParameterError(
                    f"{_MAX_WAITING} renders are waiting already; wait until some of them end"
                )
            self._renders[id] = render
            self._remove_old()
        self._pool.submit(_run, render, work)
        return id

    def _remove_old(self) -> None:
        """Remove ended renders except the newest, so that neither their number nor their bytes grow without limit."""
        ended = [(key, other.path) for key, other in self._renders.items() if other.ended]
        kept = 0
        for number, (key, path) in enumerate(reversed(ended)):
            kept += path.stat().st_size if path.exists() else 0
            if number >= _MAX_KEPT or kept > _MAX_KEPT_BYTES:
                self._renders.pop(key)
                path.unlink(missing_ok=True)

    def get(self, id: str) -> Render:
        """Return a render, or raise UnknownNameError."""
        with self._lock:
            if id not in self._renders:
                raise UnknownNameError("this render is gone; start it again")
            return self._renders[id]

    def facts(self, id: str) -> dict[str, Any]:
        """Return the state of a render for JSON."""
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
        """Cancel a render: it never starts, or stops at its next block. The file of an ended one is removed."""
        render = self.get(id)
        render.stop.set()
        if render.ended:
            with self._lock:
                self._renders.pop(id, None)
            render.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Cancel all renders, and wait for them to end."""
        for render in list(self._renders.values()):
            render.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _run(render: Render, work: Work) -> None:
    def progress(done: int, total: int) -> None:
        if render.stop.is_set():
            raise _CancelledError
        render.progress = done / max(total, 1)

    try:
        progress(0, 1)
        render.state = _RUNNING
        render.report = work(render.path, progress)
        render.progress, render.state = 1.0, "done"
    except _CancelledError:
        render.state = "cancelled"
    except (ReverbError, OSError) as error:
        render.error, render.state = str(error), "failed"
    except BaseException as error:  # shown on the page, too
        render.error, render.state = f"{type(error).__name__}: {error}", "failed"
        raise
