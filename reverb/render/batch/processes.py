"""The executor on this machine: a few worker processes, each with one task at a time.

Processes rather than threads: they are no slower (docs/batch.md), and a file that crashes a decoder costs one worker,
not the batch. They are started as commands rather than by `multiprocessing`, which would run the caller's script again
in each.
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
from reverb.render.batch.run_task import WorkerContext
from reverb.render.batch.tasks import Outcome, Task, TaskProgress, failed

Event: TypeAlias = TaskProgress | Outcome

_ATTEMPTS = 2
_POLL_SECONDS = 0.2  # on some systems Ctrl-C does not end a longer wait
_CLEANUP_SECONDS = 0.6  # for an interrupted worker
_CODE = "from reverb.render.batch.worker import main; main()"


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """A process, its current task, and a thread that queues the messages it sends."""

    def __init__(self, messages: "SimpleQueue[tuple[_Worker, Any]]") -> None:
        self.task: Task | None = None
        own_group: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            if sys.platform == "win32"
            else {"start_new_session": True}
        )  # a terminal's Ctrl-C goes to the batch alone, which then stops its workers
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE],  # imports from this process's sys.path only
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            },
            **own_group,
        )
        self._messages = messages
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        stream = cast(IO[bytes], self.process.stdout)
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError), stream:
            while True:
                self._messages.put((self, pickle.load(stream)))
        self._messages.put((self, None))

    def start(self, task: Task) -> None:
        self.task = task
        self.send(pickle.dumps(task))

    def send(self, data: bytes) -> None:
        stream = cast(IO[bytes], self.process.stdin)
        with contextlib.suppress(OSError):  # it died, which its listener reports
            stream.write(data)
            stream.flush()

    def close(self) -> None:
        """Ask the worker to end: at once if it is idle, or by cancelling its task."""
        with contextlib.suppress(OSError):
            cast(IO[bytes], self.process.stdin).close()

    def wait_or_kill(self, deadline: float) -> None:
        """Wait for the worker's end; kill it at the deadline."""
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(tasks: Iterable[Task], context: WorkerContext, workers: int) -> Iterator[Event]:
    """Run tasks in worker processes and yield their events.

    A worker that dies is replaced, and its task given to another; if that dies too, the task has failed. Closing the
    iterator interrupts the workers and waits for them, less than a second.

    Parameters
    ----------
    tasks : iterable of Task
    context : WorkerContext
    workers : int
        Number of processes.

    Raises
    ------
    ParameterError
        If an effect cannot be pickled.
    """
    waiting = deque(tasks)
    messages: SimpleQueue[tuple[_Worker, Any]] = SimpleQueue()
    lost: Counter[str] = Counter()
    data = _pickled(context)
    pool: list[_Worker] = []
    try:
        for _ in range(min(workers, len(waiting))):
            pool.append(_Worker(messages))
        for worker in pool:  # all of them start up while the first receives its data
            worker.send(data)
            worker.start(waiting.popleft())
        while any(worker.task for worker in pool):
            worker, message = _next(messages)
            if isinstance(message, TaskProgress):
                yield message
                continue
            if isinstance(message, str):
                raise ParameterError(f"an effect cannot be sent to another process ({message})")
            task, worker.task = worker.task, None
            if message is None:
                pool.remove(worker)
                worker.close()
                worker.wait_or_kill(0.0)
                if task is None:
                    continue
                lost[task.output] += 1
                if lost[task.output] < _ATTEMPTS:
                    waiting.appendleft(task)
                else:
                    message = failed(task, _death(task, worker.process.returncode))
                worker = _Worker(messages)
                pool.append(worker)
                worker.send(data)
            if isinstance(message, Outcome):
                yield message
            if waiting:
                worker.start(waiting.popleft())
    finally:
        for worker in pool:
            worker.close()
        deadline = time.monotonic() + _CLEANUP_SECONDS
        for worker in pool:
            worker.wait_or_kill(deadline)


def _next(messages: "SimpleQueue[tuple[_Worker, Any]]") -> tuple[_Worker, Any]:
    while True:
        with contextlib.suppress(Empty):
            return messages.get(timeout=_POLL_SECONDS)


def _pickled(context: WorkerContext) -> bytes:
    try:
        return pickle.dumps(context)
    except Exception as error:  # pickle raises errors of any type
        raise ParameterError(f"an effect cannot be sent to another process ({error})") from error


def _death(task: Task, status: int | None) -> str:
    how = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
    return f"{task.source}: its process died {_ATTEMPTS} times ({how}); the file may be damaged, or memory ran out"
