"""A worker process of `processes`: reads tasks from standard input, writes outcomes to standard output.

Both ends belong to this program and exchange pickled values. When the input ends, because the batch was interrupted or
its process was killed, the worker cancels its task and removes the scratch folder.
"""

import _thread
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import BinaryIO

from reverb.render.batch.run_task import FoldedResponses, WorkerContext, run_task
from reverb.render.batch.tasks import Task, TaskProgress

_REPORT_SECONDS = 0.1  # between two reports about a task


def main() -> None:
    """Work until standard input ends."""
    # A worker started from a shell's background job inherits that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library's print must not mix with outcomes
    try:
        _work(sys.stdin.buffer, outbox)
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)  # the batch no longer listens


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
        if time.monotonic() - last >= _REPORT_SECONDS:
            last = time.monotonic()
            send(TaskProgress(task, done / max(total, 1)))

    return progress
