"""The real-time engine against direct convolution in double precision: any layout, any cut, any backend."""

import gc
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine import routing
from reverb.engine.fft import BackendName
from reverb.engine.machine import FFTW_COSTS, Machine
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.delay_line import Scratch
from reverb.engine.realtime.schedule import MAX_PRODUCTS
from reverb.engine.realtime.swap import SwappableConvolver
from reverb.engine.routing import Routing
from reverb.errors import ParameterError
from tests.engine.realtime.rows import direct_rows, stream
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import gaussian

Array = npt.NDArray[Any]
AUDIO = Path(__file__).resolve().parents[3] / "shared" / "audio"
LAYOUTS = {
    "mono": routing.each(1),
    "each of 3": routing.each(3),
    "stereo": routing.parallel(2),
    "mono to stereo": routing.matrix(1, 2),
    "true stereo": routing.matrix(2, 2),
    "3×2": routing.matrix(3, 2),
    "sparse": routing.from_pairs(4, 5, [(0, 0), (2, 0), (1, 1), (3, 3), (1, 3), (2, 4)]),
    "crossed": routing.from_pairs(2, 2, [(1, 0), (0, 1)]),
    "no path at all": Routing(2, 2, ()),
}
quick = settings(deadline=None, derandomize=True, max_examples=40)


def blocks_for(frames: int, size: int) -> int:
    return -(-frames // size) * size


@quick
@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from([16, 24, 37, 64, 100, 128, 255, 441, 509, 512]),
    st.integers(1, 6000),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from(["fftw", "pocketfft", "numpy"]),
)
def test_equals_direct_convolution(layout: str, size: int, taps: int, dtype: Any, fft: BackendName) -> None:
    if fft == "fftw":
        pytest.importorskip("pyfftw")
    wires = LAYOUTS[layout]
    x = gaussian(wires.inputs, blocks_for(max(2 * taps, 3 * size), size)).astype(dtype)
    h = gaussian(max(wires.responses, 1), taps, seed=1).astype(dtype)
    engine = RealtimeConvolver(h, wires, size, dtype, fft=fft)
    expected = direct_rows(x, h, wires)
    budget = FLOAT32_BUDGET_DB if dtype is np.float32 else FLOAT64_BUDGET_DB
    assert null_db(stream(engine, x), expected) <= budget
    engine.reset()
    assert null_db(stream(engine, x), expected) <= budget


@pytest.mark.parametrize("size", [64, 128, 100])
def test_ten_seconds_with_a_response_of_four(size: int) -> None:
    from scipy.signal import oaconvolve

    x = gaussian(2, blocks_for(480_000, size)).astype(np.float32)
    h = (gaussian(2, 192_000, seed=1) * np.exp(-np.arange(192_000) / 30_000)).astype(np.float32)
    y = stream(RealtimeConvolver(h, routing.parallel(2), size), x)
    expected = oaconvolve(x.astype(float), h.astype(float), axes=1)[:, : x.shape[1]]
    assert null_db(y, expected) <= FLOAT32_BUDGET_DB


@pytest.mark.parametrize(("size", "taps", "last"), [(16, 60_000, 512), (16, 80_000, 768), (128, 60_000, 128)])
def test_an_impulse_plays_a_ramp_of_all_partitions(size: int, taps: int, last: int) -> None:
    h = np.arange(1, taps + 1, dtype=float)[np.newaxis] / taps
    engine = RealtimeConvolver(h, routing.each(1), size, np.float64, machine=Machine.of(FFTW_COSTS))
    assert len(engine.plan.stages) == 3
    assert engine.plan.stages[-1].ratio == last
    x = np.zeros((1, blocks_for(taps + 5 * size, size)))
    x[0, 3] = 1
    y = stream(engine, x)
    assert null_db(y[:, 3 : 3 + taps], h) <= FLOAT64_BUDGET_DB
    assert np.abs(y[:, 3 + taps :]).max() < 1e-13


@pytest.mark.parametrize(("size", "dtype"), [(509, np.float32), (511, np.float32), (255, np.float64)])
@pytest.mark.parametrize("layout", ["stereo", "true stereo"])
def test_sizes_whose_spectra_would_be_whole_pages(size: int, dtype: Any, layout: str) -> None:
    wires = LAYOUTS[layout]
    x, h = gaussian(2, 50 * size).astype(dtype), gaussian(wires.responses, 9000, seed=1).astype(dtype)
    y = stream(RealtimeConvolver(h, wires, size, dtype), x)
    budget = FLOAT32_BUDGET_DB if dtype is np.float32 else FLOAT64_BUDGET_DB
    assert null_db(y, direct_rows(x, h, wires)) <= budget


