import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine import fft, routing
from reverb.engine.offline import convolver as overlap_add
from reverb.engine.offline import plan as offline_plan
from reverb.engine.offline.convolver import OverlapAdd
from reverb.engine.offline.plan import Plan, Shape
from reverb.engine.routing import Path, Routing
from tests.conftest import ROOT
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db

BUDGET = {np.float32: FLOAT32_BUDGET_DB, np.float64: FLOAT64_BUDGET_DB}
ROUTINGS = {
    "mono": routing.each(1),
    "each": routing.each(3),
    "parallel": routing.parallel(2),
    "true stereo": routing.matrix(2, 2),
    "mono to stereo": routing.matrix(1, 2),
    "stereo to mono": routing.matrix(2, 1),
    "sparse": routing.from_pairs(3, 4, [(0, 2), (2, 0), (2, 2)]),
    "shared row": Routing(2, 2, (Path(0, 0, 1), Path(1, 1, 1), Path(0, 1, 0))),
    "nothing": Routing(1, 2, ()),
}
PLANS = {
    "one block": Plan(160, 100, 1, 36, 1, 1),
    "overlap longer than the block": Plan(64, 20, 1, 36, 1, 1),
    "overlap-add": Plan(96, 50, 1, 36, 4, 8),
    "two partitions": Plan(40, 19, 2, 18, 4, 4),
    "many partitions": Plan(16, 8, 5, 7, 4, 8),
    "partitions of one tap": Plan(2, 1, 37, 0, 4, 16),
    "spectra made anew": Plan(16, 8, 5, 7, 4, 8, keep_spectra=False),
    "spectra made anew, few blocks": Plan(8, 4, 10, 3, 4, 4, keep_spectra=False),
}


