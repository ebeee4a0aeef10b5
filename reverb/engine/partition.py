"""How a response is cut for real time: which partition sizes, and which work falls into which block.

Pure integers, no samples. The head (stage 0) has the block's size and answers at once. A tail stage has
partitions of ``ratio`` blocks; between the block that completes such a partition and the block in which its
result first sounds lie ``window`` slots, over which its transforms are spread. All its multiply-adds but the
newest partition's concern older input and are done ahead, in whichever blocks have the least to do.

A slot is one block's turn. The stage sizes come from a search over all ladders of sizes with a cost model in
nanoseconds; the multi-stage idea is Gardner's (1995), the optimisation Garcia's (2002), the even load after
Wefers (2015), chapter 5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations
from math import ceil, log2
from typing import NamedTuple

from reverb.engine.fft_plans import LONGEST_TOGETHER
from reverb.engine.routing import Routing

CHUNK = 4096
"""Most complex products of one multiply-add call: they stay in the first cache, and BLAS in one thread."""

_LARGEST = 1 << 16  # frames of the largest tail partition that the search tries
_MOST_TAILS = 4
_BURST = 64  # a task of this many nanoseconds weighs as much as one nanosecond in every block


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
    call=300, fft_call=150, fft=0.095, rows=1, longest=1, mac=0.43, far=0.9, cache=50_000, move=0.25
)
POCKETFFT_COSTS = CostModel(
    call=300,
    fft_call=1200,
    fft=0.28,
    rows=2,
    longest=LONGEST_TOGETHER,
    mac=0.43,
    far=0.9,
    cache=50_000,
    move=0.25,
)


class Group(NamedTuple):
    """Consecutive outputs that are each the sum of the same number of paths."""

    first: int
    outputs: int
    paths: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a routing decides the cost: the channels that are in use, and the paths to each output."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, routing: Routing) -> "Shape":
        """Read the shape off a routing; channels without a path do not appear."""
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
        """Cut the outputs into runs as `runs` does, none reaching over two groups."""
        for group in self.groups:
            yield from runs(range(group.first, group.first + group.outputs), rows)

    @property
    def paths(self) -> int:
        """How many convolutions there are."""
        return sum(group.outputs * group.paths for group in self.groups)


def runs(channels: Sequence[int], rows: int) -> Iterator[tuple[int, int]]:
    """Cut ascending `channels` into ``(first, stop)`` of consecutive ones, at most `rows` long."""
    start = 0
    for n in range(1, len(channels) + 1):
        if n == len(channels) or channels[n] != channels[n - 1] + 1 or n - start == rows:
            yield channels[start], channels[n - 1] + 1
            start = n


class Cut(NamedTuple):
    """The frequencies of some outputs, laid end to end (`columns` for each) and cut into equal pieces."""

    pieces: int
    width: int
    columns: int


def cut(bins: int, outputs: int, rows: int) -> Cut:
    """Cut so that a piece of `rows` rows has at most `CHUNK` numbers; all outputs in one piece if they fit.

    Columns are padded to whole cache lines. Very many rows are left in pieces of 32 columns.
    """
    columns = _lines(bins)
    if rows * outputs * columns <= CHUNK:
        return Cut(1, outputs * columns, columns)
    pieces = 1
    while rows * (width := _lines(ceil(bins / pieces))) > CHUNK and width > 32:
        pieces += 1
    return Cut(outputs * pieces, width, pieces * width)


def _lines(numbers: int) -> int:
    return -(-numbers // 8) * 8


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
    tasks: tuple[Task, ...] = ()
    work: int = 0

    @property
    def bins(self) -> int:
        """Frequencies of a partition's spectrum."""
        return self.size + 1

    def cut(self, group: Group) -> Cut:
        """How the multiply-adds for a group of outputs are cut into calls."""
        ahead = self.partitions - (self.ratio > 1)  # a tail's newest partition is a task of its own
        return cut(self.bins, group.outputs, ahead * group.paths)


