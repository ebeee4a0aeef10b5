"""Show the progress of `reverb batch` and its summary."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from reverb.cli.results import clock, show_table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from reverb.render.batch.batch import Batch, BatchReport
    from reverb.render.batch.processes import Event
    from reverb.render.batch.tasks import Outcome, TaskProgress


class Quiet:
    """Print failures only, on stderr.

    Attributes
    ----------
    count : int
        Number of outputs that exist.
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: "Event") -> None:
        """Handle a `TaskProgress` or an `Outcome`."""
        from reverb.render.batch.tasks import Outcome

        if isinstance(event, Outcome):
            self.count += event.status != "failed"
            self.ended(event)
        else:
            self.progressed(event)

    def progressed(self, progress: "TaskProgress") -> None:
        """Show the progress of a task."""

    def ended(self, outcome: "Outcome") -> None:
        """Show the outcome of a task."""
        for line in _complaints(outcome):
            click.echo(line, err=True)


class Lines(Quiet):
    """Print a line for each outcome."""

    def ended(self, outcome: "Outcome") -> None:
        """Show the outcome of a task."""
        super().ended(outcome)
        click.echo(f"{outcome.status:<6}  {click.format_filename(outcome.task.output)}")


class Bars(Quiet):
    """Show an overall bar, a bar for each file in progress, and failures above them."""

    def __init__(self, progress: "Progress", planned: int) -> None:
        super().__init__()
        self._progress = progress
        self._overall = progress.add_task("all", total=planned, text=f"0 of {planned}")
        self._planned, self._ended, self._failed = planned, 0, 0
        self._bars: dict[str, TaskID] = {}
        self._shares: dict[str, float] = {}

    def progressed(self, progress: "TaskProgress") -> None:
        """Move the bar of a file, and the overall one."""
        output = progress.task.output
        if output not in self._bars:
            name = click.format_filename(output)
            self._bars[output] = self._progress.add_task(name, total=1.0, text=name)
        self._shares[output] = progress.done
        self._progress.update(self._bars[output], completed=progress.done)
        self._move_overall()

    def ended(self, outcome: "Outcome") -> None:
        """Show failures and warnings above the bars, and remove the file's bar."""
        for line in _complaints(outcome):
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        output = outcome.task.output
        self._ended += 1
        self._failed += outcome.status == "failed"
        self._shares.pop(output, None)
        if output in self._bars:
            self._progress.remove_task(self._bars.pop(output))
        self._move_overall()

    def _move_overall(self) -> None:
        text = f"{self._ended} of {self._planned}" + (f", {self._failed} failed" if self._failed else "")
        self._progress.update(self._overall, completed=self._ended + sum(self._shares.values()), text=text)


@contextlib.contextmanager
def listening(planned: "Batch", hidden: bool) -> Iterator[Quiet]:
    """Yield a listener for the events of a batch: bars on a terminal, lines elsewhere."""
    if hidden or not sys.stderr.isatty():
        yield Quiet() if hidden else Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(30),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress, len(planned.tasks))


def _complaints(outcome: "Outcome") -> list[str]:
    lines = [f"Warning: {text}" for text in outcome.record.get("warnings", []) if outcome.status == "done"]
    if outcome.error is not None and outcome.status == "failed":
        lines.append(f"Failed: {outcome.error}")
    return [click.format_filename(" ".join(line.split())) for line in lines]


def summary(report: "BatchReport") -> None:
    """Print the number of outputs of each effect, and the time taken."""
    rows = [["effect", "done", "kept", "failed", "sound"]]
    for name, part in [*report.by_treatment().items(), ("all", report)]:
        counts = [str(part.count(status)) for status in ("done", "kept", "failed")]
        rows.append([name, *counts, clock(part.duration)])
    if len(rows) == 3:  # with one effect, its row equals the total
        del rows[1]
    show_table(rows)
    speed = f", {report.duration / report.seconds:.0f} x real time" if report.duration else ""
    click.echo(f"{report.seconds:.1f} s{speed}")
