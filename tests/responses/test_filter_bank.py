"""The bands for editing: they sum to the input, and each contains its own frequencies only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.responses.filter_bank import centres, join, split, split_decimated, split_sixths
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import noise

RATE = 16_000


@settings(deadline=None, derandomize=True, max_examples=8)
@given(frames=st.integers(1, 5000), channels=st.integers(1, 3), rate=st.sampled_from([8000, 44_100, 96_000]))
def test_the_bands_sum_to_the_input(frames: int, channels: int, rate: int) -> None:
    x = noise(frames, channels, seed=frames)
    bands = list(split(x, rate))
    assert [centre for centre, _ in bands] == list(centres(rate))
    assert null_db(np.sum([band for _, band in bands], axis=0), x) < FLOAT64_BUDGET_DB
    low = list(split_decimated(x, rate))
    for (centre, band), short in zip(bands, low, strict=True):
        assert short.centre == centre
        every = short.sound[:, : -(-frames // short.step)].T
        assert np.abs(every - band[:: short.step]).max() < 1e-13
    assert null_db(join(low, frames), x) < FLOAT64_BUDGET_DB


def test_a_band_holds_its_tone_and_no_other() -> None:
    n = np.arange(RATE)
    tone = np.sin(2 * np.pi * 1000 / RATE * n)[:, np.newaxis]
    middle = slice(RATE // 4, 3 * RATE // 4)
    levels = {round(c): 20 * np.log10(np.abs(b[middle]).max()) for c, b in split(tone, RATE)}
    assert levels[1000] == pytest.approx(0, abs=0.5)
    assert all(db < -100 for c, db in levels.items() if c < 600 or c > 1700)


@pytest.mark.parametrize("frames", [1, 999, 4800])
def test_sixth_octaves_sum_to_the_input(frames: int) -> None:
    x = noise(frames, 2)
    bands = dict(split_sixths(x, RATE))
    assert null_db(np.sum(list(bands.values()), axis=0), x) < FLOAT64_BUDGET_DB
    assert max(bands) <= RATE / 2
