"""A stage of equal partitions: what it has to do, what that costs, and in which slots it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, log2
from typing import NamedTuple

from reverb.engine.fft_plans import LONGEST_TOGETHER
from reverb.engine.realtime.shape import Group, Shape, runs

ALONE = 200_000
"""Most complex products that BLAS sums in one thread: OpenBLAS (0.3.27, of NumPy 2.0) shares out 460,800 reals."""

_LINE = 8  # complex numbers of a cache line, in single precision
_GOLDEN = (5**0.5 - 1) / 2  # its multiples fall evenly between whole numbers, however many they are
_WIDE = 2744  # columns of rows that lie apart: NumPy copies shorter rows first, three to its buffer of 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """What the building stones cost, in nanoseconds.

    Attributes
    ----------
    call : float
        One NumPy call, whatever it does.
    fft_call : float
        One call of an FFT plan.
    fft : float
        A real FFT of one row, per ``n log2 n``.
    rows : int
        How many rows the FFT transforms in little more time than one (1: each takes its own).
    longest : int
        Samples of a row up to which that is so.
    mac : float
        One complex multiply-add, product and sum, of numbers in the cache.
    far : float
        The same, of numbers that come from further away.
    cache : int
        Complex numbers of a stage that stay near between its turns.
    move : float
        Copying or adding one complex number, or two real ones.
    """

    call: float
    fft_call: float
    fft: float
    rows: int
    longest: int
    mac: float
    far: float
    cache: int
    move: float

    def transform(self, frames: int, rows: int) -> int:
        """Cost of one FFT call over `rows` rows of `frames` real samples."""
        if frames <= self.longest and self.rows > 1:
            vectors, single = divmod(rows, self.rows)
            rows = vectors * (self.rows + 1) // 2 + single
        return round(self.fft_call + self.fft * rows * frames * log2(frames))


FFTW_COSTS = CostModel(
    call=300, fft_call=100, fft=0.07, rows=1, longest=1, mac=0.3, far=0.9, cache=100_000, move=0.12
)
POCKETFFT_COSTS = CostModel(
    call=300,
    fft_call=800,
    fft=0.28,
    rows=2,
    longest=LONGEST_TOGETHER,
    mac=0.3,
    far=0.9,
    cache=100_000,
    move=0.12,
)
NUMPY_COSTS = CostModel(
    call=300, fft_call=5000, fft=0.4, rows=1, longest=1, mac=0.3, far=0.9, cache=100_000, move=0.12
)


class Task(NamedTuple):
    """A piece of a tail stage's work: what, which of them, how dear (ns), and its slot of the period."""

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
        counted.
    fft_rows : int
        Channels transformed by one call.
    batch : int
        Complex products of a multiply-add that takes as long as such a transform, or the most that BLAS sums alone.
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
        """Cut the columns of a group's outputs, laid end to end, into those of one multiply-add each.

        None takes longer than a transform, if it may be so narrow: few calls, and none that a block would notice.
        """
        count, rows = group.outputs * self.columns, self.rows * group.paths
        pieces = min(ceil(count * rows / self.batch), max(count // _WIDE, 1))
        for n in range(pieces if rows else 0):
            first, stop = (count * k // pieces // _LINE * _LINE for k in (n, n + 1))
            yield slice(first, stop)


@lru_cache(maxsize=4096)
def cost_stage(size: int, partitions: int, ratio: int, shape: Shape, costs: CostModel) -> Stage:
    """Describe a stage by its work alone; its place in the response comes later."""
    cheap = costs.transform(2 * size, 1) < 2 * costs.call
    channels = max(len(shape.inputs), len(shape.outputs), 1)
    together = costs.rows if 2 * size <= costs.longest and channels >= costs.rows else 1
    rows = channels if cheap else together
    spectra = 3 * (partitions - (ratio > 1)) * shape.paths  # the response lies doubled
    mac = costs.mac if spectra * (size + 1) <= costs.cache else costs.far
    batch = min(ceil(costs.transform(2 * size, rows) / mac), ALONE)
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
    """Where the first task of a kind is done; without a path there is none, and nothing to do."""
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
    """Slots for `chain`, each as early as keeps every slot within `limit`; nothing if they do not fit."""
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
    """Place the tasks without an order, each where there is the least to do, and otherwise far from the others.

    Not after the slot in which the newest spectrum begins to take the oldest one's place, before it is used.
    """
    free = [*range(first + 1), *range(newest + 1, len(load))]
    free.sort(key=lambda slot: slot * _GOLDEN % 1)
    for task in stage.tasks:
        if task.kind == "ahead":
            slot = min(free, key=load.__getitem__)
            load[slot] += task.cost
            yield task._replace(slot=slot)
