"""The partition plan as pure integers: it covers the response, meets its deadlines and spreads its work."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine import routing
from reverb.engine.machine import FFTW_COSTS, POCKETFFT_COSTS
from reverb.engine.realtime.plan import Plan, plan_partitions
from reverb.engine.realtime.schedule import Group, Shape, cost_stage, runs

STEREO = Shape.of(routing.parallel(2))
quick = settings(deadline=None, derandomize=True, max_examples=60)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    wires = draw(
        st.sampled_from([routing.each(1), routing.parallel(2), routing.matrix(2, 2), routing.matrix(1, 5)])
    )
    block = draw(st.sampled_from([16, 32, 64, 100, 128, 441, 509, 512, 1024, 4096]))
    taps = draw(st.integers(1, 1_440_000))
    return plan_partitions(block, taps, Shape.of(wires), draw(st.sampled_from([FFTW_COSTS, POCKETFFT_COSTS])))


@quick
@given(plans())
def test_stages_cover_the_response_without_gap_or_overlap(plan: Plan) -> None:
    end = 0
    for stage in plan.stages:
        assert stage.offset == end
        assert stage.partitions >= 1
        end += stage.partitions * stage.size
    assert end - plan.stages[-1].size < plan.taps <= end


@quick
@given(plans())
def test_each_tail_has_its_window_and_no_more_than_a_period(plan: Plan) -> None:
    for stage in plan.stages[1:]:
        # The first output frame of a partition is due `offset` after its first input frame: the slots between.
        assert stage.size == stage.ratio * plan.block_size
        assert stage.window == stage.offset // plan.block_size - stage.ratio + 2
        assert 1 <= stage.window <= stage.ratio


@quick
@given(plans())
def test_tasks_follow_their_order_within_the_window(plan: Plan) -> None:
    order = ("load", "forward", "newest", "inverse", "merge")
    for stage in plan.stages[1:]:
        chain = sorted((t for t in stage.tasks if t.kind != "ahead"), key=lambda t: order.index(t.kind))
        slots = [task.slot for task in chain]
        assert slots == sorted(slots)
        assert slots[0] == 0
        assert slots[-1] == stage.window - 1
        assert all(0 <= task.slot < stage.ratio for task in stage.tasks)


@quick
@given(plans())
def test_no_slot_does_more_than_it_must(plan: Plan) -> None:
    # An ordered chain spread over its window fills a slot by its average and one task more, at the most.
    limit, ahead = float(plan.stages[0].work), 0
    for stage in plan.stages[1:]:
        chain = [task.cost for task in stage.tasks if task.kind != "ahead"]
        limit += sum(chain) / stage.window + max(chain)
        ahead = max([ahead, *(task.cost for task in stage.tasks if task.kind == "ahead")])
    assert max(plan.slots) <= max(limit, plan.mean) + ahead


@pytest.mark.parametrize("block", [32, 64, 128, 256, 512])
@pytest.mark.parametrize("taps", [48_000, 192_000, 480_000])
def test_transforms_of_one_stage_fall_into_different_slots(block: int, taps: int) -> None:
    largest = plan_partitions(block, taps, STEREO).stages[-1]
    heavy = [task.slot for task in largest.tasks if task.kind in ("forward", "inverse")]
    assert len(heavy) == 4
    assert len(set(heavy)) == min(4, largest.window)


def test_work_per_slot_adds_up_to_the_work_of_the_stages() -> None:
    plan = plan_partitions(128, 192_000, STEREO)
    expected = sum(stage.work * plan.period // stage.ratio for stage in plan.stages)
    assert sum(plan.slots) == expected
    assert len(plan.slots) == plan.period


@pytest.mark.parametrize("taps", [48_000, 192_000, 480_000])
def test_no_slot_has_more_than_one_large_task(taps: int) -> None:
    plan = plan_partitions(128, taps, STEREO)
    largest = max(task.cost for stage in plan.stages for task in stage.tasks)
    assert max(plan.slots) < largest + 2 * plan.mean


def test_multiply_adds_are_spread_over_the_period() -> None:
    largest = plan_partitions(128, 480_000, STEREO).stages[-1]
    ahead = sorted(task.slot for task in largest.tasks if task.kind == "ahead")
    widest = max(b - a for a, b in zip(ahead, [*ahead[1:], ahead[0] + largest.ratio], strict=True))
    assert len(ahead) == len(set(ahead))
    assert widest < 3 * largest.ratio / len(ahead)


def test_a_short_response_is_one_stage() -> None:
    assert [stage.partitions for stage in plan_partitions(128, 100, STEREO).stages] == [1]


def test_a_ten_times_longer_response_costs_little_more() -> None:
    short, long = (plan_partitions(128, taps, STEREO).mean for taps in (48_000, 480_000))
    assert long < 1.7 * short


def test_dear_calls_make_for_fewer_stages_and_dear_products_for_more() -> None:
    calls = plan_partitions(64, 192_000, STEREO, FFTW_COSTS._replace(call=100_000, fft_call=100_000))
    products = plan_partitions(64, 192_000, STEREO, FFTW_COSTS._replace(mac=10, far=10))
    assert sum(s.partitions for s in calls.stages) > sum(s.partitions for s in products.stages)
    assert len(calls.stages) <= len(products.stages)


def test_channels_without_a_path_are_not_in_the_shape() -> None:
    shape = Shape.of(routing.from_pairs(4, 5, [(0, 0), (2, 0), (2, 1), (2, 4)]))
    assert shape.inputs == (0, 2)
    assert shape.outputs == (0, 1, 4)
    assert shape.groups == (Group(0, 1, 2), Group(1, 1, 1), Group(4, 1, 1))
    assert shape.paths == 4


def test_transforms_grow_with_channels_and_not_with_paths() -> None:
    plan = plan_partitions(128, 192_000, Shape.of(routing.matrix(4, 4)))
    for stage in plan.stages[1:]:
        rows = stage.fft_rows
        assert sum(t.kind in ("forward", "inverse") for t in stage.tasks) == 2 * -(-4 // rows)


def test_runs_stay_consecutive_and_short() -> None:
    assert list(runs([0, 1, 2, 4, 5, 9], 2)) == [(0, 2), (2, 3), (4, 6), (9, 10)]
    assert list(runs([], 4)) == []


@quick
@given(st.integers(1, 70_000), st.integers(2, 40), st.integers(1, 8), st.integers(1, 4))
def test_batches_hold_all_columns_once_and_take_no_longer_than_a_transform(
    size: int, partitions: int, outputs: int, paths: int
) -> None:
    shape = Shape((0,), tuple(range(outputs)), (Group(0, outputs, paths),))
    stage = cost_stage(size, partitions, 8, shape, FFTW_COSTS)
    batches = list(stage.batches(shape.groups[0]))
    assert stage.columns >= stage.bins
    assert [batch.start for batch in batches] == [0] + [batch.stop for batch in batches[:-1]]
    assert batches[-1].stop == outputs * stage.columns
    transform = max(task.cost for task in stage.tasks if task.kind == "forward")
    for task, batch in zip((t for t in stage.tasks if t.kind == "ahead"), batches, strict=True):
        # Those that may not be cut further are narrow; 8 columns are a cache line.
        narrow = batch.stop - batch.start < 2 * 4096 + 8
        assert narrow or task.cost <= 1.01 * transform + 2 * FFTW_COSTS.call


@pytest.mark.parametrize("block", [16, 128, 1024])
@pytest.mark.parametrize("taps", [5_000, 48_000, 480_000])
def test_nothing_is_summed_while_the_newest_spectrum_takes_the_oldest_ones_place(
    block: int, taps: int
) -> None:
    for stage in plan_partitions(block, taps, STEREO).stages[1:]:
        slots = {
            kind: [t.slot for t in stage.tasks if t.kind == kind] for kind in ("forward", "newest", "ahead")
        }
        replaced = range(min(slots["forward"]) + 1, slots["newest"][0] + 1)
        assert not set(slots["ahead"]) & set(replaced)


def test_the_table_is_readable() -> None:
    plan = plan_partitions(128, 192_000, STEREO)
    table = str(plan)
    assert "192000 taps in blocks of 128: 2 in, 2 out, 2 paths" in table
    assert all(str(stage.size) in table for stage in plan.stages)
    assert all(f"{stage.partitions}×{stage.size}" in repr(plan) for stage in plan.stages)
