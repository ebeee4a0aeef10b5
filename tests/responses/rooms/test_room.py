"""Rooms as values: their geometry, and rooms that cannot be."""

import numpy as np
import pytest

from reverb.errors import ParameterError
from reverb.responses.rooms.room import (
    build,
    capsules,
    mean_free_path,
    source_positions,
    volume,
    with_microphones,
)
from reverb.responses.rooms.simulate import expected_rt60


def test_a_box_has_the_volume_and_sabine_time_of_its_walls() -> None:
    box = build(size=(8, 5, 3), walls="0.1", floor="0.1", ceiling="0.1")
    surface = 2 * (8 * 5 + 8 * 3 + 5 * 3)
    assert volume(box) == pytest.approx(120)
    assert mean_free_path(box) == pytest.approx(4 * 120 / surface)
    # Eyring: 0.161 V / (−S ln(1 − α)), air left out.
    eyring = 24 * np.log(10) / 343.2 * 120 / (-surface * np.log(0.9))
    assert expected_rt60(box)[0] == pytest.approx(eyring, rel=0.01)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "either a size"),
        ({"plan": ((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))}, "no height"),
        ({"size": (4, 3, 2.5), "source": (9, 1, 1)}, "inside the room"),
        ({"size": (4, 3, 2.5), "walls": "1.5"}, "shares from 0 to 1"),
        ({"size": (4, 3, 2.5), "order": 0}, "1 to 30"),
        ({"size": (4, 3, 900)}, "height"),
        ({"size": (4, 3)}, "length, width and height"),
        ({"size": 4.0}, "length, width and height"),
        ({"size": (4, 3, 2.5), "walls": None}, "surface is None"),
        ({"size": (4, 3, 2.5), "microphones": (1, 1)}, "x, y and z"),
        ({"size": (4, 3, 2.5), "rt60": float("nan")}, "decay time is nan"),
        ({"size": (4, 3, 2.5), "angle": "wide"}, "angle is 'wide'"),
        ({"size": (4, 3, 2.5), "seed": -1}, "seed is -1"),
        ({"plan": ((0, 0), (1, None), (1, 1)), "height": 2}, "three corners"),
    ],
)
def test_rooms_that_cannot_be(given: dict[str, object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        build(**given)  # type: ignore[arg-type]


def test_a_clockwise_plan_is_turned_round() -> None:
    plan = ((0.0, 0.0), (0.0, 4.0), (5.0, 4.0), (5.0, 0.0))
    assert volume(build(plan=plan, height=2)) == pytest.approx(40)


def test_the_pair_faces_the_source_and_sources_are_equally_far() -> None:
    room = build(size=(8, 5, 3), spacing=0.4, angle=90.0, source=(2, 2.5, 1.5), microphones=(6, 2.5, 1.5))
    (left, left_axis), (right, right_axis) = capsules(room)
    np.testing.assert_allclose(left - right, [0, -0.4, 0], atol=1e-12)  # facing −x, the left is at −y
    np.testing.assert_allclose([left_axis, right_axis], [[0, -1, 0], [0, 1, 0]], atol=1e-12)
    for source in source_positions(room):
        assert np.linalg.norm(source - room.microphones) == pytest.approx(4)
    mono = with_microphones(room, "mono")
    assert (mono.pair.spacing, mono.pair.directivity) == (0, 0)
