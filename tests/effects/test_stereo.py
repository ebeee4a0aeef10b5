"""Middle and side against sums and differences."""

from collections.abc import Callable

import numpy as np
import pytest

from reverb import Delay, Gain, LowCut, LowPass, MidSide, Reverb, Width
from reverb.errors import InvalidAudioError, ParameterError
from tests.signals import noise

RATE = 8000


def test_width_scales_the_difference() -> None:
    x = noise(100, 2)
    mid, side = x.mean(axis=1), (x[:, 0] - x[:, 1]) / 2
    for width in (0.0, 0.5, 1.0, 2.0):
        expected = np.stack([mid + width * side, mid - width * side], axis=1)
        assert np.abs(Width(width)(x, RATE) - expected).max() < 1e-14


def test_mid_and_side_have_effects_of_their_own() -> None:
    x = noise(2000, 2)
    mid, side = x.mean(axis=1), (x[:, 0] - x[:, 1]) / 2
    effect = MidSide(mid=LowPass(2000, transition=500), side=LowCut(300) >> Gain(3))
    y = effect(x, RATE)
    m, s = LowPass(2000, transition=500)(mid, RATE), (LowCut(300) >> Gain(3))(side, RATE)
    frames = min(len(m), len(s), len(x))
    assert np.abs(y[:frames, 0] - (m[:frames] + s[:frames])).max() < 1e-12
    assert np.abs(y[:frames, 1] - (m[:frames] - s[:frames])).max() < 1e-12
    assert MidSide().response(RATE).samples.tolist() == [[1, 0, 0, 1]]


def test_a_mono_sound_becomes_stereo() -> None:
    assert (Width(2) >> Delay(0.01))(noise(2000, 1)[:, 0], RATE).shape == (2080, 2)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Width(-1), ParameterError, "width is -1; expected a number from 0 to 4"),
        (lambda: MidSide(mid=3), ParameterError, "mid is 3, no effect"),  # type: ignore[arg-type]
        (
            lambda: MidSide(mid=Reverb("hall")).response(RATE),
            InvalidAudioError,
            "mid: hall is stereo; expected a mono",
        ),
    ],
)
def test_nonsense_is_refused(make: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()
