"""A stage of equal partitions: its tasks, their costs, and the slots in which they are done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from reverb.engine.machine import CostModel
from reverb.engine.routing import Routing

MAX_PRODUCTS = 200_000
"""Complex products that BLAS sums in one thread: OpenBLAS (0.3.27, of NumPy 2.0) starts more at 460,800 reals."""

_LINE = 8  # complex numbers of a cache line, in single precision
_GOLDEN = (5**0.5 - 1) / 2  # its multiples fall evenly between whole numbers, however many they are
_MIN_COLUMNS = (
    2744  # of a batch: NumPy copies shorter rows that are not contiguous, three to its buffer of 8192
)


class Group(NamedTuple):
    """Consecutive outputs that are each the sum of the same number of paths."""

    first: int
    outputs: int
    paths: int


@dataclass(frozen=True, slots=True)
class Shape:
    """The part of a routing that decides its cost.

    Attributes
    ----------
    inputs, outputs : tuple of int
        The channels that have a path.
    groups : tuple of Group
        All outputs that have a path.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, routing: Routing) -> "Shape":
        """Return the shape of a routing."""
        counts = [sum(path.output == o for path in routing.paths) for o in range(routing.outputs)]
        groups: list[Group] = []
        for output, count in enumerate(counts):
            if groups and groups[-1].paths == count and groups[-1].first + groups[-1].outputs == output:
                groups[-1] = groups[-1]._replace(outputs=groups[-1].outputs + 1)
            elif count:
                groups.append(Group(output, 1, count))
        inputs = tuple(sorted({path.input for path in routing.paths}))
        return cls(inputs, tuple(o for o, count in enumerate(counts) if count), tuple(groups))

    def output_runs(self, rows: int) -> Iterator[tuple[int, int]]:
        """Cut the outputs into runs as `runs` does, each within one group."""
        for group in self.groups:
            yield from runs(range(group.first, group.first + group.outputs), rows)

    @property
    def paths(self) -> int:
        """The number of convolutions."""
        return sum(group.outputs * group.paths for group in self.groups)


def runs(channels: Sequence[int], rows: int) -> Iterator[tuple[int, int]]:
    """Cut ascending `channels` into ``(first, stop)`` of consecutive ones, at most `rows` long."""
    start = 0
    for n in range(1, len(channels) + 1):
        if n == len(channels) or channels[n] != channels[n - 1] + 1 or n - start == rows:
            yield channels[start], channels[n - 1] + 1
            start = n


