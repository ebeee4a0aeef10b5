"""Ramps, delays and the mix of wet and dry, exact to the sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine.realtime.mix import Delay, Mixer, Ramp
from tests.signals import gaussian

quick = settings(deadline=None, derandomize=True, max_examples=40)


@pytest.mark.parametrize("frames", [1, 10, 64, 100, 200])
def test_a_ramp_is_one_straight_line_over_the_blocks(frames: int) -> None:
    ramp = Ramp(0.25, frames, 64, np.dtype(np.float64))
    gains = []
    for _ in range(5):
        ramp.advance(1.25)
        gains.append(ramp.gains.copy())
    expected = 0.25 + np.minimum(np.arange(1, 321) / frames, 1)
    assert np.allclose(np.concatenate(gains), expected, atol=1e-12)
    assert ramp.value == 1.25


def test_a_ramp_turns_round_where_it_is() -> None:
    ramp = Ramp(0, 640, 64, np.dtype(np.float64))
    ramp.advance(1)
    middle = ramp.value
    ramp.advance(0)
    assert ramp.gains[0] == pytest.approx(middle * (1 - 1 / 640))


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (2, 2), (1, 3), (3, 2), (2, 4)])
def test_the_dry_path_goes_to_its_own_channels(inputs: int, outputs: int) -> None:
    mixer = Mixer(0.0, 1.0, 8, (inputs, outputs, 16), np.dtype(np.float64))
    dry, signal = gaussian(inputs, 16), gaussian(outputs, 16)
    mixer.process(signal, dry)
    for channel in range(outputs):
        source = 0 if inputs == 1 else channel
        assert np.array_equal(signal[channel], dry[source] if source < inputs else np.zeros(16))


@given(st.integers(0, 300), st.integers(1, 64))
@quick
def test_the_delay_is_exact(frames: int, size: int) -> None:
    delay = Delay(frames, 2, size, np.dtype(np.float64))
    x = gaussian(2, 12 * size)
    y = np.empty_like(x)
    for start in range(0, x.shape[1], size):
        delay.process(x[:, start : start + size], y[:, start : start + size])
    assert np.array_equal(y, np.pad(x, ((0, 0), (frames, 0)))[:, : x.shape[1]])
