"""Plans of offline convolution: sound, and within memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine import fft
from reverb.engine.offline.plan import Shape, candidates, choose, cost, footprint


def test_scarce_memory_is_kept_to() -> None:
    shape = Shape(960_000, None, 8, 8, 8, 8)
    roomy, tight = choose(shape), choose(shape, 100 << 20)
    assert footprint(roomy, shape) > 100 << 20
    assert footprint(tight, shape) <= 100 << 20
    assert choose(shape, 1).block > 0


def test_where_memory_does_not_suffice_a_little_more_saves_most_of_the_time() -> None:
    shape = Shape(960_000, 30_000_000, 16, 16, 16, 16)  # 16 channels of 10 s at 96 kHz
    smallest = min(candidates(shape, scarce=True), key=lambda plan: footprint(plan, shape))
    least = footprint(smallest, shape)
    assert least > 90 << 20
    chosen = choose(shape, 90 << 20)
    assert footprint(chosen, shape) <= 1.1 * least
    assert cost(chosen, shape) < cost(smallest, shape) / 10


@given(
    taps=st.integers(1, 2_000_000),
    length=st.none() | st.integers(0, 50_000_000),
    channels=st.integers(1, 16),
    memory=st.none() | st.integers(1, 1 << 30),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_every_candidate_plan_is_sound(
    taps: int, length: int | None, channels: int, memory: int | None
) -> None:
    shape = Shape(taps, length, channels, channels, channels, channels)
    chosen = choose(shape, memory)
    assert "partition" in str(chosen)
    for plan in (chosen, *candidates(shape, scarce=True)):
        assert plan.fft_size == fft.good_size(plan.fft_size)
        assert plan.fft_size >= plan.block + plan.overlap
        assert plan.segment_blocks % plan.batch == 0
        assert plan.batch == 1 or plan.batch % fft.LANES == 0
        if plan.partitions == 1:
            assert plan.overlap == taps - 1
            assert plan.segment_blocks == 1 or plan.block >= plan.overlap
        else:
            assert plan.partitions * plan.block >= taps
            assert plan.overlap == plan.block - 1