class Task(NamedTuple):
    """A piece of a stage's work: its kind and number, its cost in nanoseconds, and its slot of the period."""

    kind: str
    number: int
    cost: int
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """Equal partitions of one size.

    Attributes
    ----------
    size, offset : int
        Frames of a partition, and where in the response the first one begins.
    partitions : int
    ratio : int
        Blocks per partition, which is also the period of its work in slots.
    window : int
        Slots from the one that completes a partition of input to the one that first needs its result, both
        included.
    fft_rows : int
        Channels transformed by one call.
    batch : int
        Complex products of a multiply-add that takes as long as such a transform; at most `MAX_PRODUCTS`.
    tasks : tuple of Task
        A period's work, placed in slots. Empty for the head, which does all its work in every slot.
    work : int
        Nanoseconds of a whole period, by the cost model.
    """

    size: int
    offset: int
    partitions: int
    ratio: int
    window: int
    fft_rows: int
    batch: int
    tasks: tuple[Task, ...] = ()
    work: int = 0

    @property
    def bins(self) -> int:
        """Frequencies of a partition's spectrum."""
        return self.size + 1

    @property
    def columns(self) -> int:
        """Numbers from one stored spectrum to the next: its frequencies, padded to whole cache lines."""
        return ceil(self.bins / _LINE) * _LINE

    @property
    def rows(self) -> int:
        """Spectra whose products are summed together: in a tail, the newest is a task of its own."""
        return self.partitions - (self.ratio > 1)

    def batches(self, group: Group) -> Iterator[slice]:
        """Cut the columns of a group's outputs, as one contiguous row, into slices of one multiply-add each.

        None takes longer than a transform, unless it would be too narrow: so there are few calls, and none is long.
        """
        count, rows = group.outputs * self.columns, self.rows * group.paths
        pieces = min(ceil(count * rows / self.batch), max(count // _MIN_COLUMNS, 1))
        for n in range(pieces if rows else 0):
            first, stop = (count * k // pieces // _LINE * _LINE for k in (n, n + 1))
            yield slice(first, stop)


@lru_cache(maxsize=4096)
def cost_stage(size: int, partitions: int, ratio: int, shape: Shape, costs: CostModel) -> Stage:
    """Return a stage with its tasks and their costs, but without a place in the response."""
    cheap = costs.transform(2 * size, 1) < 2 * costs.call
    channels = max(len(shape.inputs), len(shape.outputs), 1)
    together = costs.rows if 2 * size <= costs.longest and channels >= costs.rows else 1
    rows = channels if cheap else together
    spectra = 3 * (partitions - (ratio > 1)) * shape.paths  # the response lies doubled
    mac = costs.mac if spectra * (size + 1) <= costs.cache else costs.far
    batch = min(ceil(costs.transform(2 * size, rows) / mac), MAX_PRODUCTS)
    stage = Stage(size, 0, partitions, ratio, 1, rows, batch)
    tasks = tuple(_tasks(stage, shape, costs, mac))
    return replace(stage, tasks=tasks if ratio > 1 else (), work=sum(task.cost for task in tasks))


def _tasks(stage: Stage, shape: Shape, costs: CostModel, mac: float) -> Iterator[Task]:
    """List a period's work in the order of its dependencies; the multiply-adds done ahead come last.

    Each of their products costs `mac`.
    """
    frames, tail, call = 2 * stage.size, stage.ratio > 1, costs.call
    yield Task("load", 0, round(call + costs.move * len(shape.inputs) * stage.size / 2))
    for n, (first, stop) in enumerate(runs(shape.inputs, stage.fft_rows)):
        yield Task("forward", n, costs.transform(frames, stop - first))
    if tail:
        calls = sum(1 + group.paths for group in shape.groups)
        yield Task("newest", 0, round(calls * call + shape.paths * stage.bins * (costs.mac + costs.move)))
    for n, (first, stop) in enumerate(shape.output_runs(stage.fft_rows)):
        yield Task("inverse", n, costs.transform(frames, stop - first))
    yield Task("merge", 0, round(call + costs.move * len(shape.outputs) * stage.size / 2))
    number = 0
    for group in shape.groups:
        for batch in stage.batches(group):
            products = stage.rows * group.paths * (batch.stop - batch.start)
            yield Task("ahead", number, round(2 * call + products * mac))
            number += 1


def place(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Give every task of the tails its slot, the stages of the shortest period first."""
    placed, load = [stages[0]], [0]
    for stage in stages[1:]:
        load = load * (stage.ratio // len(load))
        chain = tuple(_place_chain(stage, load))
        first, newest = (_slot(chain, kind) for kind in ("forward", "newest"))
        placed.append(replace(stage, tasks=chain + tuple(_place_ahead(stage, load, first, newest))))
    return tuple(placed)


def _slot(tasks: Sequence[Task], kind: str) -> int:
    """Return the slot of the first task of a kind; 0 where there is none, as without a path."""
    return next((task.slot for task in tasks if task.kind == kind), 0)


def _place_chain(stage: Stage, load: list[int]) -> Iterator[Task]:
    """Place the tasks that must follow each other within the window so that the fullest slot is least full."""
    chain = [task for task in stage.tasks if task.kind in ("forward", "newest", "inverse")]
    for task in stage.tasks:
        if task.kind in ("load", "merge"):
            slot = 0 if task.kind == "load" else stage.window - 1
            load[slot] += task.cost
            yield task._replace(slot=slot)
    low, high = 0, max(load[: stage.window]) + sum(task.cost for task in chain)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _fit(chain, load, stage.window, middle) else (middle + 1, high)
    for task, slot in zip(chain, _fit(chain, load, stage.window, low), strict=True):
        load[slot] += task.cost
        yield task._replace(slot=slot)


def _fit(chain: Sequence[Task], load: Sequence[int], window: int, limit: int) -> list[int]:
    """Return the earliest slots for `chain` with at most `limit` ns in each slot; an empty list if they do not fit."""
    slots: list[int] = []
    slot, full = 0, load[0]
    for task in chain:
        while full + task.cost > limit:
            slot += 1
            if slot == window:
                return []
            full = load[slot]
        full += task.cost
        slots.append(slot)
    return slots


def _place_ahead(stage: Stage, load: list[int], first: int, newest: int) -> Iterator[Task]:
    """Place the tasks without an order, each in the emptiest slot, and among equal ones far from the others.

    None is placed between the first transform, which may overwrite the oldest spectrum, and the newest one's product.
    """
    free = [*range(first + 1), *range(newest + 1, len(load))]
    free.sort(key=lambda slot: slot * _GOLDEN % 1)
    for task in stage.tasks:
        if task.kind == "ahead":
            slot = min(free, key=load.__getitem__)
            load[slot] += task.cost
            yield task._replace(slot=slot)
