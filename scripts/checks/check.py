"""A check: a claim with a limit, and the function that measures it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

Measure = Callable[[], float]


class NotMeasuredError(Exception):
    """A requirement of a check is missing; the message names it."""


@dataclass(frozen=True)
class Limit:
    """The largest or the smallest value that passes.

    Attributes
    ----------
    value : float
    unit : str
    largest : bool
        Whether `value` is the largest that passes.
    digits : int
        A measurement is rounded to this many digits, towards the failing side, before it is judged, so the printed
        value and the verdict always agree. Few digits suit figures that vary from run to run.
    """

    value: float
    unit: str
    largest: bool
    digits: int

    def rounded(self, value: float) -> float:
        """Return a measurement, rounded to the worse side."""
        if value == 0 or not math.isfinite(value):
            return value
        exact = Decimal(value)
        step = Decimal(1).scaleb(exact.adjusted() - self.digits + 1)
        return float(exact.quantize(step, ROUND_CEILING if self.largest else ROUND_FLOOR))

    def holds(self, value: float) -> bool:
        """Return whether a rounded measurement passes; NaN never does."""
        return value <= self.value if self.largest else value >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.largest else '≥'} {self.say(self.value)}"

    def say(self, value: float) -> str:
        """Return a value with its unit."""
        number = f"{value:.12g}".replace("-", "−").replace("inf", "∞")
        return f"{number} {self.unit}".rstrip()


def at_most(value: float, unit: str = "", *, digits: int = 3) -> Limit:
    """Return an upper limit."""
    return Limit(value, unit, True, digits)


def at_least(value: float, unit: str = "", *, digits: int = 3) -> Limit:
    """Return a lower limit."""
    return Limit(value, unit, False, digits)


@dataclass(frozen=True)
class Check:
    """One row of the page: a claim, the standard or reference, and the limit.

    A `timed` check is valid only on an idle machine, so `--check` skips it.
    """

    name: str
    reference: str
    limit: Limit
    measure: Measure
    timed: bool = False

    def run(self, *, timing: bool = True) -> "Outcome":
        """Measure and judge; checks of time run only with `timing`."""
        if self.timed and not timing:
            return Outcome(self, "timed when the page is written", "not measured")
        try:
            value = self.limit.rounded(self.measure())
        except NotMeasuredError as reason:
            return Outcome(self, str(reason), "not measured")
        return Outcome(self, self.limit.say(value), "pass" if self.limit.holds(value) else "**fail**")


@dataclass(frozen=True)
class Outcome:
    """The measurement of a check, and its verdict: ``pass``, ``**fail**`` or ``not measured``."""

    check: Check
    found: str
    verdict: str


@dataclass
class Group:
    """Checks of one kind, in the order of the source."""

    title: str
    about: str
    checks: list[Check] = field(default_factory=list)

    def check(
        self, name: str, reference: str, limit: Limit, *, timed: bool = False
    ) -> Callable[[Measure], Measure]:
        """Register the decorated function as the measurement of a claim."""

        def register(measure: Measure) -> Measure:
            self.checks.append(Check(name, reference, limit, measure, timed))
            return measure

        return register

    def run(self) -> Iterator[Outcome]:
        """Run all checks."""
        return (check.run() for check in self.checks)
