"""Responses that change while blocks run: against sums of direct convolutions, and at every step of both threads."""

import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest

from reverb.engine import routing
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.swap import Curve, Mode, SwappableConvolver, fade_curves
from tests.engine.realtime.rows import direct_rows, stream
from tests.interleaving import every_step, interrupted
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import gaussian


@pytest.mark.parametrize("curve", ["equal gain", "equal power"])
@pytest.mark.parametrize(("before", "after"), [(3000, 9000), (9000, 3000), (1, 5000), (5000, 1)])
def test_crossfade_sounds_as_if_the_new_response_had_always_been_there(
    curve: Curve, before: int, after: int
) -> None:
    size, fade, wires = 64, 300, routing.parallel(2)
    x, old, new = gaussian(2, 300 * size), gaussian(2, before, seed=1), gaussian(2, after, seed=2)
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
    expected = sum(direct_rows(x, h, wires) * gains for h, gains in zip((old, new), laws[curve], strict=True))
    assert null_db(y, expected) <= FLOAT64_BUDGET_DB
    assert not engine.changing


def test_spillover_lets_the_old_tail_ring_out() -> None:
    size, fade, wires = 64, 300, routing.matrix(2, 2)
    x, old, new = gaussian(2, 400 * size), gaussian(4, 6000, seed=1), gaussian(4, 4000, seed=2)
    engine = SwappableConvolver(RealtimeConvolver(old, wires, size, np.float64), 6000)
    at = 160 * size
    first = stream(engine, x[:, :at])
    engine.swap(RealtimeConvolver(new, wires, size, np.float64), "spillover", fade, "equal gain")
    y = np.concatenate((first, stream(engine, x[:, at:])), axis=1)
    into = np.sin(np.clip((np.arange(x.shape[1]) - at + 1) / fade, 0, 1) * np.pi / 2) ** 2
    expected = direct_rows(x * (1 - into), old, wires) + direct_rows(x * into, new, wires)
    assert null_db(y, expected) <= FLOAT64_BUDGET_DB
    assert not engine.changing


def test_a_crossfade_after_a_spillover_does_not_hear_what_still_rings() -> None:
    size, wires = 32, routing.each(1)
    x = gaussian(1, 600 * size)
    h = [gaussian(1, taps, seed=taps) for taps in (3000, 2000, 4000)]
    engine = SwappableConvolver(RealtimeConvolver(h[0], wires, size, np.float64), 4000)
    parts = [stream(engine, x[:, : 200 * size])]
    engine.swap(RealtimeConvolver(h[1], wires, size, np.float64), "spillover", 0, "equal gain")
    parts.append(stream(engine, x[:, 200 * size : 240 * size]))
    engine.swap(RealtimeConvolver(h[2], wires, size, np.float64), "crossfade", 0, "equal gain")
    parts.append(stream(engine, x[:, 240 * size :]))
    late = x.copy()
    late[:, : 200 * size] = 0
    early = x - late
    expected = direct_rows(early, h[0], wires)
    expected[:, : 240 * size] += direct_rows(late, h[1], wires)[:, : 240 * size]
    expected[:, 240 * size :] += direct_rows(late, h[2], wires)[:, 240 * size :]
    assert null_db(np.concatenate(parts, axis=1), expected) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("mode", ["crossfade", "spillover"])
def test_swapping_a_sustained_tone_does_not_click(mode: Mode) -> None:
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
    x = gaussian(1, 900 * size)
    engine = SwappableConvolver(RealtimeConvolver(gaussian(1, 8000), wires, size, np.float64), 8000)
    parts, last = [], np.zeros((1, 1))
    for n in range(60):
        last = gaussian(1, 500 + 100 * n, seed=n)
        mode: Mode = ("spillover", "crossfade", "spillover")[n % 3]
        engine.swap(RealtimeConvolver(last, wires, size, np.float64), mode, 200, "equal power")
        parts.append(stream(engine, x[:, n * size : (n + 1) * size]))
        assert len(engine._voices) <= 6
    parts.append(stream(engine, x[:, 60 * size :]))
    y = np.concatenate(parts, axis=1)
    assert not engine.changing
    assert null_db(y[:, 400 * size :], direct_rows(x, last, wires)[:, 400 * size :]) <= FLOAT64_BUDGET_DB


def test_swaps_from_another_thread() -> None:
    size, wires = 64, routing.parallel(2)
    x = gaussian(2, size * 50)
    responses = [gaussian(2, taps, seed=taps) for taps in (100, 3000, 7000)]
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
    assert null_db(y, direct_rows(repeated, responses[2], wires)[:, -50 * size :]) <= FLOAT64_BUDGET_DB


def test_no_convolver_is_freed_in_the_audio_thread() -> None:
    """It takes milliseconds: who swaps next frees what has left, and so it is kept until then."""
    size, wires = 64, routing.each(1)
    engines = [RealtimeConvolver(gaussian(1, 2000, seed=n), wires, size, np.float64) for n in range(4)]
    alive = [weakref.ref(engine) for engine in engines]
    engine = SwappableConvolver(engines.pop(0), 2000)
    for gone in range(3):
        engine.swap(engines.pop(0), "crossfade", 128, "equal gain")
        if gone == 2:
            engine.reset()
        stream(engine, gaussian(1, 20 * size))
        assert not engine.changing
        assert [ref() is not None for ref in alive[: gone + 1]] == [False] * gone + [True]


