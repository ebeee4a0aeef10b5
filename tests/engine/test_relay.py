"""Two threads that share a repeated work: order, distance, and errors from either side."""

import threading

import pytest

from reverb.engine.relay import relay


@pytest.mark.parametrize("ahead", [0, 1, 3])
@pytest.mark.parametrize("steps", [0, 1, 2, 20])
def test_every_step_once_in_order_and_never_too_far_ahead(steps: int, ahead: int) -> None:
    first: list[int] = []
    second: list[int] = []
    distances: list[int] = []

    def lead(step: int) -> None:
        first.append(step)
        distances.append(step - len(second))

    def follow(step: int) -> None:
        assert first[step] == step
        second.append(step)

    relay(lead, follow, steps, ahead)
    assert first == second == list(range(steps))
    assert max(distances, default=0) <= ahead


@pytest.mark.parametrize("broken", ["first", "second"])
def test_an_error_of_either_half_ends_both(broken: str) -> None:
    def step(half: str, n: int) -> None:
        if half == broken and n == 2:
            raise ArithmeticError(half)

    threads = threading.active_count()
    with pytest.raises(ArithmeticError, match=broken):
        relay(lambda n: step("first", n), lambda n: step("second", n), 50, 2)
    assert threading.active_count() == threads
