"""The executor on this machine: a few worker processes, each with one task at a time.

Processes, not threads: they are no slower (docs/batch.md), and a file on which a decoder crashes takes one worker with
it, not the batch. They are started as commands of their own and not by `multiprocessing`, which would run the caller's
script once more in each.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import IO, Any, TypeAlias, cast

from reverb.errors import ParameterError
from reverb.render.batch.run_task import Workshop
from reverb.render.batch.tasks import Outcome, Share, Task, failed

Event: TypeAlias = Share | Outcome

_ATTEMPTS = 2
_HEARTBEAT = 0.2  # seconds; on some systems a longer wait would not end for Ctrl-C
_GRACE = 0.6  # seconds in which an interrupted worker cleans up
_CODE = "from reverb.render.batch.worker import main; main()"


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """One process, the task it has, and a thread that hands on what it says."""

    def __init__(self, said: "SimpleQueue[tuple[_Worker, Any]]") -> None:
        self.task: Task | None = None
        own_group: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            if sys.platform == "win32"
            else {"start_new_session": True}
        )  # a terminal's Ctrl-C is for the batch, which then stops its workers
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE],  # with this process's path, and no other folder before it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            },
            **own_group,
        )
        self._said = said
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        stream = cast(IO[bytes], self.process.stdout)
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError), stream:
            while True:
                self._said.put((self, pickle.load(stream)))
        self._said.put((self, None))

    def give(self, task: Task) -> None:
        self.task = task
        self.send(pickle.dumps(task))

    def send(self, data: bytes) -> None:
        stream = cast(IO[bytes], self.process.stdin)
        with contextlib.suppress(OSError):  # it died; its listener says so
            stream.write(data)
            stream.flush()

    def dismiss(self) -> None:
        """Let it end: at once where it is idle, by giving up its task where it is not."""
        with contextlib.suppress(OSError):
            cast(IO[bytes], self.process.stdin).close()

    def end(self, deadline: float) -> None:
        """Wait for its end, and bring it about at the deadline."""
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(tasks: Iterable[Task], workshop: Workshop, workers: int) -> Iterator[Event]:
    """Carry out tasks in worker processes, and give what happens.

    A worker that dies is replaced, and its task given to another; when that dies too, the task has failed. Closing the
    iterator interrupts the workers and waits for them, shorter than a second.

    Parameters
    ----------
    tasks : iterable of Task
    workshop : Workshop
    workers : int
        How many processes.

    Raises
    ------
    ParameterError
        If an effect cannot be handed to another process.
    """
    waiting = deque(tasks)
    said: SimpleQueue[tuple[_Worker, Any]] = SimpleQueue()
    lost: Counter[str] = Counter()
    data = _packed(workshop)
    crew: list[_Worker] = []
    try:
        for _ in range(min(workers, len(waiting))):
            crew.append(_Worker(said))
        for worker in crew:  # they all start up while the first receives its part
            worker.send(data)
            worker.give(waiting.popleft())
        while any(worker.task for worker in crew):
            worker, message = _next(said)
            if isinstance(message, Share):
                yield message
                continue
            if isinstance(message, str):
                raise ParameterError(f"an effect cannot be handed to another process ({message})")
            task, worker.task = worker.task, None
            if message is None:
                crew.remove(worker)
                worker.dismiss()
                worker.end(0.0)
                if task is None:
                    continue
                lost[task.output] += 1
                if lost[task.output] < _ATTEMPTS:
                    waiting.appendleft(task)
                else:
                    message = failed(task, _death(task, worker.process.returncode))
                worker = _Worker(said)
                crew.append(worker)
                worker.send(data)
            if isinstance(message, Outcome):
                yield message
            if waiting:
                worker.give(waiting.popleft())
    finally:
        for worker in crew:
            worker.dismiss()
        deadline = time.monotonic() + _GRACE
        for worker in crew:
            worker.end(deadline)


def _next(said: "SimpleQueue[tuple[_Worker, Any]]") -> tuple[_Worker, Any]:
    while True:
        with contextlib.suppress(Empty):
            return said.get(timeout=_HEARTBEAT)


def _packed(workshop: Workshop) -> bytes:
    try:
        return pickle.dumps(workshop)
    except Exception as error:  # pickle raises what it likes
        raise ParameterError(f"an effect cannot be handed to another process ({error})") from error


def _death(task: Task, status: int | None) -> str:
    how = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
    return (
        f"{task.source}: its process died {_ATTEMPTS} times ({how}); the file may be damaged, or memory short"
    )
