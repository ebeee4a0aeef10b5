"""The executor on this machine: a few worker processes, each with one task at a time.

Processes rather than threads: they are no slower (docs/batch.md), and a file that crashes a decoder costs one worker,
not the batch. They are started as commands rather than by `multiprocessing`, which would run the caller's script again
in each.

`run` sends a worker pickled values through its standard input: first the context, then tasks. The worker (`main`)
answers through its standard output: progress, outcomes, or a text if it cannot read the context. When a worker's input
ends, because the batch was interrupted or its process was killed, the worker cancels its task and removes the scratch
folder.
"""

import _thread
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import IO, Any, BinaryIO, TypeAlias, cast

from reverb.errors import ParameterError
from reverb.render.batch.run_task import FoldedResponses, WorkerContext, run_task
from reverb.render.batch.tasks import Outcome, Task, TaskProgress, failed

Event: TypeAlias = TaskProgress | Outcome

_MAX_ATTEMPTS = 2
_POLL_SECONDS = 0.2  # on some systems Ctrl-C does not end a longer wait
_CLEANUP_SECONDS = 0.6  # for an interrupted worker
_PROGRESS_SECONDS = 0.1  # between two messages about a task
_CODE = "from reverb.render.batch.processes import main; main()"


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# -- the batch's side -----------------------------------------------------------------------------------------


class _Worker:
    """A process, its current task, and a thread that queues the messages it sends."""

    def __init__(self, messages: "SimpleQueue[tuple[_Worker, Any]]") -> None:
        self.task: Task | None = None
        own_group: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            if sys.platform == "win32"
            else {"start_new_session": True}
        )  # a terminal's Ctrl-C reaches the batch only, which then stops its workers
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
        """End the worker: immediately if it is idle, otherwise by cancelling its task."""
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
    deaths: Counter[str] = Counter()
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
                raise _not_picklable(message)
            task, worker.task = worker.task, None
            if message is None:
                pool.remove(worker)
                worker.close()
                worker.wait_or_kill(0.0)
                if task is None:
                    continue
                deaths[task.output] += 1
                if deaths[task.output] < _MAX_ATTEMPTS:
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
        raise _not_picklable(str(error)) from error


def _not_picklable(reason: str) -> ParameterError:
    return ParameterError(f"an effect cannot be sent to another process ({reason})")


def _death(task: Task, status: int | None) -> str:
    how = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
    return f"{task.source}: its process died {_MAX_ATTEMPTS} times ({how}); the file may be damaged, or memory ran out"


# -- the worker's side ----------------------------------------------------------------------------------------


def main() -> None:
    """Run tasks in a worker process until standard input ends."""
    # A worker of a shell's background job inherits that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library's print must not mix with the messages
    try:
        _work(sys.stdin.buffer, outbox)
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)  # the batch no longer reads messages


def _work(inbox: BinaryIO, outbox: BinaryIO) -> None:
    def send(message: object) -> None:
        pickle.dump(message, outbox)
        outbox.flush()

    try:
        context: WorkerContext = pickle.load(inbox)
    except Exception as error:  # an effect whose class is defined in the caller's script
        send(f"{type(error).__name__}: {error}")
        return
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    threading.Thread(target=_receive, args=(inbox, tasks), daemon=True).start()
    responses = FoldedResponses()
    while (task := tasks.get()) is not None:
        send(run_task(task, context, responses, _progress(task, send)))


def _receive(inbox: BinaryIO, tasks: "SimpleQueue[Task | None]") -> None:
    try:
        while True:
            tasks.put(pickle.load(inbox))
    except (EOFError, OSError, pickle.UnpicklingError):
        tasks.put(None)
        _thread.interrupt_main()


def _progress(task: Task, send: Callable[[TaskProgress], None]) -> Callable[[int, int], None]:
    """Return a callback that sends the progress of a task, at most ten times a second."""
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_SECONDS:
            last = time.monotonic()
            send(TaskProgress(task, done / max(total, 1)))

    return progress