def test_a_delta_at_every_partition_border() -> None:
    size, taps = 32, 20_000
    plan = RealtimeConvolver(np.ones((1, taps)), routing.each(1), size, np.float64).plan
    edges = {s.offset + p * s.size for s in plan.stages for p in range(s.partitions + 1)}
    picked = sorted(edges)[::5] + [s.offset for s in plan.stages] + [taps - 1]
    x = gaussian(1, 24_992)
    for edge in sorted({e + d for e in picked for d in (-1, 0) if 0 <= e + d < taps}):
        h = np.zeros((1, edge + 1))
        h[0, edge] = 1
        y = stream(RealtimeConvolver(h, routing.each(1), size, np.float64), x)
        expected = np.pad(x, ((0, 0), (edge, 0)))[:, : x.shape[1]]
        assert null_db(y, expected) <= FLOAT64_BUDGET_DB, edge


def test_answers_in_place_and_leaves_strided_input_alone() -> None:
    x, h = gaussian(2, 4096), gaussian(2, 3000, seed=1)
    expected = direct_rows(x, h, routing.parallel(2))
    engine = RealtimeConvolver(h, routing.parallel(2), 64, np.float64)
    buffer = np.ascontiguousarray(x.T)
    for start in range(0, 4096, 64):
        block = buffer[start : start + 64].T
        engine.process(block, block)
    assert null_db(buffer.T, expected) <= FLOAT64_BUDGET_DB
    kept = x.copy()
    engine.reset()
    stream(engine, x)
    assert np.array_equal(x, kept)


def test_an_unlisted_path_stays_silent_and_channels_do_not_leak() -> None:
    x = np.zeros((4, 8192))
    x[3] = gaussian(8192)
    y = stream(RealtimeConvolver(gaussian(6, 5000, seed=1), LAYOUTS["sparse"], 128, np.float64), x)
    assert [bool(np.any(channel)) for channel in y] == [False, False, False, True, False]


def test_a_decay_into_denormals_is_cut_below_the_rounding_error() -> None:
    h = np.exp(-np.arange(20_000) / 100.0)[np.newaxis]
    x = gaussian(1, 25_600).astype(np.float32)
    y = stream(RealtimeConvolver(h, routing.each(1), 128), x)
    assert null_db(y, direct_rows(x, h, routing.each(1))) <= FLOAT32_BUDGET_DB
    x[:, 6400:] = 0
    engine = RealtimeConvolver(h, routing.each(1), 128)
    y = stream(engine, x)
    tiny = np.finfo(np.float32).tiny
    assert not np.any((y != 0) & (np.abs(y) < tiny))


def test_the_block_size_must_be_positive() -> None:
    with pytest.raises(ParameterError, match="block_size is 0"):
        RealtimeConvolver(np.ones((1, 4)), routing.each(1), 0)


@pytest.mark.timing
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_largest_multiply_add_wakes_no_other_thread(dtype: Any) -> None:
    scratch = Scratch(MAX_PRODUCTS, np.dtype(dtype))
    x, total = np.ones((8, MAX_PRODUCTS // 8), dtype), np.zeros(MAX_PRODUCTS // 8, dtype)
    steps = list(scratch.multiply_add(x, x, total))
    for _ in range(3):
        started, alone = time.process_time(), time.thread_time()
        while time.thread_time() < alone + 0.1:
            for step in steps:
                step()
        others = time.process_time() - started - (time.thread_time() - alone)
        if others < 0.02:
            break  # what BLAS's threads spin for when they begin is over
    assert others < 0.02
    np.testing.assert_array_equal(total, 8)


@pytest.mark.parametrize("fft", ["fftw", "pocketfft", "numpy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "taps"), [(64, 5_000), (128, 192_000), (512, 192_000)])
def test_blocks_allocate_nothing_and_do_not_wake_the_collector(
    size: int, taps: int, dtype: Any, fft: BackendName
) -> None:
    if fft == "fftw":
        pytest.importorskip("pyfftw")
    inner = RealtimeConvolver(gaussian(2, taps), routing.parallel(2), size, dtype, fft=fft)
    engine = SwappableConvolver(inner, taps)
    x, y = gaussian(2, size).astype(dtype), np.empty((2, size), dtype)
    for _ in range(100):
        engine.process(x, y)
    collections = gc.get_stats()[0]["collections"]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for _ in range(3_000 if size == 128 else 1_000):  # some periods of the longest stage
        engine.process(x, y)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 4_000
    assert after - before < 2_000
    assert gc.get_stats()[0]["collections"] == collections


@pytest.mark.skipif(not AUDIO.is_dir(), reason="the recordings are not here")
def test_a_real_recording_in_a_real_hall() -> None:
    import soundfile
    from scipy.signal import oaconvolve

    h = soundfile.read(AUDIO / "ir" / "gh_openair_st_andrews_church.wav")[0].T
    voice = soundfile.read(AUDIO / "dry" / "gh_openair_operatic_voice_anechoic.wav")[0]
    x = np.stack((voice, voice))[:, : len(voice) // 128 * 128].astype(np.float32)
    y = stream(RealtimeConvolver(h, routing.parallel(2), 128), x)
    assert null_db(y, oaconvolve(x.astype(float), h, axes=1)[:, : x.shape[1]]) <= FLOAT32_BUDGET_DB
