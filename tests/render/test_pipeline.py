"""Three stages at once: order, back pressure, and that a failure in any of them stops all."""

import itertools
import random
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from reverb.arrays import Audio
from reverb.render import pipeline
from reverb.render.pipeline import run


def _blocks(count: int) -> Iterator[Audio]:
    for number in range(count):
        yield np.full(4, float(number))


def _twice(blocks: Iterator[Audio]) -> Iterator[Audio]:
    for block in blocks:
        yield 2 * block


@pytest.mark.parametrize("count", [0, 1, 2, 3, 500])
def test_all_passes_in_order(count: int) -> None:
    taken: list[float] = []
    run(_blocks(count), _twice, lambda block: taken.append(float(block[0])))
    assert taken == [2.0 * number for number in range(count)]


def test_the_reader_does_not_run_far_ahead() -> None:
    drawn, furthest = 0, 0

    def source() -> Iterator[Audio]:
        nonlocal drawn
        for block in _blocks(300):
            drawn += 1
            yield block

    written = 0

    def sink(_: Audio) -> None:
        nonlocal written, furthest
        furthest = max(furthest, drawn - written)
        written += 1

    run(source(), _twice, sink)
    assert written == 300
    assert furthest < 20


def test_buffers_used_in_turn_are_never_overwritten_too_early() -> None:
    turns, chance = itertools.cycle([np.empty(4) for _ in range(pipeline.LIVE)]), random.Random(1)
    taken: list[float] = []

    def into_buffers(blocks: Iterator[Audio]) -> Iterator[Audio]:
        for block in blocks:
            buffer = next(turns)
            buffer[:] = block
            yield buffer

    def sink(block: Audio) -> None:
        before = block.copy()
        time.sleep(chance.choice((0.0, 0.0, 0.002)))
        np.testing.assert_array_equal(block, before)
        taken.append(float(block[0]))

    run(_blocks(100), into_buffers, sink)
    assert taken == [float(number) for number in range(100)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["source", "transform", "sink"])
@pytest.mark.parametrize("at", [0, 1, 50, 199])
def test_a_failure_anywhere_is_raised_here(where: str, error: type[BaseException], at: int) -> None:
    def failing(blocks: Iterator[Audio], stage: str) -> Iterator[Audio]:
        for number, block in enumerate(blocks):
            if where == stage and number == at:
                raise error("broken")
            yield block

    taken = 0

    def sink(_: Audio) -> None:
        nonlocal taken
        if where == "sink" and taken == at:
            raise error("broken")
        taken += 1

    with pytest.raises(error, match="broken"):
        run(failing(_blocks(200), "source"), lambda blocks: failing(blocks, "transform"), sink)
    assert "renderer" not in {thread.name for thread in threading.enumerate()}
    assert taken <= at + 20


def test_an_interrupt_before_the_second_worker_begins_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun, raised = pipeline._Worker.start, list[pipeline._Worker](), list[BaseException]()

    def start(worker: pipeline._Worker) -> None:
        if begun:
            time.sleep(0.1)  # the first one waits for a block that nobody will read
            raise KeyboardInterrupt
        begun.append(worker)
        begin(worker)

    def pairs(blocks: Iterator[Audio]) -> Iterator[Audio]:
        for block in blocks:
            yield block + next(blocks)

    def interrupted() -> None:
        try:
            run(_blocks(4), pairs, lambda _: None)
        except KeyboardInterrupt as error:
            raised.append(error)

    monkeypatch.setattr(pipeline._Worker, "start", start)
    caller = threading.Thread(target=interrupted, daemon=True)
    caller.start()
    caller.join(10)
    assert not caller.is_alive()
    assert len(raised) == 1
