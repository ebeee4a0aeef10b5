"""The ring: frames between two threads, in order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.live.ring import Ring


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(1, 50), st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_a_ring_gives_what_was_pushed_in_order(capacity: int, steps: list[tuple[bool, int]]) -> None:
    ring, value = Ring(capacity, 2), 0.0
    expected: list[float] = []
    for pushing, count in steps:
        if pushing:
            block = np.arange(value, value + count, dtype=np.float32).repeat(2).reshape(-1, 2)
            taken = ring.push(block)
            assert taken is (count <= capacity - len(expected))
            if taken:
                expected += list(block[:, 0])
                value += count
        else:
            out = np.full((count, 2), -1, np.float32)
            got = ring.pull(out)
            assert got == min(count, len(expected))
            assert out[:got, 0].tolist() == expected[:got]
            assert (out[:got, 0] == out[:got, 1]).all()
            del expected[:got]
        assert ring.waiting == len(expected)