def noise(seed, shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def direct(x, responses, wiring):
    """The definition, in float64."""
    y = np.zeros((len(x) + responses.shape[1] - 1, wiring.outputs))
    for path in wiring.paths:
        if len(x):
            y[:, path.output] += np.convolve(
                x[:, path.input].astype(np.float64), responses[path.response].astype(np.float64)
            )
    return y


def stream(engine, x, cuts=()):
    blocks = np.split(x, sorted(min(cut, len(x)) for cut in cuts))
    return np.concatenate([*(engine.process(block) for block in blocks), engine.flush()])


def whole(engine, x):
    out = np.full((len(x) + engine.tail, engine.outputs), np.nan, x.dtype)
    engine.convolve(x, out)
    return out


def forced(monkeypatch, plan):
    monkeypatch.setattr(overlap_add, "SMALL", -1)  # threads even for little
    monkeypatch.setattr(overlap_add, "choose", lambda *_: plan)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wiring", ROUTINGS.values(), ids=ROUTINGS)
@pytest.mark.parametrize(
    ("frames", "taps"), [(0, 5), (1, 1), (1, 400), (257, 1), (1009, 31), (31, 1009), (5000, 700)]
)
def test_equals_direct_convolution(wiring, frames, taps, dtype):
    x = noise(1, (frames, wiring.inputs), dtype)
    responses = noise(2, (max(wiring.responses, 1), taps), dtype)
    y = stream(OverlapAdd(responses, wiring, dtype=dtype, length=frames, workers=1), x)
    assert y.dtype == dtype
    assert y.shape == (frames + taps - 1, wiring.outputs)
    if wiring.paths and frames:
        assert null_db(y, direct(x, responses, wiring)) <= BUDGET[dtype]
    else:
        assert not y.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("frames", [1, 19, 64, 100, 2311])
def test_every_plan_equals_direct_convolution(monkeypatch, plan, frames, dtype):
    forced(monkeypatch, plan)
    wiring = routing.matrix(2, 2)
    x, responses = noise(3, (frames, 2), dtype), noise(4, (4, 37), dtype)
    for workers in (1, 3):
        engine = OverlapAdd(responses, wiring, dtype=dtype, workers=workers)
        assert null_db(stream(engine, x), direct(x, responses, wiring)) <= BUDGET[dtype]
        assert null_db(whole(engine, x), direct(x, responses, wiring)) <= BUDGET[dtype]


@given(
    plan=st.sampled_from(list(PLANS.values())),
    wiring=st.sampled_from(list(ROUTINGS.values())),
    frames=st.integers(0, 700),
    cuts=st.lists(st.integers(0, 700), max_size=9),
    workers=st.integers(1, 4),
)
@settings(deadline=None, derandomize=True, max_examples=80)
def test_the_same_bits_for_every_cut_and_any_number_of_workers(plan, wiring, frames, cuts, workers):
    x = noise(5, (frames, wiring.inputs), np.float32)
    responses = noise(6, (max(wiring.responses, 1), 37), np.float32)
    with pytest.MonkeyPatch.context() as monkeypatch:
        forced(monkeypatch, plan)
        once = stream(OverlapAdd(responses, wiring, workers=1), x)
        cut = stream(OverlapAdd(responses, wiring, workers=workers), x, cuts)
        at_once = whole(OverlapAdd(responses, wiring, workers=workers), x)
    np.testing.assert_array_equal(cut, once)
    np.testing.assert_array_equal(at_once, once)


@given(frames=st.integers(0, 3000), taps=st.integers(1, 3000), length=st.none() | st.integers(0, 4000))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_a_wrong_expectation_of_the_length_does_no_harm(frames, taps, length):
    x, responses = noise(7, (frames, 1)), noise(8, (1, taps))
    engine = OverlapAdd(responses, routing.each(1), dtype=np.float64, length=length, workers=1)
    y = stream(engine, x, [frames // 3])
    assert y.shape == (frames + taps - 1, 1)
    assert frames == 0 or null_db(y, direct(x, responses, routing.each(1))) <= FLOAT64_BUDGET_DB


def test_long_response_with_threads():
    x, responses = noise(9, (60_013, 2), np.float32), noise(10, (2, 50_021), np.float32)
    wiring = routing.parallel(2)
    expected = np.stack(
        [np.fft.irfft(np.fft.rfft(x[:, c], 2**17) * np.fft.rfft(responses[c], 2**17)) for c in (0, 1)]
    )
    for length in (None, len(x)):
        one = stream(OverlapAdd(responses, wiring, length=length, workers=1), x, range(0, 60_000, 4_999))
        two = stream(OverlapAdd(responses, wiring, length=length, workers=2), x)
        np.testing.assert_array_equal(one, two)
        assert null_db(one, expected[:, : len(one)].T) <= FLOAT32_BUDGET_DB


def test_an_impulse_brings_out_each_partition_in_its_place(monkeypatch):
    ramp = np.arange(1.0, 38.0)[None]
    for plan in PLANS.values():
        forced(monkeypatch, plan)
        for place in (0, 1, 7, 8, 31, 32, 33, 99, 127, 128):
            x = np.zeros((150, 1))
            x[place] = 1
            y = stream(OverlapAdd(ramp, routing.each(1), dtype=np.float64), x)
            expected = np.zeros(186)
            expected[place : place + 37] = ramp
            np.testing.assert_allclose(y[:, 0], expected, atol=1e-11)


def test_what_comes_out_early_is_the_beginning(monkeypatch):
    forced(monkeypatch, PLANS["many partitions"])
    engine = OverlapAdd(noise(11, (1, 37)), routing.each(1), dtype=np.float64)
    assert (engine.inputs, engine.outputs, engine.tail, engine.preferred_frames) == (1, 1, 36, 64)
    x = noise(12, (200, 1))
    assert engine.process(x[:63]).shape == (0, 1)
    assert engine.process(x[63:64]).shape == (64, 1)
    assert engine.process(x[64:]).shape == (128, 1)
    assert engine.flush().shape == (44, 1)


def test_reset_and_finish_leave_it_as_newly_built(monkeypatch):
    x, responses = noise(13, (301, 2)), noise(14, (2, 37))
    for plan in PLANS.values():
        forced(monkeypatch, plan)
        fresh = stream(OverlapAdd(responses, routing.parallel(2), dtype=np.float64), x)
        engine = OverlapAdd(responses, routing.parallel(2), dtype=np.float64)
        engine.process(noise(15, (211, 2)))
        engine.reset()
        np.testing.assert_array_equal(stream(engine, x), fresh)
        np.testing.assert_array_equal(stream(engine, x), fresh)


def test_callers_arrays_stay_theirs():
    x, responses = noise(16, (5000, 2)), noise(17, (2, 300))
    kept = x.copy(), responses.copy()
    engine = OverlapAdd(responses, routing.parallel(2), dtype=np.float64)
    parts = [engine.process(x) for _ in range(200)]
    copies = [part.copy() for part in parts]
    engine.flush()
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(responses, kept[1])
    for part, copy in zip(parts, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_as_few_transforms_as_channels_and_rows(monkeypatch):
    counts = {"forward": 0, "inverse": 0}

    class Counting:
        def forward(self, rows, spectra):
            counts["forward"] += 1
            fft.forward(rows, spectra)

        def inverse(self, spectra, rows):
            counts["inverse"] += 1
            fft.inverse(spectra, rows)

    monkeypatch.setattr(fft, "transforms", lambda *_: Counting())
    forced(monkeypatch, PLANS["overlap-add"])
    wiring = Routing(9, 9, tuple(Path(i, o, o) for i in (0, 4, 8) for o in (1, 2)))
    engine = OverlapAdd(noise(18, (7, 37), np.float32), wiring, workers=2)
    assert counts == {"forward": 2, "inverse": 0}
    engine.process(noise(19, (400, 9), np.float32))  # one segment of two batches
    assert counts == {"forward": 2 + 3 * 2, "inverse": 2 * 2}


def test_memory_stays_constant():
    engine = OverlapAdd(noise(20, (2, 20_000), np.float32), routing.parallel(2), workers=2)
    block = noise(21, (engine.preferred_frames // 3, 2), np.float32)
    tracemalloc.start()
    try:
        for _ in range(8):
            engine.process(block)
        after_few, _ = tracemalloc.get_traced_memory()
        for _ in range(16):
            engine.process(block)
        after_many, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after_many - after_few < 1 << 20


def test_scarce_memory_is_kept_to():
    shape = Shape(960_000, None, 8, 8, 8, 8)
    roomy, tight = offline_plan.choose(shape), offline_plan.choose(shape, 100 << 20)
    assert offline_plan.footprint(roomy, shape) > 100 << 20
    assert offline_plan.footprint(tight, shape) <= 100 << 20
    assert offline_plan.choose(shape, 1).block > 0


def test_a_response_of_another_precision_is_neither_copied_nor_held():
    rows, wires = noise(9, (2, 400_000)), routing.matrix(1, 2)
    engines, peaks = [], []
    for some in (rows.astype(np.float32), rows):
        tracemalloc.start()
        engines.append(OverlapAdd(some, wires, length=1000, workers=1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert engines[-1].plan.keep_spectra
        assert sys.getrefcount(some) < 5  # those who iterate, and nobody else
    assert peaks[1] - peaks[0] < rows.nbytes / 8
    x = noise(10, (1000, 1), np.float32)
    np.testing.assert_array_equal(whole(engines[0], x), whole(engines[1], x))


def test_where_memory_does_not_suffice_a_little_more_saves_most_of_the_time():
    shape = Shape(960_000, 30_000_000, 16, 16, 16, 16)  # 16 channels of 10 s at 96 kHz
    smallest = min(
        offline_plan.candidates(shape, scarce=True), key=lambda plan: offline_plan.footprint(plan, shape)
    )
    least = offline_plan.footprint(smallest, shape)
    assert least > 90 << 20
    chosen = offline_plan.choose(shape, 90 << 20)
    assert offline_plan.footprint(chosen, shape) <= 1.1 * least
    assert offline_plan.cost(chosen, shape) < offline_plan.cost(smallest, shape) / 10


@given(
    taps=st.integers(1, 2_000_000),
    length=st.none() | st.integers(0, 50_000_000),
    channels=st.integers(1, 16),
    memory=st.none() | st.integers(1, 1 << 30),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_every_candidate_plan_is_sound(taps, length, channels, memory):
    shape = Shape(taps, length, channels, channels, channels, channels)
    chosen = offline_plan.choose(shape, memory)
    assert "partition" in str(chosen)
    for plan in (chosen, *offline_plan.candidates(shape, scarce=True)):
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


def test_good_sizes_are_the_least():
    smooth = sorted({2 * 2**a * 3**b * 5**c for a in range(13) for b in range(8) for c in range(6)})
    for n in range(2000):
        assert fft.good_size(n) == next(size for size in smooth if size >= n)


def test_numpy_in_place_of_pocketfft_agrees():
    for dtype, spectral in ((np.float32, np.complex64), (np.float64, np.complex128)):
        rows = noise(22, (5, 90), dtype)
        spectra, again = np.empty((2, 5, 46), spectral)
        fft.forward(rows, spectra)
        fft.NumpyFFT().forward(rows, again)
        np.testing.assert_allclose(spectra, again, atol=1e-5)
        back, again = np.empty((2, 5, 90), dtype)
        fft.inverse(spectra, back)
        fft.NumpyFFT().inverse(spectra, again)
        np.testing.assert_allclose(back / 90, again / 90, atol=1e-5)
        np.testing.assert_allclose(back / 90, rows, atol=1e-5)


def test_a_changed_private_module_falls_back_to_numpy(monkeypatch):
    def changed(*_):
        raise TypeError("other arguments")

    monkeypatch.setattr(fft.PocketFFT, "inverse", changed)
    assert fft.pocketfft.__wrapped__() is None
    monkeypatch.setattr(fft, "pocketfft", lambda: None)
    assert fft._without_planning.__wrapped__().name == "numpy"


def test_an_error_in_a_worker_comes_out_and_leaves_nothing_hanging(monkeypatch):
    forced(monkeypatch, PLANS["overlap-add"])
    engine = OverlapAdd(noise(23, (4, 37), np.float32), routing.matrix(2, 2), workers=2)
    expected = whole(engine, noise(24, (999, 2), np.float32))

    def failing(*_):
        raise FloatingPointError("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(type(fft._without_planning()), "inverse", failing)
        with pytest.raises(FloatingPointError, match="on purpose"):
            engine.process(noise(24, (999, 2), np.float32))
    np.testing.assert_array_equal(whole(engine, noise(24, (999, 2), np.float32)), expected)


def test_an_engine_in_use_does_not_keep_the_interpreter_alive():
    code = """
import numpy as np, sys
from reverb.engine import routing
from reverb.engine.offline.convolver import OverlapAdd
engine = OverlapAdd(np.ones((2, 3000), np.float32), routing.parallel(2), workers=2)
engine.process(np.ones((900_000, 2), np.float32))
heavy = {"scipy.fft", "scipy.signal", "scipy.special", "pyfftw"} & set(sys.modules)
assert not heavy, heavy
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 7


# ---- analysis and synthesis apart, as the renderer runs them ----

APART = """
import sys
from collections import deque
import numpy as np
from reverb.engine import routing
from reverb.engine.offline.convolver import OverlapAdd

rng = np.random.default_rng(31)
x, h = rng.standard_normal((130_000, 2)).astype(np.float32), rng.standard_normal((4, 700)).astype(np.float32)
engine = OverlapAdd(h, routing.matrix(2, 2), length=3_000, workers=2)  # a plan of short segments
size = engine.preferred_frames
assert len(x) > 25 * size or sys.exit(f"segments of {size} frames are too long to run ahead")
expected = np.concatenate([engine.process(x), engine.flush()])
for ahead in range(21):
    waiting, pieces = deque(), []
    for start in range(0, len(x) // size * size, size):
        waiting.append(engine.analyze(x[start : start + size]))
        if len(waiting) > ahead:
            pieces.append(engine.synthesize(waiting.popleft(), np.empty((size, 2), np.float32)))
    last = engine.analyze(x[len(x) // size * size :])
    pieces += [engine.synthesize(spectra, np.empty((size, 2), np.float32)) for spectra in waiting]
    pieces += engine.flush_segments(last, lambda frames: np.empty((frames, 2), np.float32))
    assert np.array_equal(np.concatenate(pieces), expected) or sys.exit(f"{ahead} segments ahead: other samples")
"""


@pytest.mark.parametrize("options", [[], ["-O"]])
def test_analysis_may_run_ahead_as_far_as_it_likes(options):
    subprocess.run([sys.executable, *options, "-c", APART.replace("assert ", "")], check=True, cwd=ROOT)
