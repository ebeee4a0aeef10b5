"""Arguments of a convolver: units, rates, channels and types. A slip is an error, never another sound."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reverb
from reverb.engine.offline.convolver import OverlapAdd
from reverb.engine.realtime.adapter import BlockAdapter
from reverb.engine.routing import matrix
from reverb.errors import InvalidAudioError, ParameterError, ReverbError, UnknownNameError
from reverb.levels import from_db
from reverb.live.convolver import Convolver
from reverb.responses.response import ImpulseResponse
from tests.nulls import null_db
from tests.signals import Array, stream
from tests.signals import gaussian as noise
from tests.signals import noise as uniform

RATE, SIZE = 48_000, 32
BUDGET = {np.float32: -120.0, np.float64: -250.0}


def built(*arguments: Any, **settings: Any) -> Convolver:
    """Build a convolver from arguments that its signature may not allow."""
    return Convolver(*arguments, **settings)


# ---- one unit ----


@given(st.sampled_from(["wet", "dry", "gain"]), st.floats(1e-6, 1e5))
@settings(deadline=None, derandomize=True)
def test_linear_levels_are_refused_with_the_level_to_give(name: str, level: float) -> None:
    convolver = Convolver([1.0], SIZE)
    for attempt in (lambda: built([1.0], **{name: level}), lambda: setattr(convolver, name, level)):
        with pytest.raises(ParameterError, match=rf"^{name}=.* levels are in dB: give {name}_db=") as caught:
            attempt()
        db = float(str(caught.value).rpartition("=")[2])
        assert from_db(db) == pytest.approx(level, rel=0.01)


@pytest.mark.parametrize("name", ["wet", "dry", "gain"])
def test_other_old_uses_of_a_level_say_what_to_do(name: str) -> None:
    convolver = Convolver([1.0], SIZE)
    with pytest.raises(ParameterError, match=f"give {name}_db=-math.inf$"):
        Convolver([1.0], **{name: 0})  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=f"give {name}_db=-6 if that is in dB; a negative sign belongs"):
        setattr(convolver, name, -6)
    with pytest.raises(ParameterError, match=f"give {name}_db$"):
        setattr(convolver, name, "loud")
    with pytest.raises(ParameterError, match=f"read {name}_db"):
        getattr(convolver, name)
    assert not hasattr(convolver, name)
    assert (convolver.wet_db, convolver.dry_db, convolver.gain_db) == (0.0, -np.inf, 0.0)
    inspect.getmembers(convolver)  # what looks at everything does not stumble
    with pytest.raises(TypeError, match="unexpected keyword argument 'wett_db'"):
        Convolver([1.0], wett_db=0)  # type: ignore[arg-type]


level = st.one_of(st.just(-np.inf), st.floats(-90, 60))


@given(level, level, level, st.booleans())
@settings(deadline=None, derandomize=True)
def test_levels_are_decibels(wet: float, dry: float, gain: float, later: bool) -> None:
    x = noise(SIZE * 4, seed=1)
    levels = {"wet_db": wet, "dry_db": dry, "gain_db": gain}
    convolver = built([0.0, 1.0], SIZE, dtype=np.float64, ramp=1, **({} if later else levels))
    for name, db in levels.items() if later else ():
        setattr(convolver, name, db)
    if later:
        convolver.reset()
    assert [getattr(convolver, name) for name in levels] == list(levels.values())
    total = 10 ** (gain / 20) * (10 ** (wet / 20) * np.append(0, x[:-1]) + 10 ** (dry / 20) * x)
    np.testing.assert_allclose(stream(convolver, x), total, rtol=1e-9, atol=1e-12 * max(1, abs(total).max()))


# ---- one level for mono, whatever applies the effect ----

LAYOUTS = {"1x1": 1, "2x2": 4, "1x2": 2, "1x5": 5, "2x4": 8, "3x2": 6, "4x1": 4, "3x3": 9, "stereo": 2}


@st.composite
def rooms(draw: st.DrawFn, layout: str, seed: int) -> ImpulseResponse:
    taps, latency = draw(st.integers(1, 150)), draw(st.integers(0, 20))
    h = noise(taps + latency, LAYOUTS[layout], seed=seed)
    return ImpulseResponse(h, RATE, "room", layout, latency)


def directly(room: ImpulseResponse, x: Array) -> Array:
    """Return the room's sound path by path, mono spread with equal power, its latency left in."""
    inputs, outputs = room.wiring.inputs, room.wiring.outputs
    if room.is_mono:
        return np.stack([np.convolve(c, room.samples[:, 0])[: len(x)] for c in x.T], axis=1)
    y = np.zeros((len(x), outputs))
    for path in room.wiring.paths:
        fed = x[:, 0] / np.sqrt(inputs) if x.shape[1] == 1 else x[:, path.input]
        y[:, path.output] += np.convolve(fed, room.samples[:, path.response])[: len(x)]
    return y


