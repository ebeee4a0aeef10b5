"""The real-time engine against direct convolution in double precision: any layout, any cut, any backend."""

import gc
import threading
import time
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine import routing
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.delay_line import Scratch
from reverb.engine.realtime.mix import Delay, Mixer, Ramp
from reverb.engine.realtime.schedule import ALONE, FFTW_COSTS
from reverb.engine.realtime.swap import SwappableConvolver, fade_curves
from reverb.engine.routing import Routing
from reverb.errors import ParameterError
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db

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


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def direct(x: Array, h: Array, wires: Routing) -> Array:
    """Sum of direct convolutions, cut to the input's length."""
    y = np.zeros((wires.outputs, x.shape[1]))
    for path in wires.paths:
        y[path.output] += np.convolve(x[path.input].astype(float), h[path.response].astype(float))[
            : x.shape[1]
        ]
    return y


def stream(engine: RealtimeConvolver | SwappableConvolver, x: Array) -> Array:
    """Run whole blocks of ``(inputs, frames)`` through an engine."""
    size = engine.block_size
    y = np.zeros((engine.routing.outputs, x.shape[1]), engine.dtype)
    for start in range(0, x.shape[1], size):
        engine.process(x[:, start : start + size], y[:, start : start + size])
    return y


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
def test_equals_direct_convolution(layout: str, size: int, taps: int, dtype: Any, fft: str) -> None:
    if fft == "fftw":
        pytest.importorskip("pyfftw")
    wires = LAYOUTS[layout]
    x = noise(wires.inputs, blocks_for(max(2 * taps, 3 * size), size)).astype(dtype)
    h = noise(max(wires.responses, 1), taps, seed=1).astype(dtype)
    engine = RealtimeConvolver(h, wires, size, dtype, fft=fft)
    expected = direct(x, h, wires)
    budget = FLOAT32_BUDGET_DB if dtype is np.float32 else FLOAT64_BUDGET_DB
    assert null_db(stream(engine, x), expected) <= budget
    engine.reset()
    assert null_db(stream(engine, x), expected) <= budget


@pytest.mark.parametrize("size", [64, 128, 100])
def test_ten_seconds_with_a_response_of_four(size: int) -> None:
    from scipy.signal import oaconvolve

    x = noise(2, blocks_for(480_000, size)).astype(np.float32)
    h = (noise(2, 192_000, seed=1) * np.exp(-np.arange(192_000) / 30_000)).astype(np.float32)
    y = stream(RealtimeConvolver(h, routing.parallel(2), size), x)
    expected = oaconvolve(x.astype(float), h.astype(float), axes=1)[:, : x.shape[1]]
    assert null_db(y, expected) <= FLOAT32_BUDGET_DB


@pytest.mark.parametrize(("size", "taps", "last"), [(16, 60_000, 512), (16, 80_000, 768), (128, 60_000, 128)])
def test_an_impulse_plays_a_ramp_of_all_partitions(size: int, taps: int, last: int) -> None:
    h = np.arange(1, taps + 1, dtype=float)[np.newaxis] / taps
    engine = RealtimeConvolver(h, routing.each(1), size, np.float64, costs=FFTW_COSTS)
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
    x, h = noise(2, 50 * size).astype(dtype), noise(wires.responses, 9000, seed=1).astype(dtype)
    y = stream(RealtimeConvolver(h, wires, size, dtype), x)
    budget = FLOAT32_BUDGET_DB if dtype is np.float32 else FLOAT64_BUDGET_DB
    assert null_db(y, direct(x, h, wires)) <= budget


def test_a_delta_at_every_partition_border() -> None:
    size, taps = 32, 20_000
    plan = RealtimeConvolver(np.ones((1, taps)), routing.each(1), size, np.float64).plan
    edges = {s.offset + p * s.size for s in plan.stages for p in range(s.partitions + 1)}
    picked = sorted(edges)[::5] + [s.offset for s in plan.stages] + [taps - 1]
    x = noise(1, 24_992)
    for edge in sorted({e + d for e in picked for d in (-1, 0) if 0 <= e + d < taps}):
        h = np.zeros((1, edge + 1))
        h[0, edge] = 1
        y = stream(RealtimeConvolver(h, routing.each(1), size, np.float64), x)
        expected = np.pad(x, ((0, 0), (edge, 0)))[:, : x.shape[1]]
        assert null_db(y, expected) <= FLOAT64_BUDGET_DB, edge


