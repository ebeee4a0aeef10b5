"""Series and parallel against direct convolution path by path in float64; resampling against closed forms.

The reference for resampling is the same continuous, band-limited response, sampled at the other rate.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.arrays import Array
from reverb.engine.routing import from_pairs
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.level import loudness_ratio
from reverb.responses.response import ImpulseResponse, unit
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import decaying, noise

RATE = 48_000
Combine = Callable[[ImpulseResponse, ImpulseResponse], ImpulseResponse]


# Arrivals at times between the frames of every rate, and their strengths.
ARRIVALS = ((0.02, 1.0), (0.0213337, 0.35), (0.0287031, -0.2), (0.0402917, 0.15))


SECONDS = 0.08


def _matrix(response: ImpulseResponse, inputs: int, outputs: int) -> Array:
    """The response as a dense array (inputs, outputs, frames); mono on the diagonal, or from one input to all."""
    dense = np.zeros((inputs, outputs, response.frames))
    if response.is_mono:
        for i, o in (
            [(c, c) for c in range(inputs)] if inputs == outputs else [(0, o) for o in range(outputs)]
        ):
            dense[i, o] = response.samples[:, 0]
        return dense
    for i, o, row in response.wiring.paths:
        dense[i, o] += response.samples[:, row]
    return dense


def _series(a: Array, b: Array) -> Array:
    out = np.zeros((a.shape[0], b.shape[1], a.shape[2] + b.shape[2] - 1))
    for i, k, o in np.ndindex(a.shape[0], a.shape[1], b.shape[1]):
        out[i, o] += np.convolve(a[i, k], b[k, o])
    return out


@st.composite
def _responses(
    draw: st.DrawFn, inputs: int | None = None, outputs: int | None = None, dtype: type = np.float64
) -> ImpulseResponse:
    """A response with a random, often sparse, wiring in which rows may be shared, and a random latency."""
    n = inputs or draw(st.integers(1, 3))
    m = outputs or draw(st.integers(1, 3))
    pairs = draw(
        st.lists(st.sampled_from([(i, o) for i in range(n) for o in range(m)]), min_size=1, max_size=5)
    )
    frames = draw(st.integers(1, 40))
    samples: Array = noise(frames, len(pairs), draw(st.integers(0, 99))).astype(dtype)
    latency = draw(st.integers(0, frames - 1))
    return ImpulseResponse(samples, RATE, "r", from_pairs(n, m, pairs), latency)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data())
def test_series_is_a_product_of_matrices(data: st.DataObject) -> None:
    a = data.draw(_responses())
    b = data.draw(_responses(inputs=a.wiring.outputs))
    if a.is_mono or b.is_mono:  # these serve every channel
        return
    c = a >> b
    assert (c.wiring.inputs, c.wiring.outputs) == (a.wiring.inputs, b.wiring.outputs)
    assert c.latency == a.latency + b.latency
    expected = _series(
        _matrix(a, a.wiring.inputs, a.wiring.outputs), _matrix(b, b.wiring.inputs, b.wiring.outputs)
    )
    actual = _matrix(c, a.wiring.inputs, b.wiring.outputs)
    if expected.any():
        assert null_db(actual, expected) <= FLOAT64_BUDGET_DB
    else:
        assert not actual.any()


@settings(deadline=None, derandomize=True, max_examples=40)
@given(_responses(2, 2), _responses(2, 2))
def test_parallel_is_a_sum_aligned_at_time_zero(a: ImpulseResponse, b: ImpulseResponse) -> None:
    c = a + b
    latency = max(a.latency, b.latency)
    expected = np.zeros((2, 2, c.frames))
    for part in (a, b):
        lead = latency - part.latency
        expected[:, :, lead : lead + part.frames] += _matrix(part, 2, 2)
    assert c.latency == latency
    assert null_db(_matrix(c, 2, 2), expected) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("layout", ["mono", "stereo", "true-stereo", "1x3", "2x3"])
def test_mono_in_series_serves_every_path(layout: str) -> None:
    rows = {"mono": 1, "stereo": 2, "true-stereo": 4, "1x3": 3, "2x3": 6}[layout]
    wide = ImpulseResponse(noise(30, rows), RATE, wiring=layout)
    mono = ImpulseResponse(noise(20, 1, seed=5), RATE)
    expected = np.stack([np.convolve(wide.samples[:, r], mono.samples[:, 0]) for r in range(rows)], axis=1)
    for both in (wide >> mono, mono >> wide):
        assert both.layout == wide.layout
        assert null_db(both.samples, expected) <= FLOAT64_BUDGET_DB


def test_true_stereo_after_true_stereo_by_hand() -> None:
    a, b = (ImpulseResponse(noise(9, 4, seed), RATE) for seed in (1, 2))
    ll = np.convolve(a.samples[:, 0], b.samples[:, 0]) + np.convolve(a.samples[:, 1], b.samples[:, 2])
    rl = np.convolve(a.samples[:, 2], b.samples[:, 0]) + np.convolve(a.samples[:, 3], b.samples[:, 2])
    c = a >> b
    assert c.layout == "true-stereo"
    assert null_db(c.samples[:, 0], ll) <= FLOAT64_BUDGET_DB
    assert null_db(c.samples[:, 2], rl) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize(
    ("layout", "rows", "where"), [("stereo", 2, (0, 1)), ("true-stereo", 4, (0, 3)), ("1x3", 3, (0, 1, 2))]
)
def test_a_dry_path_beside_a_room_stands_on_the_diagonal(
    layout: str, rows: int, where: Sequence[int]
) -> None:
    room = ImpulseResponse(noise(10, rows), RATE, wiring=layout)
    for both in (unit(RATE) + room, room + unit(RATE)):
        expected = room.samples.copy()
        expected[0, list(where)] += 1
        assert both.layout == room.layout
        assert np.array_equal(both.samples, expected)


def test_paths_that_never_meet_give_silence() -> None:
    a = ImpulseResponse(noise(5, 1), RATE, wiring=from_pairs(2, 2, [(0, 0)]))
    b = ImpulseResponse(noise(7, 1), RATE, wiring=from_pairs(2, 2, [(1, 1)]), latency=3)
    c = a >> b
    assert not c.samples.any()
    assert (c.wiring.inputs, c.wiring.outputs, c.frames, c.latency) == (2, 2, 11, 3)


@pytest.mark.parametrize("combine", [lambda a, b: a >> b, lambda a, b: a + b])
def test_float32_stays_float32(combine: Combine) -> None:
    a, b = (ImpulseResponse(noise(3000, 2, seed).astype(np.float32), RATE) for seed in (1, 2))
    c = combine(a, b)
    assert c.samples.dtype == np.float32
    wide = [ImpulseResponse(r.samples.astype(np.float64), RATE) for r in (a, b)]
    assert null_db(c.samples, combine(*wide).samples) <= FLOAT32_BUDGET_DB


@pytest.mark.parametrize("combine", [lambda a, b: a >> b, lambda a, b: a + b])
def test_other_rates_and_shapes_are_refused(combine: Combine) -> None:
    stereo = ImpulseResponse(noise(5, 2), RATE, "room")
    with pytest.raises(ParameterError, match="48000 Hz and 44100 Hz differ"):
        combine(stereo, unit(44_100))
    with pytest.raises(InvalidAudioError, match="must be equal"):
        combine(stereo, ImpulseResponse(noise(5, 3), RATE, wiring="3x1"))
    with pytest.raises(TypeError):
        combine(stereo, 3)  # type: ignore[arg-type]


def test_names_join() -> None:
    a, b = ImpulseResponse([1.0], RATE, "a"), ImpulseResponse([1.0], RATE, "b")
    assert ((a >> b).name, (a + b).name, (a >> unit(RATE) * 1).name) == ("a >> b", "a + b", "a >> dry")


def _raised_cosine(t: Array, flat: float, stop: float) -> Array:
    """A pulse whose spectrum is 1 up to `flat` Hz and 0 from `stop` Hz on, in closed form."""
    rate, roll = flat + stop, (stop - flat) / (stop + flat)
    x = rate * t
    singular = np.isclose(np.abs(2 * roll * x), 1)
    below = np.where(singular, 1.0, 1 - (2 * roll * x) ** 2)
    pulse = np.sinc(x) * np.cos(np.pi * roll * x) / below
    return rate * np.where(singular, math.pi / 4 * np.sinc(1 / (2 * roll)), pulse)


def _designed(sample_rate: int, flat: float, stop: float) -> ImpulseResponse:
    t = np.arange(round(SECONDS * sample_rate)) / sample_rate
    h = sum(gain * _raised_cosine(t - time, flat, stop) for time, gain in ARRIVALS)
    return ImpulseResponse(np.asarray(h) / sample_rate, sample_rate)


def _spectrum(response: ImpulseResponse, frequencies: Array) -> Array:
    n = np.arange(response.frames) - response.latency
    waves = np.exp(-2j * np.pi * np.outer(frequencies / response.sample_rate, n))
    return np.asarray(waves @ response.samples[:, 0])


@pytest.mark.parametrize(
    ("source", "target", "highest"),
    [
        (44_100, 48_000, 20_000),
        (48_000, 44_100, 20_000),
        (96_000, 44_100, 20_000),
        (44_100, 96_000, 20_000),
        (48_000, 96_000, 20_000),
        (192_000, 48_000, 20_000),
        (44_100, 32_000, 14_000),
        (48_000, 8_000, 3_600),
        (44_100, 47_999, 20_000),
    ],
)
def test_it_is_the_response_designed_at_the_other_rate(source: int, target: int, highest: int) -> None:
    lower = min(source, target)
    flat, stop = (20_200, 21_900) if lower >= 44_100 else (0.46 * lower, 0.49 * lower)
    frequencies = np.geomspace(20, highest, 400)
    expected = _spectrum(_designed(target, flat, stop), frequencies)
    actual = _spectrum(_designed(source, flat, stop).response(target), frequencies)
    assert np.abs(20 * np.log10(np.abs(actual / expected))).max() < 0.05
    # Time zero stays where it is: the phase is kept as well.
    assert np.abs(actual / expected - 1).max() < 0.005


@pytest.mark.parametrize("target", [44_100, 88_200, 96_000, 192_000])
def test_the_level_is_kept(target: int) -> None:
    response = ImpulseResponse(decaying(24_000, 2), 48_000)
    assert 10 * math.log10(
        loudness_ratio(response.response(target)) / loudness_ratio(response)
    ) == pytest.approx(0, abs=0.1)


def test_time_zero_is_counted_in_latency() -> None:
    resampled = unit(44_100).delay(0.01).response(48_000)
    peak = int(np.abs(resampled.samples[:, 0]).argmax())
    assert peak - resampled.latency == 480
    early = unit(44_100).response(48_000)
    assert int(np.abs(early.samples[:, 0]).argmax()) == early.latency > 0


def test_a_linear_phase_response_stays_aligned() -> None:
    taps = np.zeros(4411)
    taps[2205] = 1
    resampled = ImpulseResponse(taps, 44_100, latency=2205).response(48_000)
    assert int(np.abs(resampled.samples[:, 0]).argmax()) == resampled.latency


def test_channels_stay_apart_and_the_dtype_is_kept() -> None:
    samples = np.zeros((1000, 2), np.float32)
    samples[100, 1] = 1
    resampled = ImpulseResponse(samples, 48_000, "a").response(96_000)
    assert resampled.samples.dtype == np.float32
    assert not resampled.samples[:, 0].any()
    assert resampled.samples[:, 1].any()
    assert resampled.name == "a"


def test_a_silent_response_and_the_same_rate() -> None:
    silent = ImpulseResponse(np.zeros((100, 2)), 48_000)
    assert not silent.response(44_100).samples.any()
    assert silent.response(48_000) is silent
    with pytest.raises(ParameterError):
        silent.response(0)


def test_resampling_there_and_back_changes_little() -> None:
    response = _designed(48_000, 18_000, 20_000)
    frequencies = np.geomspace(20, 17_000, 300)
    back = response.response(96_000).response(48_000)
    ratio = _spectrum(back, frequencies) / _spectrum(response, frequencies)
    assert np.abs(ratio - 1).max() < 1e-3
