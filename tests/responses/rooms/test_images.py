"""Early sound: arrivals of image sources in time and level."""

import numpy as np
import pytest

from reverb.responses.rooms.images import Images, early_sound, specular_share
from reverb.responses.rooms.room import build, with_microphones

RATE = 16_000


def test_an_image_arrives_after_its_distance_at_its_level() -> None:
    room = with_microphones(build(size=(8, 5, 3), microphones=(4, 2.5, 1.5)), "mono")
    positions = np.array([[4.0, 2.5 + 3.43, 1.5], [4.0, 2.5, 1.5 + 6.86]])
    images = Images(positions, np.array([0, 0]), np.ones((7, 2)))
    sound = early_sound(room, images, 600, RATE, speed=343.0, origin=0.0)[:, 0]
    assert int(np.abs(sound[:250]).argmax()) == 160  # 3.43 m at 343 m/s
    assert int(np.abs(sound[250:]).argmax()) + 250 == 320
    spectrum = np.abs(np.fft.rfft(sound[:300], 4096))
    assert spectrum[256] == pytest.approx(1 / 3.43, rel=0.01)  # at 1 kHz


def test_the_specular_share_falls_with_each_reflection_and_ends_with_the_order() -> None:
    share = specular_share(np.arange(0, 9.0), (0.1,) * 7, 8)
    np.testing.assert_allclose(share[0, :5], 0.9 ** np.arange(5))
    assert share[0, 8] == pytest.approx(0, abs=1e-12)