@given(st.data(), st.sampled_from(sorted(LAYOUTS)), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_stream_is_as_loud_as_the_effect_on_an_array(
    data: st.DataObject, layout: str, dtype: type[np.floating[Any]]
) -> None:
    first, second = data.draw(rooms(layout, 1)), data.draw(rooms(layout, 2))
    own = first.wiring.inputs
    inputs = data.draw(st.sampled_from([1, own]) if not first.is_mono else st.integers(1, 5))
    x = noise(SIZE * 40, inputs, seed=3).astype(dtype)
    convolver = Convolver(first, SIZE, inputs=inputs, sample_rate=RATE, dtype=dtype, max_taps=200)
    half = SIZE * 20

    def check(room: ImpulseResponse, heard: Array, start: int) -> None:
        late = convolver.latency
        exact = np.pad(directly(room, x.astype(float)), ((late - room.latency, 0), (0, 0)))[start : len(x)]
        effect = reverb.Chain((room,))(x, RATE)
        aligned = np.pad(effect, ((late, 0), (0, 0)))[start : start + len(heard)]
        assert null_db(heard, exact[: len(heard)]) <= BUDGET[dtype]
        cut = max(0, late - start)  # an effect leaves out what lies before time zero
        assert null_db(heard[cut:], aligned[cut:]) <= BUDGET[dtype]

    check(first, stream(convolver, x[:half]), 0)
    if second.latency > first.latency:
        with pytest.raises(ParameterError, match="latency"):
            convolver.swap(second)
        return
    convolver.swap(second, fade=0)
    check(second, stream(convolver, x[half:])[SIZE:], half + SIZE)


@given(
    st.data(),
    st.sampled_from(["1x1", "2x2", "stereo", "1x2", "1x5", "3x3"]),
    st.floats(-30, 6),
    st.floats(-30, 6),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_the_dry_path_is_as_loud_as_a_reverbs(
    data: st.DataObject, layout: str, wet: float, dry: float
) -> None:
    room = data.draw(rooms(layout, 1))
    inputs = data.draw(st.sampled_from([1, room.wiring.inputs]))
    x = noise(SIZE * 20, inputs, seed=3)
    convolver = Convolver(
        room, SIZE, inputs=inputs, sample_rate=RATE, dtype=np.float64, wet_db=wet, dry_db=dry
    )
    effect = reverb.Reverb(room, wet=wet, dry=dry, level="none")
    heard = stream(convolver, x)[convolver.latency :]
    assert null_db(heard, effect(x, RATE)[: len(heard)].reshape(heard.shape)) <= -250
    convolver.bypass = True
    convolver.reset()
    alone = reverb.Reverb(room, wet=-np.inf, dry=0, level="none")(x, RATE)[: len(heard)]
    assert null_db(stream(convolver, x)[convolver.latency :], alone.reshape(heard.shape)) <= -250


def test_a_swap_brings_the_spread_of_its_own_response() -> None:
    x = noise(SIZE * 40, 1)
    stereo = ImpulseResponse(noise(50, 2, seed=1), RATE)
    wide = ImpulseResponse(noise(50, 2, seed=2), RATE, wiring="1x2")
    convolver = Convolver(stereo, SIZE, inputs=1, sample_rate=RATE, dtype=np.float64, dry_db=0, ramp=SIZE)
    stream(convolver, x)
    convolver.swap(wide, fade=0)
    y = stream(convolver, x)[SIZE * 10 :]
    expected = reverb.Reverb(wide, wet=0, dry=0, level="none")(x, RATE)[SIZE * 10 : len(x)]
    assert null_db(y, expected) <= -250


# ---- a dry sound has a place for each channel, or there is none ----


@pytest.mark.parametrize("layout", ["4x1", "3x2"])
def test_a_dry_sound_that_would_lose_channels_is_refused(layout: str) -> None:
    room = ImpulseResponse(noise(50, LAYOUTS[layout], seed=1), RATE, "decoder", layout)
    message = "channels go in and . come out, so a dry sound has no place for each; expected none"
    with pytest.raises(ParameterError, match=message):
        Convolver(room, sample_rate=RATE, dry_db=-40)
    convolver, x = Convolver(room, SIZE, sample_rate=RATE), noise(SIZE, room.wiring.inputs)
    before = convolver.process(x)
    for name, value in (("dry_db", 0.0), ("bypass", True)):
        with pytest.raises(ParameterError, match=message):
            setattr(convolver, name, value)
    assert (convolver.dry_db, convolver.bypass) == (-np.inf, False)
    convolver.dry_db = -np.inf  # what asks for none is no mistake
    convolver.bypass = False
    convolver.reset()
    assert np.array_equal(convolver.process(x), before)
    assert Convolver(room, sample_rate=RATE, inputs=1, dry_db=0).inputs == 1  # one goes to every output
    with pytest.raises(InvalidAudioError, match=r"'?decoder'? .* no place for each; give mix=1 or dry=-inf"):
        reverb.Reverb(room, mix=0.3).response(RATE)
    reverb.Reverb(room, mix=1).response(RATE)


def test_in_a_wider_room_the_dry_sound_keeps_to_the_outputs_of_its_channels() -> None:
    room = ImpulseResponse(noise(50, 8, seed=1), RATE, wiring="2x4")
    x = noise(SIZE * 4, 2)
    levels = {"wet_db": -np.inf, "dry_db": 0.0, "dtype": np.float64}
    y = stream(built(room, SIZE, sample_rate=RATE, **levels), x)
    assert np.array_equal(y, np.pad(x, ((0, 0), (0, 2))))


# ---- the stream's rate ----


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        (ImpulseResponse([1.0, 0.5], RATE), "the response has 48000 Hz"),
        (reverb.LowPass(1000), "made for a rate"),
    ],
)
def test_what_has_a_rate_needs_the_streams(given_: Any, why: str) -> None:
    message = f"{why}; give sample_rate=, the stream's in Hz"
    with pytest.raises(ParameterError, match=message):
        Convolver(given_)
    bare = Convolver([1.0], SIZE)
    assert bare.sample_rate is None
    with pytest.raises(ParameterError, match=message):
        bare.swap(given_)
    known = Convolver([1.0, *np.zeros(999)], SIZE, sample_rate=44_100)
    assert known.sample_rate == 44_100
    known.swap([0.5])
    if isinstance(given_, ImpulseResponse):
        assert Convolver(given_, sample_rate=48_000).tail == 1
    with pytest.raises(AttributeError):
        known.sample_rate = 48_000  # type: ignore[misc]


