"""Several stages at once: order, back pressure, and that a failure in any of them stops all."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from reverb.arrays import Audio
from reverb.render.pipeline import BufferPool, run

DEPTHS = [1, 2, 3, 7, 20]


def _blocks(count: int) -> Iterator[Audio]:
    for number in range(count):
        yield np.full(4, float(number))


def _twice(block: Audio) -> Audio:
    return 2 * block


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("stages", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 200])
def test_all_passes_in_order(count: int, stages: int, depth: int) -> None:
    taken: list[float] = []
    run(_blocks(count), [_twice] * stages, lambda block: taken.append(float(block[0])), depth=depth)
    assert taken == [2.0**stages * number for number in range(count)]


def test_a_stage_may_hold_items_back_and_give_the_rest_at_the_end() -> None:
    held: list[float] = []
    taken: list[float] = []

    def every_third(block: Audio) -> Audio | None:
        held.append(float(block[0]))
        return np.array([held.pop(0)]) if len(held) > 2 else None

    def flush() -> Iterator[Audio]:
        assert len(taken) <= 98
        yield from (np.array([number]) for number in held)

    run(_blocks(100), [_twice, every_third], lambda block: taken.append(float(block[0])), flush=flush)
    assert taken == [2.0 * number for number in range(100)]


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_reader_does_not_run_far_ahead(depth: int) -> None:
    drawn, written, furthest = 0, 0, 0

    def source() -> Iterator[Audio]:
        nonlocal drawn
        for block in _blocks(300):
            drawn += 1
            yield block

    def sink(_: Audio) -> None:
        nonlocal written, furthest
        furthest = max(furthest, drawn - written)
        written += 1

    run(source(), [_twice, _twice], sink, depth=depth)
    assert written == 300
    assert furthest <= 3 * depth + 4  # before each stage and the sink, and one in every hand


@pytest.mark.parametrize("depth", DEPTHS)
def test_buffers_are_never_overwritten_while_they_are_used(depth: int) -> None:
    buffers, chance = BufferPool((4,), np.float64), random.Random(1)
    taken: list[float] = []

    def into_buffer(block: Audio) -> Audio:
        buffer = buffers.acquire()
        buffer[:] = block
        return buffer[:2]

    def sink(block: Audio) -> None:
        before = block.copy()
        time.sleep(chance.choice((0.0, 0.0, 0.002)))
        np.testing.assert_array_equal(block, before)
        taken.append(float(block[0]))
        buffers.release(block)

    run(_blocks(100), [into_buffer], sink, depth=depth)
    assert taken == [float(number) for number in range(100)]


def test_buffers_come_back_whole_and_as_they_were_asked_for() -> None:
    buffers = BufferPool((8, 2), np.float32, "F")
    first, second = buffers.acquire(), buffers.acquire()
    assert first is not second
    assert first.flags.f_contiguous
    buffers.release(first[3:5])
    assert buffers.acquire() is first


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["source", "first", "second", "sink", "flush"])
@pytest.mark.parametrize("at", [0, 1, 50, 199])
def test_a_failure_anywhere_is_raised_here(where: str, error: type[BaseException], at: int) -> None:
    def failing(stage: str) -> Callable[[Any], Any]:
        number = -1

        def step(block: Any) -> Any:
            nonlocal number
            number += 1
            if where == stage and number == at:
                raise error("broken")
            return block

        return step

    taken = 0

    def sink(block: Audio) -> None:
        nonlocal taken
        check(block)
        taken += 1

    check = failing("sink")
    with pytest.raises(error, match="broken"):
        run(
            map(failing("source"), _blocks(200)),
            [failing("first"), failing("second")],
            sink,
            flush=lambda: map(failing("flush"), _blocks(200)),
        )
    assert "renderer" not in {thread.name for thread in threading.enumerate()}
    assert taken <= at + 20 + 200 * (where == "flush")


def test_an_interrupt_before_the_second_worker_begins_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun, raised = threading.Thread.start, list[threading.Thread](), list[BaseException]()
    monkeypatch.setattr("os.cpu_count", lambda: 4)

    def start(thread: threading.Thread) -> None:
        if thread.name == "renderer":
            if begun:
                time.sleep(0.1)  # the first one is at work meanwhile
                raise KeyboardInterrupt
            begun.append(thread)
        begin(thread)

    def interrupted() -> None:
        try:
            run(_blocks(10**9), [_twice], lambda _: None)
        except KeyboardInterrupt as error:
            raised.append(error)

    monkeypatch.setattr(threading.Thread, "start", start)
    caller = threading.Thread(target=interrupted, daemon=True)
    caller.start()
    caller.join(10)
    assert not caller.is_alive()
    assert len(raised) == 1
