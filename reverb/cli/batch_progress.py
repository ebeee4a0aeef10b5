"""What `reverb batch` shows while it works, and at the end."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from reverb.cli.rendering import clock
from reverb.cli.tables import show_table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from reverb.render.batch.batch import Batch, BatchReport
    from reverb.render.batch.tasks import Outcome


class Quiet:
    """Shows failures alone, on stderr.

    Attributes
    ----------
    count : int
        Outputs that are there.
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: Any) -> None:
        """Take note of a `TaskProgress` or an `Outcome`."""
        if hasattr(event, "status"):
            self.count += event.status != "failed"
            self.ended(event)

    def ended(self, outcome: "Outcome") -> None:
        """Show what came of a task."""
        for line in _complaints(outcome):
            click.echo(line, err=True)


class Lines(Quiet):
    """Shows a line for each outcome."""

    def ended(self, outcome: "Outcome") -> None:
        """Show what came of a task."""
        super().ended(outcome)
        click.echo(f"{outcome.status:<6}  {click.format_filename(outcome.task.output)}")


class Bars(Quiet):
    """Shows an overall bar, one for each file at hand, and failures above them."""

    def __init__(self, progress: "Progress", planned: int) -> None:
        super().__init__()
        self._progress = progress
        self._whole = progress.add_task("all", total=planned, what=f"0 of {planned}")
        self._planned, self._ended, self._failed = planned, 0, 0
        self._bars: dict[str, TaskID] = {}
        self._shares: dict[str, float] = {}

    def __call__(self, event: Any) -> None:
        """Move the bars."""
        super().__call__(event)
        output = event.task.output
        if hasattr(event, "status"):
            self._ended += 1
            self._failed += event.status == "failed"
            self._shares.pop(output, None)
            if output in self._bars:
                self._progress.remove_task(self._bars.pop(output))
        else:
            if output not in self._bars:
                name = click.format_filename(output)
                self._bars[output] = self._progress.add_task(name, total=1.0, what=name)
            self._shares[output] = event.done
            self._progress.update(self._bars[output], completed=event.done)
        what = f"{self._ended} of {self._planned}" + (f", {self._failed} failed" if self._failed else "")
        self._progress.update(self._whole, completed=self._ended + sum(self._shares.values()), what=what)

    def ended(self, outcome: "Outcome") -> None:
        """Show failures and warnings above the bars."""
        for line in _complaints(outcome):
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def showing(planned: "Batch", hidden: bool) -> Iterator[Quiet]:
    """Give what a batch tells its events to: bars on a terminal, lines elsewhere."""
    if hidden or not sys.stderr.isatty():
        yield Quiet() if hidden else Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(30),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress, len(planned.tasks))


def _complaints(outcome: "Outcome") -> list[str]:
    lines = [f"Warning: {text}" for text in outcome.record.get("warnings", []) if outcome.status == "done"]
    if outcome.error is not None and outcome.status == "failed":
        lines.append(f"Failed: {outcome.error}")
    return [click.format_filename(" ".join(line.split())) for line in lines]


def summary(report: "BatchReport") -> None:
    """Print how many outputs of each effect are there, and how long all took."""
    rows = [["effect", "done", "kept", "failed", "sound"]]
    for name, part in [*report.by_treatment().items(), ("all", report)]:
        counts = [str(part.count(status)) for status in ("done", "kept", "failed")]
        rows.append([name, *counts, clock(part.duration)])
    if len(rows) == 3:  # one effect is all
        del rows[1]
    show_table(rows)
    speed = f", {report.duration / report.seconds:.0f} x real time" if report.duration else ""
    click.echo(f"{report.seconds:.1f} s{speed}")
