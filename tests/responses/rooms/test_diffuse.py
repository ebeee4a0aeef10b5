"""The diffuse field: rates of echograms, and the level and coherence of plane waves."""

import numpy as np
import pytest

from reverb.errors import ParameterError
from reverb.responses.rooms.diffuse import decay_rate, plane_waves
from reverb.responses.rooms.room import build, with_microphones


def test_a_traced_decay_has_a_rate_even_where_it_ends_early() -> None:
    times = (np.arange(200) + 0.5) * 0.004
    for fall in (1.0, 3.0, 40.0):  # nepers per second, of which 0.8 s are seen
        energy = np.exp(-fall * times)
        assert decay_rate(times, np.asarray(energy)) == pytest.approx(fall, rel=0.02)
    with pytest.raises(ParameterError, match="does not decay"):
        decay_rate(times, np.ones(len(times)))


def test_plane_waves_have_unit_power_and_the_coherence_of_a_diffuse_field() -> None:
    room = build(size=(8, 5, 3))
    waves = plane_waves(with_microphones(room, "mono"), 32_000, 16_000, 343.0, 0.05, np.random.default_rng(1))
    assert np.mean(waves**2) * 16_000 == pytest.approx(1, rel=0.1)
    np.testing.assert_allclose(waves[:, 0], waves[:, 1])  # both at one place
    wide = plane_waves(
        build(size=(8, 5, 3), spacing=2.0), 32_000, 16_000, 343.0, 0.05, np.random.default_rng(1)
    )
    assert abs(np.corrcoef(wide.T)[0, 1]) < 0.1
