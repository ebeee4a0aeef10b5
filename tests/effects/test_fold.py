"""Folding into one response is applying one effect after the other; trimming; applying to sound in memory."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb import (
    BandPass,
    BandStop,
    Chain,
    Delay,
    Effect,
    Gain,
    HighPass,
    ImpulseResponse,
    LowCut,
    LowPass,
    LowShelf,
    Parallel,
    Peak,
    Reverb,
)
from reverb.effects.effect import HasResponse
from reverb.effects.fold import FLOOR_DB, apply, fold, portable, trim
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import unit
from tests.effects.chains import CHAINS
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import Signal, decaying, direct, noise, tone

RATE = 8000


def _applied(effect: HasResponse, x: Signal, zero: int = 0) -> tuple[Signal, int]:
    """Return stereo sound after the parts, one after the other by direct convolution, and the frame of time zero."""
    if isinstance(effect, Chain):
        for part in effect.effects:
            x, zero = _applied(part, x, zero)
        return x, zero
    if isinstance(effect, Parallel):
        branches = [_applied(part, x, zero) for part in effect.effects]
        latest = max(z for _, z in branches)
        y = np.zeros((max(len(b) + latest - z for b, z in branches), 2))
        for branch, z in branches:
            y[latest - z : latest - z + len(branch)] += branch
        return y, latest
    response = effect.response(RATE).for_channels(2)
    return direct(x, response.samples.T, response.wiring), zero + response.latency


@settings(deadline=None, derandomize=True, max_examples=25)
@given(CHAINS)
def test_folding_is_sequential_application(effect: Effect) -> None:
    x = noise(300, 2, seed=4)
    expected, zero = _applied(effect, x)
    response = fold(effect, RATE, 2)
    assert response.latency == zero
    assert response.frames == len(expected) - len(x) + 1  # the sum of the tails
    actual = effect(x, RATE)
    if not expected.any():
        assert not actual.any()
        return
    assert null_db(actual, expected[zero:]) <= -120
    trimmed = fold(effect, RATE, 2, floor_db=FLOOR_DB)
    cut = Chain((trimmed,))(x, RATE)
    padded = np.zeros_like(expected[zero:])
    padded[: len(cut)] = cut
    assert null_db(padded, expected[zero:]) <= -120


def _rooms(dtype: type[np.floating[Any]]) -> st.SearchStrategy[HasResponse]:
    return st.builds(
        lambda frames, rows, seed: ImpulseResponse(decaying(frames, rows, seed).astype(dtype), RATE),
        st.integers(1, 200),
        st.sampled_from([1, 2, 4]),
        st.integers(0, 9),
    )


PHASES = st.sampled_from(["linear", "minimum"])
FILTERS = st.one_of(
    st.builds(lambda phase: LowPass(2000, transition=800, phase=phase), PHASES),
    st.builds(lambda phase: HighPass(700, transition=600, phase=phase), PHASES),
    st.builds(lambda phase: BandPass(800, 2200, transition=600, phase=phase), PHASES),
    st.builds(lambda phase: BandStop(800, 2200, transition=600, phase=phase), PHASES),
)


def _effects(dtype: type[np.floating[Any]]) -> st.SearchStrategy[HasResponse]:
    rooms = _rooms(dtype)
    leaves = st.one_of(
        st.builds(Gain, st.floats(-20, 6)),
        st.builds(Delay, st.floats(0, 0.02)),
        FILTERS,
        rooms,
        st.builds(lambda room, mix: Reverb(room, mix=mix, predelay=0.003), rooms, st.floats(0.1, 0.9)),
    )
    branches = st.lists(leaves, min_size=1, max_size=3)
    groups = st.one_of(branches.map(lambda e: Chain(tuple(e))), branches.map(lambda e: Parallel(tuple(e))))
    return st.lists(st.one_of(leaves, groups), min_size=1, max_size=3).map(lambda e: Chain(tuple(e)))


@pytest.mark.parametrize(("dtype", "budget"), [(np.float64, -240), (np.float32, FLOAT32_BUDGET_DB)])
def test_folding_keeps_the_precision(dtype: type[np.floating[Any]], budget: float) -> None:
    @settings(deadline=None, derandomize=True, max_examples=30)
    @given(_effects(dtype))
    def holds(effect: Effect) -> None:
        x = noise(400, 2, seed=3).astype(dtype)
        expected, zero = _applied(effect, x.astype(np.float64))
        actual = effect(x, RATE)
        assert actual.dtype == dtype
        assert null_db(actual, expected[zero:]) <= budget

    holds()


def test_parallel_linear_phase_branches_stay_aligned_to_the_sample() -> None:
    click = np.zeros(2000)
    click[500] = 1
    bands = (
        LowPass(300, transition=200) + BandPass(300, 1500, transition=200) + HighPass(1500, transition=900)
    )
    y = bands(click, RATE)[:2000]
    assert int(np.abs(y).argmax()) == 500
    # The three bands make the whole again but for the skirts, whose widths differ at 1500 Hz.
    even = LowPass(1000, transition=400) + HighPass(1000, transition=400)
    assert np.abs(even(click, RATE)[:2000] - click).max() < 2e-4


def test_a_filtered_sound_stays_where_it_was() -> None:
    x = tone(300, RATE)
    y = LowPass(1000)(x, RATE, tail=False)
    assert y.shape == x.shape
    assert np.abs(y - x)[1000:-1000].max() < 2e-4


@pytest.mark.parametrize(
    ("shape", "rows", "expected"),
    [
        ((300,), 1, (349,)),
        ((300,), 2, (349, 2)),
        ((300, 1), 1, (349, 1)),
        ((300, 5), 1, (349, 5)),
        ((300, 2), 4, (349, 2)),
    ],
)
def test_shapes(shape: tuple[int, ...], rows: int, expected: tuple[int, ...]) -> None:
    room = ImpulseResponse(decaying(50, rows), RATE)
    x = noise(300, 5)[:, : shape[1]] if len(shape) == 2 else noise(300, 1)[:, 0]
    assert apply(room, x, RATE).shape == expected
    assert apply(room, x, RATE, tail=False).shape == (300, *expected[1:])


def test_a_mono_sound_spreads_with_equal_power() -> None:
    x = noise(1000, 1)
    y = apply(ImpulseResponse(np.ones((1, 2)), RATE), x, RATE)
    assert null_db(y, np.hstack([x, x]) / np.sqrt(2)) <= FLOAT64_BUDGET_DB
    assert (y**2).sum() == pytest.approx((x**2).sum())
    # A matrix that is made for one channel is taken as it is.
    assert fold(ImpulseResponse(np.ones((1, 3)), RATE, wiring="1x3"), RATE, 1).samples.max() == 1


def test_the_dtype_of_the_sound_decides() -> None:
    room = ImpulseResponse(decaying(50), RATE)
    assert apply(room, noise(100, 2).astype(np.float32), RATE).dtype == np.float32
    assert apply(room, np.arange(100, dtype=np.int16), RATE).dtype == np.float64


def test_the_caller_keeps_its_array() -> None:
    x = noise(500, 2)
    before = x.copy()
    y = apply(unit(RATE), x, RATE)
    assert np.array_equal(x, before)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_no_bit(workers: int) -> None:
    x = noise(20_000, 2).astype(np.float32)
    room = ImpulseResponse(decaying(5000, 4).astype(np.float32), RATE)
    assert np.array_equal(apply(room, x, RATE, workers=workers), apply(room, x, RATE))


@pytest.mark.parametrize(
    ("x", "rate", "error", "says"),
    [
        (np.zeros((0, 2)), RATE, InvalidAudioError, "x is empty"),
        (np.array([0.0, np.nan]), RATE, InvalidAudioError, "NaN or infinity, first at frame 1"),
        (np.zeros((5, 2, 2)), RATE, InvalidAudioError, "expected"),
        (np.zeros((5, 3)), RATE, InvalidAudioError, "takes 2 channels; the input has 3"),
        (np.zeros(5), 0, ParameterError, "sample rate 0 Hz; expected 1 to"),
        (np.zeros(5), 44_100.5, ParameterError, "expected a whole number of Hz"),
    ],
)
def test_bad_sound_is_refused(x: Signal, rate: float, error: type[Exception], says: str) -> None:
    for effect in (ImpulseResponse(decaying(5, 2), RATE), Gain(0) >> ImpulseResponse(decaying(5, 2), RATE)):
        with pytest.raises(error, match=says):
            apply(effect, x, rate)  # type: ignore[call-overload]


def test_a_wrong_sample_rate_is_named_as_such() -> None:
    with pytest.raises(ParameterError, match="sample rate 0 Hz"):
        LowPass(1000)(noise(10), 0)


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_have_a_range(workers: int) -> None:
    with pytest.raises(ParameterError, match=f"workers is {workers}; expected a whole number from 1 to 4096"):
        apply(unit(RATE), noise(10), RATE, workers=workers)


def test_trimming_leaves_out_only_what_lies_below_the_floor() -> None:
    samples = np.concatenate(
        [[1e-8, 1e-5, 0.5, 1.0], np.full(200, 2e-7), [0.01], 10.0 ** -np.arange(3.5, 12.0)]
    )
    response = ImpulseResponse(samples, RATE, latency=3)
    cut = trim(response, -120)
    assert cut.samples[:, 0].tolist() == samples[1:-5].tolist()
    assert cut.latency == 2
    assert trim(response, -250) is response
    silent = ImpulseResponse(np.zeros(5), RATE)
    assert trim(silent) is silent
    # Time zero is kept, though nothing sounds there.
    late = ImpulseResponse([1.0, 0, 0, 0, 0], RATE, latency=3)
    assert (trim(late).frames, trim(late).latency) == (4, 3)


def test_mixed_rates_fold_at_the_sessions() -> None:
    room = ImpulseResponse(decaying(900, 2), 44_100)
    effect = LowCut(100) >> room >> Peak(2000, 3)
    for rate in (32_000, 44_100, 96_000):
        assert effect.response(rate).sample_rate == rate


def test_a_dry_path_beside_linear_phase_stays_aligned() -> None:
    click = np.zeros(3000)
    click[1000] = 1.0
    for branch in (LowPass(1000), LowShelf(200, 6, phase="linear"), Peak(500, 3, phase="mixed")):
        y = (Gain(0) + branch)(click, RATE)
        assert int(np.abs(y).argmax()) == 1000


def test_a_portable_response_is_float32_and_named() -> None:
    room = ImpulseResponse(np.append(decaying(50), np.zeros((50, 1)), axis=0), RATE)
    made = portable(room, "room")
    assert (made.name, made.frames) == ("room", 50)
    assert made.samples.dtype == np.float32
    assert portable(room, "room", None).frames == 100
