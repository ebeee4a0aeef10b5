"""A worker process of `processes`: takes tasks from standard input, gives outcomes to standard output.

Both ends are this program's own and speak in pickled values. When the input ends, because the batch was interrupted or
the process that runs it was killed, the task at hand is given up and its scratch removed.
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

from reverb.render.batch.memory import keep_freed_memory
from reverb.render.batch.run_task import FoldedResponses, Workshop, carry_out
from reverb.render.batch.tasks import Share, Task

_PACE = 0.1  # seconds between two reports about a task


def main() -> None:
    """Work until standard input ends."""
    # What is inherited may be to ignore it, as in a shell's background jobs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    keep_freed_memory()
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no outcome
    try:
        _work(sys.stdin.buffer, outbox)
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)  # nothing is left to say, and nobody to say it to


def _work(inbox: BinaryIO, outbox: BinaryIO) -> None:
    def send(message: object) -> None:
        pickle.dump(message, outbox)
        outbox.flush()

    try:
        workshop: Workshop = pickle.load(inbox)
    except Exception as error:  # an effect of a class that only the caller's script knows
        send(f"{type(error).__name__}: {error}")
        return
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    threading.Thread(target=_receive, args=(inbox, tasks), daemon=True).start()
    responses = FoldedResponses()
    while (task := tasks.get()) is not None:
        send(carry_out(task, workshop, responses, _progress(task, send)))


def _receive(inbox: BinaryIO, tasks: "SimpleQueue[Task | None]") -> None:
    try:
        while True:
            tasks.put(pickle.load(inbox))
    except (EOFError, OSError, pickle.UnpicklingError):
        tasks.put(None)
        _thread.interrupt_main()


def _progress(task: Task, send: Callable[[Share], None]) -> Callable[[int, int], None]:
    """Return what tells the share that is done, a few times a second."""
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PACE:
            last = time.monotonic()
            send(Share(task, done / max(total, 1)))

    return progress
