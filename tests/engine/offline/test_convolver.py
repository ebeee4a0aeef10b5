"""Offline convolution against the definition, for every plan, cut, and number of threads."""

import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.arrays import Array
from reverb.engine import fft, routing
from reverb.engine.offline import convolver as overlap_add
from reverb.engine.offline.convolver import OverlapAdd
from reverb.engine.offline.plan import Plan
from reverb.engine.routing import Path, Routing
from tests.conftest import ROOT
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import direct, gaussian, pieces

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


def stream(engine: OverlapAdd, x: Array, cuts: Sequence[int] = ()) -> Array:
    return np.concatenate([*(engine.process(block) for block in pieces(x, cuts)), engine.flush()])


def whole(engine: OverlapAdd, x: Array) -> Array:
    out: Array = np.full((len(x) + engine.tail, engine.outputs), np.nan, x.dtype)
    engine.convolve(x, out)
    return out


def forced(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    monkeypatch.setattr(overlap_add, "SMALL", -1)  # threads even for little
    monkeypatch.setattr(overlap_add, "choose", lambda *_: plan)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wiring", ROUTINGS.values(), ids=ROUTINGS)
@pytest.mark.parametrize(
    ("frames", "taps"), [(0, 5), (1, 1), (1, 400), (257, 1), (1009, 31), (31, 1009), (5000, 700)]
)
def test_equals_direct_convolution(
    wiring: Routing, frames: int, taps: int, dtype: type[np.floating[Any]]
) -> None:
    x = gaussian(frames, wiring.inputs, seed=1, dtype=dtype)
    responses = gaussian(max(wiring.responses, 1), taps, seed=2, dtype=dtype)
    y = stream(OverlapAdd(responses, wiring, dtype=dtype, length=frames, workers=1), x)
    assert y.dtype == dtype
    assert y.shape == (frames + taps - 1, wiring.outputs)
    if wiring.paths and frames:
        assert null_db(y, direct(x, responses, wiring)) <= BUDGET[dtype]
    else:
        assert not y.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("frames", [1, 19, 64, 100, 811])
def test_every_plan_equals_direct_convolution(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, frames: int, dtype: type[np.floating[Any]]
) -> None:
    forced(monkeypatch, plan)
    wiring = routing.matrix(2, 2)
    x, responses = gaussian(frames, 2, seed=3, dtype=dtype), gaussian(4, 37, seed=4, dtype=dtype)
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
@settings(deadline=None, derandomize=True, max_examples=40)
def test_the_same_bits_for_every_cut_and_any_number_of_workers(
    plan: Plan, wiring: Routing, frames: int, cuts: list[int], workers: int
) -> None:
    x = gaussian(frames, wiring.inputs, seed=5, dtype=np.float32)
    responses = gaussian(max(wiring.responses, 1), 37, seed=6, dtype=np.float32)
    with pytest.MonkeyPatch.context() as monkeypatch:
        forced(monkeypatch, plan)
        once = stream(OverlapAdd(responses, wiring, workers=1), x)
        cut = stream(OverlapAdd(responses, wiring, workers=workers), x, cuts)
        at_once = whole(OverlapAdd(responses, wiring, workers=workers), x)
    np.testing.assert_array_equal(cut, once)
    np.testing.assert_array_equal(at_once, once)


@given(frames=st.integers(0, 3000), taps=st.integers(1, 3000), length=st.none() | st.integers(0, 4000))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_a_wrong_expectation_of_the_length_does_no_harm(frames: int, taps: int, length: int | None) -> None:
    x, responses = gaussian(frames, 1, seed=7), gaussian(1, taps, seed=8)
    engine = OverlapAdd(responses, routing.each(1), dtype=np.float64, length=length, workers=1)
    y = stream(engine, x, [frames // 3])
    assert y.shape == (frames + taps - 1, 1)
    assert frames == 0 or null_db(y, direct(x, responses, routing.each(1))) <= FLOAT64_BUDGET_DB


def test_long_response_with_threads() -> None:
    x, responses = (
        gaussian(60_013, 2, seed=9, dtype=np.float32),
        gaussian(2, 50_021, seed=10, dtype=np.float32),
    )
    wiring = routing.parallel(2)
    expected = np.stack(
        [np.fft.irfft(np.fft.rfft(x[:, c], 2**17) * np.fft.rfft(responses[c], 2**17)) for c in (0, 1)]
    )
    for length in (None, len(x)):
        one = stream(OverlapAdd(responses, wiring, length=length, workers=1), x, range(0, 60_000, 4_999))
        two = stream(OverlapAdd(responses, wiring, length=length, workers=2), x)
        np.testing.assert_array_equal(one, two)
        assert null_db(one, expected[:, : len(one)].T) <= FLOAT32_BUDGET_DB


def test_an_impulse_brings_out_each_partition_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_comes_out_early_is_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch, PLANS["many partitions"])
    engine = OverlapAdd(gaussian(1, 37, seed=11), routing.each(1), dtype=np.float64)
    assert (engine.inputs, engine.outputs, engine.tail, engine.preferred_frames) == (1, 1, 36, 64)
    x = gaussian(200, 1, seed=12)
    assert engine.process(x[:63]).shape == (0, 1)
    assert engine.process(x[63:64]).shape == (64, 1)
    assert engine.process(x[64:]).shape == (128, 1)
    assert engine.flush().shape == (44, 1)


def test_reset_and_finish_leave_it_as_newly_built(monkeypatch: pytest.MonkeyPatch) -> None:
    x, responses = gaussian(301, 2, seed=13), gaussian(2, 37, seed=14)
    for plan in PLANS.values():
        forced(monkeypatch, plan)
        fresh = stream(OverlapAdd(responses, routing.parallel(2), dtype=np.float64), x)
        engine = OverlapAdd(responses, routing.parallel(2), dtype=np.float64)
        engine.process(gaussian(211, 2, seed=15))
        engine.reset()
        np.testing.assert_array_equal(stream(engine, x), fresh)
        np.testing.assert_array_equal(stream(engine, x), fresh)


def test_callers_arrays_stay_theirs() -> None:
    x, responses = gaussian(5000, 2, seed=16), gaussian(2, 300, seed=17)
    kept = x.copy(), responses.copy()
    engine = OverlapAdd(responses, routing.parallel(2), dtype=np.float64)
    parts = [engine.process(x) for _ in range(200)]
    copies = [part.copy() for part in parts]
    engine.flush()
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(responses, kept[1])
    for part, copy in zip(parts, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_as_few_transforms_as_channels_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"forward": 0, "inverse": 0}

    class Counting:
        def forward(self, rows: Array, spectra: Array) -> None:
            counts["forward"] += 1
            fft.forward(rows, spectra)

        def inverse(self, spectra: Array, rows: Array) -> None:
            counts["inverse"] += 1
            fft.inverse(spectra, rows)

    monkeypatch.setattr(fft, "transforms", lambda *_: Counting())
    forced(monkeypatch, PLANS["overlap-add"])
    wiring = Routing(9, 9, tuple(Path(i, o, o) for i in (0, 4, 8) for o in (1, 2)))
    engine = OverlapAdd(gaussian(7, 37, seed=18, dtype=np.float32), wiring, workers=2)
    assert counts == {"forward": 2, "inverse": 0}
    engine.process(gaussian(400, 9, seed=19, dtype=np.float32))  # one segment of two batches
    assert counts == {"forward": 2 + 3 * 2, "inverse": 2 * 2}


def test_memory_stays_constant() -> None:
    engine = OverlapAdd(gaussian(2, 20_000, seed=20, dtype=np.float32), routing.parallel(2), workers=2)
    block = gaussian(engine.preferred_frames // 3, 2, seed=21, dtype=np.float32)
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


def test_a_response_of_another_precision_is_neither_copied_nor_held() -> None:
    rows, wires = gaussian(2, 400_000, seed=9), routing.matrix(1, 2)
    engines, peaks = [], []
    for some in (rows.astype(np.float32), rows):
        tracemalloc.start()
        engines.append(OverlapAdd(some, wires, length=1000, workers=1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert engines[-1].plan.keep_spectra
        assert sys.getrefcount(some) < 5  # those who iterate, and nobody else
    assert peaks[1] - peaks[0] < rows.nbytes / 8
    x = gaussian(1000, 1, seed=10, dtype=np.float32)
    np.testing.assert_array_equal(whole(engines[0], x), whole(engines[1], x))


def test_an_error_in_a_worker_comes_out_and_leaves_nothing_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch, PLANS["overlap-add"])
    engine = OverlapAdd(gaussian(4, 37, seed=23, dtype=np.float32), routing.matrix(2, 2), workers=2)
    expected = whole(engine, gaussian(999, 2, seed=24, dtype=np.float32))

    def failing(*_: object) -> None:
        raise FloatingPointError("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(type(fft._without_planning()), "inverse", failing)
        with pytest.raises(FloatingPointError, match="on purpose"):
            engine.process(gaussian(999, 2, seed=24, dtype=np.float32))
    np.testing.assert_array_equal(whole(engine, gaussian(999, 2, seed=24, dtype=np.float32)), expected)


def test_an_engine_in_use_does_not_keep_the_interpreter_alive() -> None:
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
def test_analysis_may_run_ahead_as_far_as_it_likes(options: list[str]) -> None:
    subprocess.run([sys.executable, *options, "-c", APART.replace("assert ", "")], check=True, cwd=ROOT)