def test_a_response_of_another_rate_sounds_at_its_own_pitch() -> None:
    seconds = np.arange(4800) / 48_000
    ringing = ImpulseResponse(np.sin(2 * np.pi * 3000 * seconds) * np.exp(-60 * seconds), 48_000)
    convolver = Convolver(ringing, SIZE, sample_rate=44_100, dtype=np.float64)
    y = stream(convolver, np.append(1.0, np.zeros(SIZE * 140 - 1)))
    loudest = np.abs(np.fft.rfft(y)).argmax() * 44_100 / len(y)
    assert loudest == pytest.approx(3000, abs=44_100 / len(y))


@pytest.mark.parametrize("rate", [0, 44_100.5, "48000", np.nan, True, [48_000]])
def test_a_rate_that_is_none_is_refused(rate: Any) -> None:
    with pytest.raises(ParameterError, match="sample rate"):
        Convolver([1.0], sample_rate=rate)


# ---- types ----

NO_NUMBERS = ["0.5", None, np.nan, 1j, [1.0], np.ones(2), np.array(1.0), True]


@given(
    st.sampled_from(["wet_db", "dry_db", "gain_db"]), st.sampled_from(range(len(NO_NUMBERS))), st.floats(121)
)
@settings(deadline=None, derandomize=True)
def test_levels_of_another_type_are_refused(name: str, which: int, high: float) -> None:
    convolver = Convolver([1.0], SIZE)
    for value in (NO_NUMBERS[which], high):
        with pytest.raises(ParameterError, match=rf"^{name} is .*expected a number up to 120 dB"):
            built([1.0], **{name: value})
        with pytest.raises(ParameterError, match=rf"^{name} is"):
            setattr(convolver, name, value)
    assert (convolver.wet_db, convolver.dry_db, convolver.gain_db) == (0.0, -np.inf, 0.0)


