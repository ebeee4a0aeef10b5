"""Chains and branches: folding into one response is applying one after the other, sample by sample."""

from dataclasses import FrozenInstanceError

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects.effect import Chain, Delay, Effect, Gain, HasResponse, Parallel
from reverb.effects.filters import BandPass, BandStop, HighPass, LowPass
from reverb.effects.fold import apply, fold
from reverb.effects.reverb import Reverb
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse, unit
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import decaying, noise, tone

Array = npt.NDArray[np.float64]
RATE = 8000
LEAD = 1500  # silence in front, longer than all pre-ringing, so that cutting the latency off loses nothing


def _one(effect: HasResponse, x: Array) -> Array:
    """One effect on stereo by direct convolution in float64, without the latency in front."""
    response = effect.response(RATE).for_channels(2)
    y = np.zeros((len(x) + response.frames - 1, response.wiring.outputs))
    for i, o, row in response.wiring.paths:
        y[:, o] += np.convolve(x[:, i], response.samples[:, row].astype(np.float64))
    return y[response.latency :]


def _one_after_the_other(effect: HasResponse, x: Array) -> Array:
    if isinstance(effect, Chain):
        for part in effect.effects:
            x = _one_after_the_other(part, x)
        return x
    if isinstance(effect, Parallel):
        branches = [_one_after_the_other(part, x) for part in effect.effects]
        y = np.zeros((max(len(branch) for branch in branches), 2))
        for branch in branches:
            y[: len(branch)] += branch
        return y
    return _one(effect, x)


def _rooms(dtype: type) -> st.SearchStrategy[HasResponse]:
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


def _effects(dtype: type) -> st.SearchStrategy[HasResponse]:
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
def test_folding_is_applying_one_after_the_other(dtype: type, budget: float) -> None:
    @settings(deadline=None, derandomize=True, max_examples=30)
    @given(_effects(dtype))
    def holds(effect: Effect) -> None:
        x = np.vstack([np.zeros((LEAD, 2)), noise(400, 2, seed=3)]).astype(dtype)
        expected = _one_after_the_other(effect, x.astype(np.float64))
        actual = effect(x, RATE)
        assert actual.dtype == dtype
        # Branches that end earlier than the longest latency allows leave silence behind the folded tail, or before.
        frames = min(len(actual), len(expected))
        assert not np.abs(expected[frames:]).max(initial=0) > 1e-9
        assert not np.abs(actual[frames:]).max(initial=0) > 1e-6
        assert null_db(actual[:frames], expected[:frames]) <= budget

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
    assert fold(ImpulseResponse(np.ones((1, 3)), RATE, wiring="1x3"), RATE, 1).samples.max() == 1  # type: ignore[arg-type]


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


def test_operators_flatten_and_keep_their_order() -> None:
    a, b, c = Gain(-1), Gain(-2), LowPass(100)
    room = unit(RATE)
    assert (a >> b) >> c == a >> (b >> c) == Chain((a, b, c))
    assert (a + b) + c == Parallel((a, b, c))
    assert room >> a == Chain((room, a))
    assert room + a == Parallel((room, a))
    assert a >> room == Chain((a, room))
    assert repr(a >> (b + c)) == f"{a!r} >> ({b!r} + {c!r})"


def test_what_is_no_effect_is_refused() -> None:
    with pytest.raises(TypeError):
        Gain(0) >> 3
    with pytest.raises(TypeError):
        "a" + Gain(0)
    with pytest.raises(ParameterError, match="effects is 3, no effect; expected a filter, a reverb"):
        Chain((Gain(0), 3))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="Chain of no effects"):
        Chain(())


def test_effects_are_frozen_values() -> None:
    with pytest.raises(FrozenInstanceError):
        Gain(0).db = 1  # type: ignore[misc]
    assert len({Gain(1) >> Delay(0.1), Gain(1) >> Delay(0.1)}) == 1


@pytest.mark.parametrize(
    "make", [lambda: Gain(float("nan")), lambda: Gain(121), lambda: Delay(-1), lambda: Delay(61)]
)
def test_gain_and_delay_have_ranges(make: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        make()  # type: ignore[operator]


def test_gain_and_delay_in_closed_form() -> None:
    x = noise(100, 2)
    assert null_db(Gain(-20)(x, RATE), 0.1 * x) <= FLOAT64_BUDGET_DB
    assert not Gain(float("-inf"))(x, RATE).any()
    y = Delay(0.01)(x, RATE)
    assert not np.abs(y[:80]).max() > 1e-15
    assert null_db(y[80:], x) <= FLOAT64_BUDGET_DB


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
def test_bad_sound_is_refused(x: Array, rate: float, error: type[Exception], says: str) -> None:
    for effect in (ImpulseResponse(decaying(5, 2), RATE), Gain(0) >> ImpulseResponse(decaying(5, 2), RATE)):
        with pytest.raises(error, match=says):
            apply(effect, x, rate)  # type: ignore[arg-type]


def test_a_wrong_sample_rate_is_named_as_such() -> None:
    with pytest.raises(ParameterError, match="sample rate 0 Hz"):
        LowPass(1000)(noise(10), 0)


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_have_a_range(workers: int) -> None:
    with pytest.raises(ParameterError, match=f"workers is {workers}; expected at least 1"):
        apply(unit(RATE), noise(10), RATE, workers=workers)
