"""The executor in this process, one task after the other: for files that no other process can see."""

from collections.abc import Generator, Iterable

from reverb.render.batch.run_task import FoldedResponses, Workshop, carry_out
from reverb.render.batch.tasks import Outcome, Task


def run(tasks: Iterable[Task], workshop: Workshop) -> Generator[Outcome]:
    """Carry out tasks, and give their outcomes."""
    responses = FoldedResponses()
    for task in tasks:
        yield carry_out(task, workshop, responses)