@dataclass(frozen=True)
class Plan:
    """The stages of a real-time convolver, and the work of every slot.

    Attributes
    ----------
    block_size, taps : int
        Frames of a block, and of the longest response.
    shape : Shape
    stages : tuple of Stage
        The head first, then ever larger partitions. ``str(plan)`` is a readable table.
    """

    block_size: int
    taps: int
    shape: Shape
    stages: tuple[Stage, ...]

    @property
    def period(self) -> int:
        """Slots after which the work repeats."""
        return self.stages[-1].ratio

    @cached_property
    def slots(self) -> tuple[int, ...]:
        """Work of each slot of a period, in nanoseconds by the cost model, the head's included."""
        work = [self.stages[0].work] * self.period
        for stage in self.stages[1:]:
            for task in stage.tasks:
                for slot in range(task.slot, self.period, stage.ratio):
                    work[slot] += task.cost
        return tuple(work)

    @property
    def mean(self) -> float:
        """Work of the average slot in nanoseconds, by the cost model."""
        return sum(self.slots) / self.period

    def __str__(self) -> str:
        shape, slots = self.shape, sorted(self.slots)
        lines = [
            f"{self.taps} taps in blocks of {self.block_size}: {len(shape.inputs)} in, "
            f"{len(shape.outputs)} out, {shape.paths} paths, latency 0",
            "stage  partition  count  from frame  every  window  work per block",
        ]
        for n, stage in enumerate(self.stages):
            lines.append(
                f"{n:5}  {stage.size:9}  {stage.partitions:5}  {stage.offset:10}  {stage.ratio:5}"
                f"  {stage.window:6}  {stage.work / stage.ratio / 1000:11.2f} µs"
            )
        middle, late = slots[len(slots) // 2], slots[-1]
        lines.append(
            f"a slot takes {self.mean / 1000:.1f} µs on average, {slots[0] / 1000:.1f} at least, "
            f"{middle / 1000:.1f} in the middle, {late / 1000:.1f} at most; work repeats after {self.period} slots:"
        )
        shown = self.slots[:64]
        for first in range(0, len(shown), 16):
            lines.append(" ".join(f"{work / 1000:6.1f}" for work in shown[first : first + 16]))
        if len(shown) < self.period:
            lines.append(f"... and {self.period - len(shown)} more")
        return "\n".join(lines)

    def __repr__(self) -> str:
        ladder = " + ".join(f"{stage.partitions}×{stage.size}" for stage in self.stages)
        return f"Plan({self.taps} taps, blocks of {self.block_size}: {ladder}, {self.mean / 1000:.1f} µs)"


def plan_partitions(block_size: int, taps: int, shape: Shape, costs: CostModel = FFTW_COSTS) -> Plan:
    """Choose the cheapest stages for a response, and spread their work evenly over the blocks.

    Parameters
    ----------
    block_size, taps : int
        Frames, at least 1.
    shape : Shape
        The channels and paths.
    costs : CostModel
        What the machine charges.

    Returns
    -------
    Plan
    """
    assert block_size >= 1, block_size
    assert taps >= 1, taps
    ratios: list[int] = []
    while (ratio := 2 << len(ratios)) * block_size <= min(taps, max(_LARGEST, 2 * block_size)):
        ratios.append(ratio)
    best = min(
        (
            stages
            for count in range(_MOST_TAILS + 1)
            for ladder in combinations(ratios, count)
            if (stages := _stages(block_size, taps, shape, ladder, costs))
        ),
        key=_price,
    )
    return Plan(block_size, taps, shape, _place(best))


def _price(stages: Sequence[Stage]) -> float:
    burst = max((task.cost for stage in stages for task in stage.tasks), default=0)
    return sum(stage.work / stage.ratio for stage in stages) + burst / _BURST


def _stages(
    block: int, taps: int, shape: Shape, ladder: Sequence[int], costs: CostModel
) -> tuple[Stage, ...]:
    """Cut the response for one ladder of ratios; nothing if a stage of it would have no partition.

    A stage lasts until the next has had its size and window: the first tail gets up to three slots, each
    further one a whole period of the stage before it in addition.
    """
    stages: list[Stage] = []
    offset, window = 0, 1
    for ratio, following in zip((1, *ladder), (*ladder, 0), strict=True):
        size, left = ratio * block, taps - offset
        if left <= 0:
            return ()
        partitions = ceil(left / size)
        if following:
            partitions = following + min(3, following) - 2 if ratio == 1 else following // ratio
        if following and partitions * size >= left:
            return ()
        stage = _stage(size, partitions, ratio, shape, costs)
        stages.append(replace(stage, offset=offset, window=window))
        offset += partitions * size
        window = offset // block - following + 2
    return tuple(stages)


@lru_cache(maxsize=4096)
def _stage(size: int, partitions: int, ratio: int, shape: Shape, costs: CostModel) -> Stage:
    """Describe a stage by its work alone; its place in the response comes later."""
    cheap = costs.transform(2 * size, 1) < 2 * costs.call
    channels = max(len(shape.inputs), len(shape.outputs), 1)
    together = costs.rows if 2 * size <= costs.longest and channels >= costs.rows else 1
    rows = channels if cheap else together
    stage = Stage(size, 0, partitions, ratio, 1, rows)
    tasks = tuple(_tasks(stage, shape, costs))
    return replace(stage, tasks=tasks if ratio > 1 else (), work=sum(task.cost for task in tasks))


def _tasks(stage: Stage, shape: Shape, costs: CostModel) -> Iterator[Task]:
    """List a period's work in the order of its dependencies; the multiply-adds done ahead come last."""
    frames, tail, call = 2 * stage.size, stage.ratio > 1, costs.call
    yield Task("load", 0, round(call + costs.move * len(shape.inputs) * stage.size / 2))
    for n, (first, stop) in enumerate(runs(shape.inputs, stage.fft_rows)):
        yield Task("forward", n, costs.transform(frames, stop - first))
    if tail:
        calls = sum(2 + group.paths for group in shape.groups)
        yield Task("newest", 0, round(calls * call + shape.paths * stage.bins * (costs.mac + 2 * costs.move)))
    for n, (first, stop) in enumerate(shape.output_runs(stage.fft_rows)):
        yield Task("inverse", n, costs.transform(frames, stop - first))
    yield Task("merge", 0, round(call + costs.move * len(shape.outputs) * stage.size / 2))
    number = 0
    rows = (stage.partitions - tail) * shape.paths
    mac = costs.mac if 3 * rows * stage.bins <= costs.cache else costs.far  # spectra, and the response twice
    for group in shape.groups:
        pieces, width, _ = stage.cut(group)
        rows = (stage.partitions - tail) * group.paths
        for _ in range(pieces if rows else 0):
            yield Task("ahead", number, round(2 * call + rows * width * mac))
            number += 1


def _place(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Give every task of the tails its slot, the stages of the shortest period first."""
    placed, load = [stages[0]], [0]
    for stage in stages[1:]:
        load = load * (stage.ratio // len(load))
        tasks = tuple(_place_chain(stage, load)) + tuple(_place_ahead(stage, load))
        placed.append(replace(stage, tasks=tasks))
    return tuple(placed)


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


def _place_ahead(stage: Stage, load: list[int]) -> Iterator[Task]:
    """Place the tasks without an order, each where there is the least to do."""
    for task in stage.tasks:
        if task.kind == "ahead":
            slot = load.index(min(load))
            load[slot] += task.cost
            yield task._replace(slot=slot)
