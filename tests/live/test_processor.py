"""The processing of one block: the limiter, broken samples, and neither memory nor locks taken."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects.gain import Gain
from reverb.errors import ParameterError
from reverb.live.levels import PathLevels
from reverb.live.prepare import prepare
from reverb.live.processor import ChannelMap, Limiter, LiveProcessor
from reverb.live.recordings import Recordings

RATE = 48_000
MONO = ChannelMap(inputs=(0,), outputs=(0,), mono=False, channels=1)


def test_the_limiter_is_exactly_transparent_below_its_threshold() -> None:
    limiter = Limiter(256, 2, threshold_db=-3.0)
    x = np.random.default_rng(0).uniform(-0.7, 0.7, (256, 2)).astype(np.float32)
    y = x.copy()
    limiter.process(y)
    np.testing.assert_array_equal(y, x)
    assert limiter.limited == 0


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=64))
def test_nothing_leaves_the_limiter_beyond_full_scale(values: list[float]) -> None:
    limiter = Limiter(len(values), 1)
    x = np.array(values, np.float32)[:, np.newaxis]
    y = x.copy()
    limiter.process(y)
    threshold = float(limiter.threshold)
    assert np.abs(y).max() <= 1.0
    assert (np.sign(y) == np.sign(x)).all()
    quiet = np.abs(x) <= threshold
    np.testing.assert_array_equal(y[quiet], x[quiet])
    over = np.abs(x.astype(np.float64)) - threshold
    curve = threshold + (1 - threshold) * np.tanh(over / (1 - threshold))
    np.testing.assert_allclose(np.abs(y[~quiet]), curve[~quiet], rtol=1e-5)


def test_the_limiter_bends_without_a_corner() -> None:
    limiter = Limiter(20_001, 1)
    x = np.linspace(0.8, 1.2, 20_001, dtype=np.float32)[:, np.newaxis]
    y = x.copy()
    limiter.process(y)
    slope = np.diff(y[:, 0].astype(np.float64)) / np.diff(x[:, 0].astype(np.float64))
    assert slope.max() < 1.01
    assert np.abs(np.diff(slope)).max() < 0.02


@pytest.mark.parametrize("threshold", [0.0, -30.0, float("nan")])
def test_a_limiter_of_no_use_is_refused(threshold: float) -> None:
    with pytest.raises(ParameterError, match="threshold"):
        Limiter(64, 2, threshold)


def make_processor(block_size: int = 64, recordings: Recordings | None = None) -> LiveProcessor:
    prepared = prepare(Gain(0), RATE, 1, 1)
    levels = PathLevels(prepared.dry, prepared.wet)
    return LiveProcessor(prepared, levels, MONO, RATE, block_size, recordings=recordings)


@pytest.mark.parametrize("peak", [0.1, 4.0])
def test_blocks_allocate_next_to_nothing(peak: float) -> None:
    processor = make_processor(512)
    block, out = np.full((512, 1), peak, np.float32), np.zeros((512, 1), np.float32)
    for _ in range(200):
        processor.process(block, out)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(500):
        processor.process(block, out)
    after, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert highest - before < 4_000
    assert after - before < 2_000
    assert (processor.limiter is not None and processor.limiter.limited > 0) is (peak > 1)


def test_a_block_takes_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    class CountedLock:
        def __enter__(self) -> None:
            taken.append(1)

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("threading.Lock", CountedLock)
    processor = make_processor(recordings=Recordings(RATE, 1, 1))
    monkeypatch.undo()
    block, out = np.full((64, 1), 0.1, np.float32), np.zeros((64, 1), np.float32)
    for _ in range(100):
        processor.process(block, out)
    assert not taken
    processor.output_meter.read()
    assert taken  # readers do


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e20])
@pytest.mark.parametrize("comes_in", [True, False])
def test_a_broken_block_leaves_the_processor_as_silence(
    bad: float, comes_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = make_processor()
    block, out = np.full((64, 1), 0.1, np.float32), np.zeros((64, 1), np.float32)
    for _ in range(40):  # until it has faded in
        processor.process(block, out)
    np.testing.assert_allclose(out, block, rtol=1e-5)
    broken = block.copy()
    broken[1] = bad
    with monkeypatch.context() as patch:
        if not comes_in:  # the engine itself gives it
            patch.setattr(processor.convolver, "process", lambda _block, given: np.copyto(given, broken))
        processor.process(broken if comes_in else block, out)
    assert np.abs(out).max() < 1e-7  # the engine's rounding of the block before
    assert processor.bad_blocks == 1
    processor.process(block, out)
    np.testing.assert_allclose(out, block, rtol=1e-5)
    assert np.isfinite(processor.output_meter.read().rms[0])