def test_reset_forgets_a_fade_and_keeps_the_newest_response() -> None:
    size, wires = 64, routing.each(1)
    x, new = gaussian(1, 100 * size), gaussian(1, 900, seed=2)
    engine = SwappableConvolver(RealtimeConvolver(gaussian(1, 3000), wires, size, np.float64), 3000)
    stream(engine, x)
    engine.swap(RealtimeConvolver(new, wires, size, np.float64), "crossfade", 2000, "equal gain")
    stream(engine, x[:, :size])
    engine.reset()
    assert null_db(stream(engine, x), direct_rows(x, new, wires)) <= FLOAT64_BUDGET_DB
    engine.swap(RealtimeConvolver(-new, wires, size, np.float64), "spillover", 2000, "equal gain")
    engine.reset()
    assert null_db(stream(engine, x), direct_rows(x, -new, wires)) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("curve", ["equal gain", "equal power"])
def test_fades_have_no_corner_at_their_ends(curve: Curve) -> None:
    slopes = np.diff(
        np.concatenate(([[0.0]], fade_curves(1000, 50, curve, np.dtype(np.float64))[0].reshape(1, -1)), 1)
    )
    assert slopes[0, 0] < slopes.max() / 200
    assert slopes[0, -1] < slopes.max() / 200


@pytest.mark.parametrize("frames", [0, 1, 63, 64, 65, 1000])
def test_fades_end_exactly_and_keep_gain_or_power(frames: int) -> None:
    laws: tuple[tuple[Curve, int], ...] = (("equal gain", 1), ("equal power", 2))
    for curve, power in laws:
        fade_in, fade_out = fade_curves(frames, 64, curve, np.dtype(np.float64))
        assert np.allclose(fade_in**power + fade_out**power, 1)
        assert fade_in[-1, -1] == 1
        assert fade_out[-1, -1] == 0
        assert fade_in.shape == (max(1, -(-frames // 64)), 64)


SIZE, LOUDER = 16, routing.each(1)


def gain(factor: float) -> RealtimeConvolver:
    return RealtimeConvolver(np.array([[factor]]), LOUDER, SIZE, np.float64)


def sounds(core: SwappableConvolver) -> float:
    """Run blocks until every fade has ended; return the gain that is heard then."""
    block, out = np.ones((1, SIZE)), np.zeros((1, SIZE))
    for _ in range(12):
        core.process(block, out)
    return round(float(out[0, -1]), 6)


def meeting(mode: Mode, reset: bool) -> tuple[SwappableConvolver, Callable[[], object], Callable[[], object]]:
    """Return a convolver to which a gain of 2 waits to come in, the audio thread's next work, and a request of 3."""
    core = SwappableConvolver(gain(1.0), 1)
    core.swap(gain(2.0), mode, 2 * SIZE, "equal gain")
    newest, block, out = gain(3.0), np.ones((1, SIZE)), np.zeros((1, SIZE))
    work = core.reset if reset else lambda: core.process(block, out)
    return core, work, lambda: core.swap(newest, mode, 2 * SIZE, "equal gain")


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("mode", ["crossfade", "spillover"])
def test_a_request_at_any_step_of_a_block_or_reset_is_heard(mode: Mode, reset: bool) -> None:
    def attempt(step: int) -> bool:
        core, work, request = meeting(mode, reset)
        happened: list[object] = []
        interrupted(work, step, lambda: happened.append(request()), ("swap", "mailbox"))
        if happened:
            assert core.changing or core.engine.plan.taps == 1
            assert sounds(core) == 3.0, step
            assert not core.changing, step
        return bool(happened)

    assert len(list(every_step(attempt))) > 50


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("mode", ["crossfade", "spillover"])
def test_a_request_is_heard_whatever_the_audio_thread_does_at_any_step_of_it(mode: Mode, reset: bool) -> None:
    def attempt(step: int) -> bool:
        core, work, request = meeting(mode, reset)
        happened: list[object] = []
        interrupted(request, step, lambda: happened.append(work()), ("swap", "mailbox"))
        assert sounds(core) == 3.0, step
        assert not core.changing, step
        return bool(happened)

    assert len(list(every_step(attempt))) > 50


def test_a_response_that_is_warmed_while_the_sound_is_reset_starts_from_silence() -> None:
    x, new = gaussian(1, 12 * SIZE), gaussian(1, 9 * SIZE, seed=2)

    def attempt(step: int) -> bool:
        core = SwappableConvolver(gain(1.0), 9 * SIZE)
        stream(core, x)
        happened: list[bool] = []
        engine = RealtimeConvolver(new, LOUDER, SIZE, np.float64)

        def reset() -> None:
            core.reset()
            happened.append(True)

        interrupted(
            lambda: core.swap(engine, "crossfade", 0, "equal gain"),
            step,
            reset,
            ("swap",),
        )
        if happened:
            heard = stream(core, x)
            assert null_db(heard[:, SIZE:], direct_rows(x, new, LOUDER)[:, SIZE:]) <= FLOAT64_BUDGET_DB, step
        return bool(happened)

    assert len(list(every_step(attempt))) > 50


@pytest.mark.parametrize("taken", [False, True])
def test_a_request_that_is_replaced_is_freed_by_the_control_thread(taken: bool) -> None:
    core, block, out = SwappableConvolver(gain(1.0), 1), np.ones((1, SIZE)), np.zeros((1, SIZE))
    core.swap(gain(2.0), "crossfade", 8 * SIZE, "equal gain")
    core.process(block, out)  # it fades from now on, so that others wait
    replaced = gain(3.0)
    alive = weakref.ref(replaced)
    core.swap(replaced, "crossfade", 0, "equal gain")
    del replaced
    if taken:
        core.process(block, out)
    core.swap(gain(4.0), "crossfade", 0, "equal gain")
    core.process(block, out)
    core.swap(gain(5.0), "crossfade", 0, "equal gain")
    assert alive() is None
    assert sounds(core) == 5.0
