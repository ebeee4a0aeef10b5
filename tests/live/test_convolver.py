"""The public real-time convolver: shapes, layouts, levels, bad blocks, swaps, and calls of any length."""

import threading
import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects.effect import HasResponse
from reverb.engine.realtime.adapter import BlockAdapter
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.swap import Mode
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db, to_db
from reverb.live.convolver import Convolver
from reverb.responses.response import ImpulseResponse
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import Array, stream
from tests.signals import gaussian as noise

SIZE = 64


def filtered(x: Array, h: Array) -> Array:
    return np.convolve(x, h)[: len(x)]


def double(h: HasResponse | npt.ArrayLike, **settings: Any) -> Convolver:
    return Convolver(h, SIZE, dtype=np.float64, **settings)


# ---- layouts and shapes ----


def test_mono_blocks_come_back_as_they_are() -> None:
    x, h = noise(SIZE * 20), noise(700, seed=1)
    y = stream(double(h), x)
    assert y.shape == x.shape
    assert null_db(y, filtered(x, h)) <= FLOAT64_BUDGET_DB
    assert null_db(stream(double(h), x[:, np.newaxis])[:, 0], filtered(x, h)) <= FLOAT64_BUDGET_DB


def test_one_channel_serves_every_input() -> None:
    x, h = noise(SIZE * 20, 3), noise(700, seed=1)
    y = stream(double(h, inputs=3), x)
    for channel in range(3):
        assert null_db(y[:, channel], filtered(x[:, channel], h)) <= FLOAT64_BUDGET_DB


def test_two_channels_are_stereo_and_spread_a_mono_input() -> None:
    x, h = noise(SIZE * 20, 2), noise(700, 2, seed=1)
    stereo, spread = stream(double(h), x), stream(double(h, inputs=1), x[:, 0] * np.sqrt(2))
    assert spread.shape == (len(x), 2)
    for channel in range(2):
        assert null_db(stereo[:, channel], filtered(x[:, channel], h[:, channel])) <= FLOAT64_BUDGET_DB
        assert null_db(spread[:, channel], filtered(x[:, 0], h[:, channel])) <= FLOAT64_BUDGET_DB


def test_four_channels_are_true_stereo() -> None:
    x, h = noise(SIZE * 20, 2), noise(700, 4, seed=1)
    y = stream(double(h), x)
    left = filtered(x[:, 0], h[:, 0]) + filtered(x[:, 1], h[:, 2])
    right = filtered(x[:, 0], h[:, 1]) + filtered(x[:, 1], h[:, 3])
    assert null_db(y, np.stack((left, right), axis=1)) <= FLOAT64_BUDGET_DB


def test_a_matrix_is_given_by_the_response() -> None:
    x, h = noise(SIZE * 20, 3), noise(500, 6, seed=1)
    y = stream(double(ImpulseResponse(h, 48_000, wiring="3x2"), sample_rate=48_000), x)
    expected = sum(filtered(x[:, i], h[:, 2 * i]) for i in range(3))
    assert y.shape == (len(x), 2)
    assert null_db(y[:, 0], expected) <= FLOAT64_BUDGET_DB


def test_an_effect_is_made_for_the_sample_rate() -> None:
    import reverb

    low = reverb.LowPass(1000)
    x = noise(SIZE * 100)
    y = stream(double(low, sample_rate=48_000, inputs=1), x)
    assert null_db(y, filtered(x, low.response(48_000).samples[:, 0])) <= FLOAT64_BUDGET_DB
    with pytest.raises(ParameterError, match="give sample_rate="):
        Convolver(low)


def test_float32_by_default_and_any_real_type_in() -> None:
    h = noise(300, seed=1)
    x = np.round(noise(SIZE * 20) * 1000).astype(np.int16)
    y = stream(Convolver(h, SIZE), x)
    assert y.dtype == np.float32
    assert null_db(y, filtered(x.astype(float), h)) <= FLOAT32_BUDGET_DB


def test_the_answer_may_replace_the_block() -> None:
    x, h = noise(SIZE * 20, 2), noise(700, 2, seed=1)
    expected = stream(double(h), x)
    convolver, kept = double(h), x.copy()
    for n in range(0, len(x), SIZE):
        block = x[n : n + SIZE]
        assert convolver.process(block, out=block) is block
    assert np.array_equal(x, expected)
    convolver.reset()
    assert np.array_equal(stream(convolver, kept), expected)


