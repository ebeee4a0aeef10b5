"""Series and parallel, against direct convolution path by path in float64."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine.routing import from_pairs
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse, unit
from tests.nulls import FLOAT32_BUDGET_DB, FLOAT64_BUDGET_DB, null_db
from tests.signals import noise

Array = npt.NDArray[np.float64]
RATE = 48_000


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
    samples = noise(frames, len(pairs), draw(st.integers(0, 99))).astype(dtype)
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
    wide = ImpulseResponse(noise(30, rows), RATE, wiring=layout)  # type: ignore[arg-type]
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
    room = ImpulseResponse(noise(10, rows), RATE, wiring=layout)  # type: ignore[arg-type]
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
def test_float32_stays_float32(combine: object) -> None:
    a, b = (ImpulseResponse(noise(3000, 2, seed).astype(np.float32), RATE) for seed in (1, 2))
    c = combine(a, b)  # type: ignore[operator]
    assert c.samples.dtype == np.float32
    wide = [ImpulseResponse(r.samples.astype(np.float64), RATE) for r in (a, b)]
    assert null_db(c.samples, combine(*wide).samples) <= FLOAT32_BUDGET_DB  # type: ignore[operator]


@pytest.mark.parametrize("combine", [lambda a, b: a >> b, lambda a, b: a + b])
def test_other_rates_and_shapes_are_refused(combine: object) -> None:
    stereo = ImpulseResponse(noise(5, 2), RATE, "room")
    with pytest.raises(ParameterError, match="48000 Hz and 44100 Hz differ"):
        combine(stereo, unit(44_100))  # type: ignore[operator]
    with pytest.raises(InvalidAudioError, match="must be equal"):
        combine(stereo, ImpulseResponse(noise(5, 3), RATE, wiring="3x1"))  # type: ignore[operator,arg-type]
    with pytest.raises(TypeError):
        combine(stereo, 3)  # type: ignore[operator]


def test_names_join() -> None:
    a, b = ImpulseResponse([1.0], RATE, "a"), ImpulseResponse([1.0], RATE, "b")
    assert ((a >> b).name, (a + b).name, (a >> unit(RATE) * 1).name) == ("a >> b", "a + b", "a >> dry")