BAD: dict[str, list[object]] = {
    "block_size": [None, np.nan, np.inf, "128", [128], 1.5, True, 1j],
    "inputs": [np.nan, "2", [2], 0, 1j],
    "max_taps": [np.nan, "2", 0, -5, 1 << 31],
    "ramp": [None, np.nan, "10", [1]],
    "dtype": ["foo", None, int, "complex64", object(), ">f4", {}],
    "fft": [3, ["fftw"], True],
    "costs": [1.0, "cheap"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, some in BAD.items() for value in some])
def test_settings_of_another_type_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*expected"):
        built([1.0], **{name: value})


@pytest.mark.parametrize(
    "given_", [None, np.nan, 3, object(), reverb.LowPass, [], ["text"], np.ones((2, 2, 2))]
)
def test_what_is_no_response_is_refused(given_: Any) -> None:
    with pytest.raises(ReverbError, match="impulse response"):
        Convolver(given_, sample_rate=RATE)
    with pytest.raises(ReverbError, match="impulse response"):
        Convolver([1.0], sample_rate=RATE).swap(given_)


def test_a_response_may_be_named(tmp_path: Path) -> None:
    x = noise(SIZE * 4, 2)
    expected = stream(Convolver(reverb.impulse("plate"), SIZE, sample_rate=RATE), x)
    assert np.array_equal(stream(Convolver("plate", SIZE, sample_rate=RATE), x), expected)
    reverb.save_response(reverb.impulse("plate"), tmp_path / "own.wav")
    assert np.array_equal(stream(Convolver(tmp_path / "own.wav", SIZE, sample_rate=RATE), x), expected)
    with pytest.raises(UnknownNameError, match="no impulse response 'plat'"):
        Convolver("plat", sample_rate=RATE)
    with pytest.raises(ParameterError, match="give sample_rate="):
        Convolver("plate")


@pytest.mark.parametrize("value", [None, np.nan, "yes", 2, [True], np.ones(2)])
def test_bypass_is_on_or_off(value: Any) -> None:
    convolver = Convolver([1.0], SIZE)
    with pytest.raises(ParameterError, match=r"bypass is .*; expected True or False"):
        convolver.bypass = value
    for on in (True, np.True_, 1):
        convolver.bypass = on  # type: ignore[assignment]
        assert convolver.bypass is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", None),
        ("mode", ["crossfade"]),
        ("curve", np.ones(2)),
        ("fade", "9"),
        ("fade", np.nan),
        ("fade", None),
    ],
)
def test_a_swap_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*expected"):
        Convolver([1.0]).swap([0.5], **{name: value})


def test_whole_numbers_of_any_kind_are_taken() -> None:
    for size in (np.int16(64), 64.0, np.float32(64)):
        assert Convolver([1.0], size).block_size == 64  # type: ignore[arg-type]
    assert built([1.0], wet_db=np.float32(-6), dtype="float64").wet_db == -6.0


# ---- blocks and answers ----


def read_only(array: Array) -> Array:
    array.setflags(write=False)
    return array