@pytest.mark.parametrize("size", [16, 100, 512])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_out_of_any_layout(size: int, channels: int) -> None:
    x, h = noise(size * 8, channels), noise(200, seed=1)
    convolver = Convolver(h, size, inputs=channels, dtype=np.float64)
    expected = stream(convolver, x)
    convolver.reset()
    got = np.empty_like(expected, order="F")
    for n in range(0, len(x), size):
        convolver.process(x[n : n + size], got[n : n + size])
    assert np.array_equal(got, expected)


def test_answers_do_not_share_memory_with_the_convolver() -> None:
    convolver, x = double(noise(300)), noise(SIZE, seed=1)
    first = convolver.process(x)
    kept = first.copy()
    convolver.process(x)
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("shape", [(SIZE - 1, 2), (SIZE + 1, 2), (SIZE, 1), (SIZE,), (2, SIZE), (0, 2)])
def test_blocks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidAudioError, match="expected \\(64, 2\\)"):
        double(noise(10, 2)).process(np.zeros(shape))
    with pytest.raises(InvalidAudioError, match="out has shape"):
        double(noise(10, 2)).process(np.zeros((SIZE, 2)), np.zeros(shape))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"block_size": 0}, "block_size is 0; expected a whole number from 1"),
        ({"block_size": 1.5}, "block_size is 1.5"),
        ({"inputs": 0}, "inputs is 0"),
        ({"wet_db": np.nan}, "wet_db is nan"),
        ({"gain_db": np.inf}, "gain_db is inf dB; expected a number up to 120 dB"),
        ({"ramp": 0}, "ramp is 0"),
        ({"dtype": np.int16}, "dtype is int16; expected float32 or float64"),
    ],
)
def test_settings_out_of_range_say_what_is_allowed(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Convolver([1.0], **settings)


def test_responses_that_cannot_be_wired_are_refused() -> None:
    with pytest.raises(InvalidAudioError, match="has 3 channels"):
        Convolver(noise(10, 3))
    with pytest.raises(InvalidAudioError, match="takes 2 channels"):
        Convolver(noise(10, 2), inputs=3)
    with pytest.raises(InvalidAudioError, match="NaN or infinity"):
        Convolver([1.0, np.nan])


# ---- time ----


def test_latency_and_tail_are_exact() -> None:
    convolver = double(noise(700))
    assert (convolver.latency, convolver.tail) == (0, 699)
    x = np.zeros(SIZE * 20)
    x[0] = 1
    heard = np.flatnonzero(np.abs(stream(convolver, x)) > 1e-12)
    assert (heard[0], heard[-1]) == (0, 699)


def test_the_dry_path_is_exact_and_aligned_with_a_late_response() -> None:
    h = np.zeros(301)
    h[150] = 1.0
    late = ImpulseResponse(h, 48_000, latency=150)
    convolver = double(late, dry_db=0, sample_rate=48_000)
    assert convolver.latency == 150
    x = noise(SIZE * 20)
    aligned = np.pad(x, (150, 0))[: len(x)]
    assert null_db(stream(convolver, x), 2 * aligned) <= FLOAT64_BUDGET_DB
    assert np.array_equal(stream(double(late, wet_db=-np.inf, dry_db=0, sample_rate=48_000), x), aligned)


def test_reset_is_as_newly_built() -> None:
    x, h = noise(SIZE * 20), noise(3000, seed=1)
    convolver = double(h, dry_db=to_db(0.5))
    first = stream(convolver, x)
    convolver.dry_db = to_db(0.7)
    convolver.process(x[:SIZE])
    convolver.reset()
    assert null_db(stream(convolver, x), first + 0.2 * x) <= FLOAT64_BUDGET_DB


# ---- levels ----


def test_levels_add_up() -> None:
    x, h = noise(SIZE * 20), noise(700, seed=1)
    y = stream(double(h, wet_db=-20, dry_db=-40, gain_db=20), x)
    assert null_db(y, filtered(x, h) + 0.1 * x) <= FLOAT64_BUDGET_DB


def test_levels_move_in_a_straight_line_over_the_ramp() -> None:
    x = np.ones(SIZE * 40)
    convolver = double([1.0], ramp=500)
    y = [stream(convolver, x[: SIZE * 4])]
    convolver.gain_db = to_db(0.25)
    y.append(stream(convolver, x[SIZE * 4 :]))
    expected = np.interp(np.arange(len(x)), [4 * SIZE - 1, 4 * SIZE + 499], [1, 0.25])
    assert null_db(np.concatenate(y), expected) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("change", [{"wet_db": -20}, {"dry_db": 0.0}, {"gain_db": -np.inf}, {"bypass": True}])
def test_no_level_clicks(change: dict[str, Any]) -> None:
    tone = np.sin(2 * np.pi * 0.01 * np.arange(SIZE * 200))
    convolver = double(np.array([0.6, 0, 0, 0.3]))
    parts = [stream(convolver, tone[: SIZE * 80])]
    for name, value in change.items():
        setattr(convolver, name, value)
        assert getattr(convolver, name) == value
    parts.append(stream(convolver, tone[SIZE * 80 :]))
    jumps = np.abs(np.diff(np.concatenate(parts)))
    assert jumps.max() <= 1.02 * max(jumps[: SIZE * 70].max(), jumps[-SIZE * 70 :].max())


def test_bypass_is_the_input_itself_and_the_convolver_goes_on_behind_it() -> None:
    x, h = noise(SIZE * 80), noise(700, seed=1)
    convolver = double(h, wet_db=to_db(0.4), ramp=SIZE)
    convolver.bypass = True
    y = stream(convolver, x[: SIZE * 40])
    assert np.array_equal(y[SIZE:], x[SIZE : SIZE * 40])
    convolver.bypass = False
    y = stream(convolver, x[SIZE * 40 :])
    assert null_db(y[SIZE:], 0.4 * filtered(x, h)[SIZE * 41 :]) <= FLOAT64_BUDGET_DB


# ---- bad and faint blocks ----


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_block_counts_as_silence_and_leaves_no_trace(bad: float) -> None:
    x, h = noise(SIZE * 60, 2), noise(2000, 2, seed=1)
    mended = x.copy()
    mended[SIZE * 5 : SIZE * 6] = 0
    x[SIZE * 5 + 3, 1] = bad
    convolver = double(h, dry_db=0)
    y = stream(convolver, x)
    assert convolver.dropped == 1
    assert np.array_equal(y, stream(double(h, dry_db=0), mended))


def test_a_very_loud_block_is_heard() -> None:
    x = np.full(SIZE, 1e30, np.float32)
    convolver = Convolver([1.0], SIZE)
    assert null_db(convolver.process(x), x) <= FLOAT32_BUDGET_DB
    assert convolver.dropped == 0


def test_faint_blocks_are_silence_so_that_no_denormal_arises() -> None:
    convolver = Convolver(noise(3000), SIZE)
    for level in (1e-40, 1e-30, 1e-24):
        x = np.full(SIZE, level, np.float32)
        assert not any(convolver.process(x).any() for _ in range(60))
    assert convolver.dropped == 0
    assert convolver.process(np.full(SIZE, 1e-15, np.float32)).any()


# ---- changing the response ----


@pytest.mark.parametrize("mode", ["crossfade", "spillover"])
def test_swap_ends_with_the_new_response(mode: Mode) -> None:
    x, old, new = noise(SIZE * 200, 2), noise(3000, 2, seed=1), noise(5000, 4, seed=2)
    convolver = double(old, max_taps=5000)
    stream(convolver, x)
    assert convolver.tail == 2999
    convolver.swap(new, mode=mode, fade=200)
    assert convolver.changing
    y = stream(convolver, x)
    assert not convolver.changing
    assert convolver.tail == 4999
    fresh = stream(double(new), np.concatenate((x, x)))[len(x) :]
    assert null_db(y[SIZE * 130 :], fresh[SIZE * 130 :]) <= FLOAT64_BUDGET_DB


def test_a_response_with_less_latency_is_delayed_to_fit_and_with_more_refused() -> None:
    h = np.zeros(301)
    h[100] = 1.0
    convolver = double(ImpulseResponse(h, 48_000, latency=100), dry_db=0, sample_rate=48_000)
    x = noise(SIZE * 60)
    convolver.swap(np.array([0.5]), fade=0)
    assert convolver.latency == 100
    assert null_db(stream(convolver, x), 1.5 * np.pad(x, (100, 0))[: len(x)]) <= FLOAT64_BUDGET_DB
    with pytest.raises(ParameterError, match="expected at most 100"):
        convolver.swap(ImpulseResponse(h, 48_000, latency=101))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mode": "jump"}, ParameterError, "'crossfade' or 'spillover'"),
        ({"curve": "line"}, ParameterError, "'equal gain' or 'equal power'"),
        ({"fade": -1}, ParameterError, "fade is -1"),
    ],
)
def test_swap_says_what_is_allowed(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        double([1.0]).swap([0.5], **arguments)
    with pytest.raises(InvalidAudioError, match="2 outputs; expected 1"):
        double([1.0]).swap(noise(10, 2))


def test_the_stream_and_its_levels_go_on_while_a_response_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    convolver, x = double(noise(300), ramp=1), noise(SIZE)
    begun, go = threading.Event(), threading.Event()

    def build(*arguments: Any, **settings: Any) -> RealtimeConvolver:
        begun.set()
        assert go.wait(20)
        return RealtimeConvolver(*arguments, **settings)

    monkeypatch.setattr("reverb.live.convolver.RealtimeConvolver", build)
    swapping = threading.Thread(target=lambda: convolver.swap([1.0], fade=0), daemon=True)
    swapping.start()
    assert begun.wait(20)
    convolver.gain_db, convolver.bypass = -6.0, True
    assert np.array_equal(convolver.process(x), convolver.process(x))
    assert np.array_equal(convolver.process(x), x)
    go.set()
    swapping.join(20)
    convolver.bypass = False
    convolver.reset()
    assert null_db(convolver.process(x), x * from_db(-6.0)) <= FLOAT64_BUDGET_DB


# ---- real time ----


@pytest.mark.parametrize(("size", "channels"), [(64, 2), (128, 1), (512, 2)])
def test_blocks_allocate_next_to_nothing(size: int, channels: int) -> None:
    convolver = Convolver(noise(48_000, channels), size, dry_db=-6)
    x, out = noise(size, channels).astype(np.float32), np.empty((size, channels), np.float32)
    silence = np.zeros_like(x)
    for _ in range(20):
        convolver.process(x, out)
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(10_000 if size == 128 else 2_000):
        convolver.process(silence if n % 3 == 0 else x, out)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 4_000
    assert after - before < 2_000


def test_the_plan_is_printed() -> None:
    convolver = Convolver(noise(48_000, 2))
    assert "taps in blocks of 128" in str(convolver.plan)
    assert repr(convolver).startswith("<Convolver 2 in, 2 out: Plan(48000 taps")


# ---- calls of any length ----


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(1, 80), st.lists(st.integers(0, 200), min_size=1, max_size=30), st.sampled_from([1, 2]))
def test_calls_of_any_length_are_the_same_stream(size: int, lengths: list[int], channels: int) -> None:
    h, frames = noise(150, seed=1), sum(lengths)
    x = noise(frames) if channels == 1 else noise(frames, 2)
    adapter = BlockAdapter(Convolver(h, size, inputs=channels, dtype=np.float64))
    assert adapter.latency == size - 1
    starts = np.cumsum([0, *lengths])
    y = np.concatenate([adapter.process(x[a:b]) for a, b in pairwise(starts)])
    assert y.shape == x.shape
    columns = x.reshape(frames, channels).T
    for given_, got in zip(columns, y.reshape(frames, channels).T, strict=True):
        expected = np.pad(filtered(given_, h) if frames else given_, (adapter.latency, 0))[:frames]
        assert np.allclose(got, expected, rtol=0, atol=1e-12)


def test_the_adapter_answers_in_place_and_resets() -> None:
    x, h = noise(1000, 2), noise(150, 2, seed=1)
    adapter = BlockAdapter(double(h))
    expected = adapter.process(x)
    assert adapter.tail == 149
    adapter.reset()
    block = x.copy()
    assert adapter.process(block, block) is block
    assert np.array_equal(block, expected)
    with pytest.raises(InvalidAudioError, match="expected \\(n, 2\\)"):
        adapter.process(np.zeros((10, 3)))
    with pytest.raises(InvalidAudioError, match="out has shape"):
        adapter.process(np.zeros((10, 2)), np.zeros((9, 2)))
