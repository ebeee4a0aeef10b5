"""The plan of a real-time convolver: the sizes of its partitions, and the work of each block.

Integers only, no samples. The head (stage 0) has partitions of one block and responds within it. A tail stage has
partitions of ``ratio`` blocks; between the block that completes such a partition and the block in which its
result first sounds lie ``window`` slots, over which its transforms are spread. All its multiply-adds but the
newest partition's concern older input and are done ahead, in whichever blocks have the least to do.

A slot is the time of one block. The stage sizes come from a search over all ladders of sizes with a cost model in
nanoseconds. Multi-stage partitioning is Gardner's (1995), the choice by cost Garcia's (2002), the even load
Wefers's (2015, chapter 5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations
from math import ceil

from reverb.engine.machine import FFTW_COSTS, CostModel
from reverb.engine.realtime.schedule import Shape, Stage, cost_stage, place

_MAX_PARTITION = 1 << 16  # frames of a tail partition that the search tries
_MAX_TAILS = 4
_BURST = 64  # a task of this many nanoseconds weighs as much as one nanosecond in every block


@dataclass(frozen=True)
class Plan:
    """The stages of a real-time convolver, and the work of every slot.

    Attributes
    ----------
    block_size, taps : int
        Frames of a block, and of the longest response.
    shape : Shape
    stages : tuple of Stage
        The head first, then tails of ever larger partitions. ``str(plan)`` is a readable table.
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
        """Work of each slot of a period, the head included, in nanoseconds by the cost model."""
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


@lru_cache(maxsize=256)
def plan_partitions(block_size: int, taps: int, shape: Shape, costs: CostModel = FFTW_COSTS) -> Plan:
    """Choose the cheapest stages for a response, and spread their work evenly over the blocks.

    Parameters
    ----------
    block_size, taps : int
        Frames, at least 1.
    shape : Shape
        The channels and paths.
    costs : CostModel
        Of the machine and its FFT.

    Returns
    -------
    Plan
    """
    assert block_size >= 1, block_size
    assert taps >= 1, taps
    most = min(taps, max(_MAX_PARTITION, 2 * block_size)) // block_size
    best = min(
        (
            stages
            for count in range(_MAX_TAILS + 1)
            for ladder in _ladders(most, count)
            if (stages := _stages(block_size, taps, shape, ladder, costs))
        ),
        key=lambda stages: _price(stages, costs),
    )
    return Plan(block_size, taps, shape, place(best))


def _ladders(most: int, count: int) -> Iterator[tuple[int, ...]]:
    """Yield `count` ascending ratios up to `most`, each a multiple of the one before.

    They are powers of two; the last, where the most is to be gained, may also be 3 · 2ⁿ.
    """
    doubled, tripled = ([k << n for n in range(most.bit_length()) if k << n <= most] for k in (2, 3))
    yield from combinations(doubled, count)
    for last in tripled if count else ():
        lower = [ratio for ratio in doubled if last % ratio == 0]
        yield from ((*ladder, last) for ladder in combinations(lower, count - 1))


def _price(stages: Sequence[Stage], costs: CostModel) -> float:
    """Return the nanoseconds of an average block; a stage without work costs as much as a call, too."""
    burst = max((task.cost for stage in stages for task in stage.tasks), default=0)
    return sum(stage.work / stage.ratio + costs.call for stage in stages) + burst / _BURST


def _stages(
    block: int, taps: int, shape: Shape, ladder: Sequence[int], costs: CostModel
) -> tuple[Stage, ...]:
    """Cut the response for one ladder of ratios; return an empty tuple if a stage of it would have no partition.

    A stage covers the response up to where the next one can follow, after its size and window: the window of the first
    tail is up to three slots, that of each further one a whole period of the stage before it longer.
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
        stage = cost_stage(size, partitions, ratio, shape, costs)
        stages.append(replace(stage, offset=offset, window=window))
        offset += partitions * size
        window = offset // block - following + 2
    return tuple(stages)