BAD_OUTS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "int16": lambda shape: np.zeros(shape, np.int16),
    "int64": lambda shape: np.zeros(shape, np.int64),
    "bool": lambda shape: np.zeros(shape, bool),
    "half": lambda shape: np.zeros(shape, np.float16),
    "long": lambda shape: np.zeros(shape, np.longdouble),
    "complex": lambda shape: np.zeros(shape, complex),
    "object": lambda shape: np.zeros(shape, object),
    "read-only": lambda shape: read_only(np.zeros(shape)),
    "list": lambda shape: np.zeros(shape).tolist(),
    "text": lambda _: "out",
    "one axis more": lambda shape: np.zeros((*shape, 1)),
    "turned": lambda shape: np.zeros(shape[::-1]),
    "one channel more": lambda shape: np.zeros((shape[0], shape[1] + 1)),
    "no axis": lambda _: np.zeros(()),
}
BAD_BLOCKS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "complex": lambda shape: np.zeros(shape, complex),
    "object": lambda shape: np.zeros(shape, object),
    "text": lambda shape: np.full(shape, "1"),
    "bool": lambda shape: np.zeros(shape, bool),
    "time": lambda shape: np.zeros(shape, "m8[s]"),
    "none": lambda _: None,
    "ragged": lambda shape: [[0.0] * shape[1], [0.0]],
    "one channel more": lambda shape: np.zeros((shape[0], shape[1] + 1)),
}


def convolver_of(dtype: Any, size: int = 64) -> Any:
    room = ImpulseResponse(noise(300, 9, seed=1), RATE, "room", "3x3")
    return Convolver(room, size, sample_rate=RATE, dtype=dtype)


def adapter_of(dtype: Any) -> Any:
    return BlockAdapter(convolver_of(dtype, 48))


def overlap_add_of(dtype: Any) -> Any:
    return OverlapAdd(noise(9, 300, seed=1), matrix(3, 3), dtype=dtype, length=400)


# All that take blocks and an `out`, here of three channels each.
STREAMS = [convolver_of, adapter_of, overlap_add_of]


def frames_of(processor: Any) -> int:
    return getattr(processor, "preferred_frames", 64)


@pytest.mark.parametrize("make", STREAMS)
@given(
    st.lists(
        st.sampled_from([*(f"out {o}" for o in BAD_OUTS), *(f"block {b}" for b in BAD_BLOCKS)]), max_size=4
    )
)
@settings(deadline=None, derandomize=True, max_examples=25)
def test_what_is_refused_leaves_the_stream_where_it_was(make: Callable[[Any], Any], slips: list[str]) -> None:
    clean, slipping = make(np.float64), make(np.float64)
    frames = frames_of(clean)
    for turn in range(len(slips) + 1):
        block = noise(frames, 3, seed=turn)
        assert np.array_equal(slipping.process(block), clean.process(block))
        if turn < len(slips):
            kind, name = slips[turn].split(" ", 1)
            bad = (BAD_OUTS if kind == "out" else BAD_BLOCKS)[name]((frames, 3))
            with pytest.raises(InvalidAudioError, match=r"out|block|frames"):
                slipping.process(block, out=bad) if kind == "out" else slipping.process(bad)


@pytest.mark.parametrize("make", STREAMS)
@pytest.mark.parametrize(
    ("dtype", "other"), [(np.float32, np.float64), (np.float64, np.float32), (np.float32, ">f4")]
)
def test_an_out_of_the_other_float_is_converted(make: Callable[[Any], Any], dtype: Any, other: Any) -> None:
    one, two = make(dtype), make(dtype)
    for turn in range(4):
        block = noise(frames_of(one), 3, seed=turn)
        out = np.full(block.shape, np.nan, other)
        answer = two.process(block, out=out)
        assert np.shares_memory(answer, out)
        assert null_db(answer, one.process(block)) <= -120


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64, np.float16])
def test_integers_come_in_at_their_own_scale_and_go_out_as_floats(dtype: Any) -> None:
    x = (uniform(SIZE, 1, peak=1.0) * 100).astype(dtype)
    convolver = Convolver([2.0], SIZE)
    with pytest.raises(InvalidAudioError, match=f"out holds {np.dtype(dtype)}; expected float32 or float64"):
        convolver.process(x, out=x)
    assert null_db(convolver.process(x), 2 * x.astype(float)) <= -120