def test_answers_in_place_and_leaves_strided_input_alone() -> None:
    x, h = noise(2, 4096), noise(2, 3000, seed=1)
    expected = direct(x, h, routing.parallel(2))
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
    x[3] = noise(8192)
    y = stream(RealtimeConvolver(noise(6, 5000, seed=1), LAYOUTS["sparse"], 128, np.float64), x)
    assert [bool(np.any(channel)) for channel in y] == [False, False, False, True, False]


def test_a_decay_into_denormals_is_cut_below_the_rounding_error() -> None:
    h = np.exp(-np.arange(20_000) / 100.0)[np.newaxis]
    x = noise(1, 25_600).astype(np.float32)
    y = stream(RealtimeConvolver(h, routing.each(1), 128), x)
    assert null_db(y, direct(x, h, routing.each(1))) <= FLOAT32_BUDGET_DB
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
    scratch = Scratch(ALONE, np.dtype(dtype))
    x, total = np.ones((8, ALONE // 8), dtype), np.zeros(ALONE // 8, dtype)
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
    size: int, taps: int, dtype: Any, fft: str
) -> None:
    if fft == "fftw":
        pytest.importorskip("pyfftw")
    inner = RealtimeConvolver(noise(2, taps), routing.parallel(2), size, dtype, fft=fft)
    engine = SwappableConvolver(inner, taps)
    x, y = noise(2, size).astype(dtype), np.empty((2, size), dtype)
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


# ---- changing the response ----


@pytest.mark.parametrize("curve", ["equal gain", "equal power"])
@pytest.mark.parametrize(("before", "after"), [(3000, 9000), (9000, 3000), (1, 5000), (5000, 1)])
def test_crossfade_sounds_as_if_the_new_response_had_always_been_there(
    curve: str, before: int, after: int
) -> None:
    size, fade, wires = 64, 300, routing.parallel(2)
    x, old, new = noise(2, 300 * size), noise(2, before, seed=1), noise(2, after, seed=2)
    engine = SwappableConvolver(RealtimeConvolver(old, wires, size, np.float64), 9000)
    at = 160 * size
    first = stream(engine, x[:, :at])
    engine.swap(RealtimeConvolver(new, wires, size, np.float64), "crossfade", fade, curve)
    assert engine.changing
    y = np.concatenate((first, stream(engine, x[:, at:])), axis=1)
    raised = (1 - np.cos(np.pi * np.clip((np.arange(x.shape[1]) - at + 1) / fade, 0, 1))) / 2
    laws = {
        "equal gain": (1 - raised, raised),
        "equal power": (np.cos(np.pi / 2 * raised), np.sin(np.pi / 2 * raised)),
    }
    expected = sum(direct(x, h, wires) * gains for h, gains in zip((old, new), laws[curve], strict=True))
    assert null_db(y, expected) <= FLOAT64_BUDGET_DB
    assert not engine.changing


def test_spillover_lets_the_old_tail_ring_out() -> None:
    size, fade, wires = 64, 300, routing.matrix(2, 2)
    x, old, new = noise(2, 400 * size), noise(4, 6000, seed=1), noise(4, 4000, seed=2)
    engine = SwappableConvolver(RealtimeConvolver(old, wires, size, np.float64), 6000)
    at = 160 * size
    first = stream(engine, x[:, :at])
    engine.swap(RealtimeConvolver(new, wires, size, np.float64), "spillover", fade, "equal gain")
    y = np.concatenate((first, stream(engine, x[:, at:])), axis=1)
    into = np.sin(np.clip((np.arange(x.shape[1]) - at + 1) / fade, 0, 1) * np.pi / 2) ** 2
    expected = direct(x * (1 - into), old, wires) + direct(x * into, new, wires)
    assert null_db(y, expected) <= FLOAT64_BUDGET_DB
    assert not engine.changing


def test_a_crossfade_after_a_spillover_does_not_hear_what_still_rings() -> None:
    size, wires = 32, routing.each(1)
    x = noise(1, 600 * size)
    h = [noise(1, taps, seed=taps) for taps in (3000, 2000, 4000)]
    engine = SwappableConvolver(RealtimeConvolver(h[0], wires, size, np.float64), 4000)
    parts = [stream(engine, x[:, : 200 * size])]
    engine.swap(RealtimeConvolver(h[1], wires, size, np.float64), "spillover", 0, "equal gain")
    parts.append(stream(engine, x[:, 200 * size : 240 * size]))
    engine.swap(RealtimeConvolver(h[2], wires, size, np.float64), "crossfade", 0, "equal gain")
    parts.append(stream(engine, x[:, 240 * size :]))
    late = x.copy()
    late[:, : 200 * size] = 0
    early = x - late
    expected = direct(early, h[0], wires)
    expected[:, : 240 * size] += direct(late, h[1], wires)[:, : 240 * size]
    expected[:, 240 * size :] += direct(late, h[2], wires)[:, 240 * size :]
    assert null_db(np.concatenate(parts, axis=1), expected) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("mode", ["crossfade", "spillover"])
def test_swapping_a_sustained_tone_does_not_click(mode: str) -> None:
    size, wires = 64, routing.each(1)
    tone = np.sin(2 * np.pi * 0.01 * np.arange(600 * size))[np.newaxis]
    old, new = np.zeros((1, 2000)), np.zeros((1, 3000))
    old[0, [0, 700]], new[0, [0, 2500]] = (0.9, 0.4), (-0.8, 0.5)
    engine = SwappableConvolver(RealtimeConvolver(old, wires, size, np.float64), 3000)
    parts = [stream(engine, tone[:, : 200 * size])]
    engine.swap(RealtimeConvolver(new, wires, size, np.float64), mode, 1024, "equal gain")
    parts.append(stream(engine, tone[:, 200 * size :]))
    y = np.concatenate(parts, axis=1)[0, 100 * size :]
    jumps = np.abs(np.diff(y))
    alone = max(jumps[: 50 * size].max(), jumps[-50 * size :].max())
    assert jumps.max() <= 1.1 * alone


def test_requests_faster_than_fades_keep_to_few_voices_and_end_with_the_last() -> None:
    size, wires = 64, routing.each(1)
    x = noise(1, 900 * size)
    engine = SwappableConvolver(RealtimeConvolver(noise(1, 8000), wires, size, np.float64), 8000)
    parts, last = [], np.zeros((1, 1))
    for n in range(60):
        last = noise(1, 500 + 100 * n, seed=n)
        mode = ("spillover", "crossfade", "spillover")[n % 3]
        engine.swap(RealtimeConvolver(last, wires, size, np.float64), mode, 200, "equal power")
        parts.append(stream(engine, x[:, n * size : (n + 1) * size]))
        assert len(engine._voices) <= 6
    parts.append(stream(engine, x[:, 60 * size :]))
    y = np.concatenate(parts, axis=1)
    assert not engine.changing
    assert null_db(y[:, 400 * size :], direct(x, last, wires)[:, 400 * size :]) <= FLOAT64_BUDGET_DB


def test_swaps_from_another_thread() -> None:
    size, wires = 64, routing.parallel(2)
    x = noise(2, size * 50)
    responses = [noise(2, taps, seed=taps) for taps in (100, 3000, 7000)]
    engine = SwappableConvolver(RealtimeConvolver(responses[0], wires, size, np.float64), 7000)
    done = threading.Event()

    def control() -> None:
        for n in range(9):
            new = RealtimeConvolver(responses[n % 3], wires, size, np.float64)
            engine.swap(new, ("crossfade", "spillover")[n % 2], 500, "equal gain")
        done.set()

    thread = threading.Thread(target=control)
    thread.start()
    while not done.is_set():
        assert np.isfinite(stream(engine, x)).all()
    thread.join()
    for _ in range(20):
        y = stream(engine, x)
    assert not engine.changing
    repeated = np.tile(x, 4)
    assert null_db(y, direct(repeated, responses[2], wires)[:, -50 * size :]) <= FLOAT64_BUDGET_DB


def test_no_convolver_is_freed_in_the_audio_thread() -> None:
    """It takes milliseconds: who swaps next frees what has left, and so it is kept until then."""
    size, wires = 64, routing.each(1)
    engines = [RealtimeConvolver(noise(1, 2000, seed=n), wires, size, np.float64) for n in range(4)]
    alive = [weakref.ref(engine) for engine in engines]
    engine = SwappableConvolver(engines.pop(0), 2000)
    for gone in range(3):
        engine.swap(engines.pop(0), "crossfade", 128, "equal gain")
        if gone == 2:
            engine.reset()
        stream(engine, noise(1, 20 * size))
        assert not engine.changing
        assert [ref() is not None for ref in alive[: gone + 1]] == [False] * gone + [True]


def test_reset_forgets_a_fade_and_keeps_the_newest_response() -> None:
    size, wires = 64, routing.each(1)
    x, new = noise(1, 100 * size), noise(1, 900, seed=2)
    engine = SwappableConvolver(RealtimeConvolver(noise(1, 3000), wires, size, np.float64), 3000)
    stream(engine, x)
    engine.swap(RealtimeConvolver(new, wires, size, np.float64), "crossfade", 2000, "equal gain")
    stream(engine, x[:, :size])
    engine.reset()
    assert null_db(stream(engine, x), direct(x, new, wires)) <= FLOAT64_BUDGET_DB
    engine.swap(RealtimeConvolver(-new, wires, size, np.float64), "spillover", 2000, "equal gain")
    engine.reset()
    assert null_db(stream(engine, x), direct(x, -new, wires)) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("curve", ["equal gain", "equal power"])
def test_fades_have_no_corner_at_their_ends(curve: str) -> None:
    slopes = np.diff(
        np.concatenate(([[0.0]], fade_curves(1000, 50, curve, np.dtype(np.float64))[0].reshape(1, -1)), 1)
    )
    assert slopes[0, 0] < slopes.max() / 200
    assert slopes[0, -1] < slopes.max() / 200


@pytest.mark.parametrize("frames", [0, 1, 63, 64, 65, 1000])
def test_fades_end_exactly_and_keep_gain_or_power(frames: int) -> None:
    for curve, power in (("equal gain", 1), ("equal power", 2)):
        fade_in, fade_out = fade_curves(frames, 64, curve, np.dtype(np.float64))
        assert np.allclose(fade_in**power + fade_out**power, 1)
        assert fade_in[-1, -1] == 1
        assert fade_out[-1, -1] == 0
        assert fade_in.shape == (max(1, -(-frames // 64)), 64)


# ---- levels ----


@pytest.mark.parametrize("frames", [1, 10, 64, 100, 200])
def test_a_ramp_is_one_straight_line_over_the_blocks(frames: int) -> None:
    ramp = Ramp(0.25, frames, 64, np.dtype(np.float64))
    gains = []
    for _ in range(5):
        ramp.advance(1.25)
        gains.append(ramp.gains.copy())
    expected = 0.25 + np.minimum(np.arange(1, 321) / frames, 1)
    assert np.allclose(np.concatenate(gains), expected, atol=1e-12)
    assert ramp.value == 1.25


def test_a_ramp_turns_round_where_it_is() -> None:
    ramp = Ramp(0, 640, 64, np.dtype(np.float64))
    ramp.advance(1)
    middle = ramp.value
    ramp.advance(0)
    assert ramp.gains[0] == pytest.approx(middle * (1 - 1 / 640))


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (2, 2), (1, 3), (3, 2), (2, 4)])
def test_the_dry_path_goes_to_its_own_channels(inputs: int, outputs: int) -> None:
    mixer = Mixer(0.0, 1.0, 8, (inputs, outputs, 16), np.dtype(np.float64))
    dry, signal = noise(inputs, 16), noise(outputs, 16)
    mixer.process(signal, dry)
    for channel in range(outputs):
        source = 0 if inputs == 1 else channel
        assert np.array_equal(signal[channel], dry[source] if source < inputs else np.zeros(16))


@given(st.integers(0, 300), st.integers(1, 64))
@quick
def test_the_delay_is_exact(frames: int, size: int) -> None:
    delay = Delay(frames, 2, size, np.dtype(np.float64))
    x = noise(2, 12 * size)
    y = np.empty_like(x)
    for start in range(0, x.shape[1], size):
        delay.process(x[:, start : start + size], y[:, start : start + size])
    assert np.array_equal(y, np.pad(x, ((0, 0), (frames, 0)))[:, : x.shape[1]])


@pytest.mark.skipif(not AUDIO.is_dir(), reason="the recordings are not here")
def test_a_real_recording_in_a_real_hall() -> None:
    import soundfile
    from scipy.signal import oaconvolve

    h = soundfile.read(AUDIO / "ir" / "gh_openair_st_andrews_church.wav")[0].T
    voice = soundfile.read(AUDIO / "dry" / "gh_openair_operatic_voice_anechoic.wav")[0]
    x = np.stack((voice, voice))[:, : len(voice) // 128 * 128].astype(np.float32)
    y = stream(RealtimeConvolver(h, routing.parallel(2), 128), x)
    assert null_db(y, oaconvolve(x.astype(float), h, axes=1)[:, : x.shape[1]]) <= FLOAT32_BUDGET_DB
