"""Rooms from figures: the figures of the result, and random numbers that repeat."""

import numpy as np
import pytest

from reverb.errors import ParameterError
from reverb.responses.acoustics import measure
from reverb.responses.decay.decay import onset
from reverb.responses.response import ImpulseResponse
from reverb.responses.rooms.figures import Figures, mirror_images, synthesize
from reverb.responses.rooms.materials import OCTAVES, octave_times
from tests.responses.decays import t30


def test_decay_times_are_as_asked() -> None:
    targets = {125.0: 1.2, 1000.0: 0.9, 4000.0: 0.6}
    found = t30(synthesize(Figures(rt60=targets, size=9, seed=3), 24_000))
    wanted = dict(zip(OCTAVES, octave_times(targets), strict=True))
    for centre, seconds in wanted.items():
        if centre < 8000:
            assert found[centre] == pytest.approx(seconds, rel=0.03), centre


def test_chance_repeats_and_differs_by_seed() -> None:
    def make(seed: int) -> ImpulseResponse:
        return synthesize(Figures(rt60=0.4, size=5, seed=seed), 16_000, "mono")

    assert make(1) == make(1)
    assert make(1) != make(2)


def test_layouts_and_level() -> None:
    stereo = synthesize(Figures(rt60=0.4, size=5), 16_000)
    true = synthesize(Figures(rt60=0.4, size=5), 16_000, "true-stereo")
    assert (stereo.layout, true.layout) == ("stereo", "true-stereo")
    assert stereo.samples.dtype == np.float32
    assert np.abs(stereo.samples).max() == pytest.approx(10 ** (-1 / 20), rel=1e-4)
    assert onset(stereo.samples.astype(float)) == 0
    left_left, left_right, right_left, right_right = (true.samples.astype(float) ** 2).sum(axis=0)
    assert left_left > left_right
    assert right_right > right_left


def test_nearer_is_clearer_and_early_reflections_count() -> None:
    def c80(distance: float | None = None, early_db: float = 0.0) -> float:
        figures = Figures(rt60=1.0, size=10, seed=2, distance=distance, early_db=early_db)
        made = synthesize(figures, 16_000, "mono")
        return measure(made.samples, 16_000, bands="broadband").mean[0].c80

    assert c80(distance=0.8) > c80(distance=7.0) + 3
    assert c80(early_db=6.0) > c80(early_db=-30.0)


def test_mirror_images_of_the_first_order_lie_behind_the_six_walls() -> None:
    figures = Figures(rt60=1.0, size=8)
    source = np.array([1.0, 2.0, 1.5])
    images = mirror_images(figures, source, 343.0)
    first = {tuple(np.round(p, 9)) for p in images.positions[images.orders == 1]}
    expected = set()
    for axis, side in enumerate(figures.sides):
        for wall in (0.0, side):
            mirrored = source.copy()
            mirrored[axis] = 2 * wall - source[axis]
            expected.add(tuple(np.round(mirrored, 9)))
    assert first == expected
    assert (images.gains[:, images.orders == 0] == 1).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rt60": 0.0},
        {"rt60": {}},
        {"rt60": {900.0: 1.0}},
        {"size": 1.0},
        {"distance": 50.0},
        {"density": 0.0},
        {"early_db": float("nan")},
        {"seed": -1},
    ],
)
def test_figures_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="expected"):
        Figures(**wrong)  # type: ignore[arg-type]
