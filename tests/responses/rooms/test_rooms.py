"""Rooms by figures, by geometry, and plates: their figures against what was asked, and chance that repeats."""

import importlib.util
import sys
import warnings

import numpy as np
import pytest

from reverb.errors import MissingExtraError, ParameterError, UnknownNameError
from reverb.responses.acoustics import measure
from reverb.responses.direct_sound import onset
from reverb.responses.response import ImpulseResponse
from reverb.responses.rooms import tracing
from reverb.responses.rooms.building import CARPET, MATERIALS, bands, build, octaves
from reverb.responses.rooms.diffuse import decay_rate
from reverb.responses.rooms.figures import Figures, mirror_images, synthesise
from reverb.responses.rooms.plate import decay_times, sheet, synthesise_plate
from reverb.responses.rooms.room import mean_free_path, shoebox, volume
from reverb.responses.rooms.simulate import expected_rt60, simulate

HAVE_ROOMS = importlib.util.find_spec("pyroomacoustics") is not None
needs_rooms = pytest.mark.skipif(not HAVE_ROOMS, reason="needs the extra 'rooms'")


def t30(response: ImpulseResponse) -> dict[float, float]:
    return {b.centre or 0: b.t30.seconds for b in measure(response.samples, response.sample_rate).mean}


def test_decay_times_are_as_asked() -> None:
    targets = {125.0: 1.2, 1000.0: 0.9, 4000.0: 0.6}
    found = t30(synthesise(Figures(rt60=targets, size=9, seed=3), 24_000))
    wanted = dict(zip((125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0), octaves(targets), strict=True))
    for centre, seconds in wanted.items():
        if centre < 8000:
            assert found[centre] == pytest.approx(seconds, rel=0.03), centre


def test_chance_repeats_and_differs_by_seed() -> None:
    def make(seed: int) -> ImpulseResponse:
        return synthesise(Figures(rt60=0.4, size=5, seed=seed), 16_000, "mono")

    assert make(1) == make(1)
    assert make(1) != make(2)


def test_layouts_and_level() -> None:
    stereo = synthesise(Figures(rt60=0.4, size=5), 16_000)
    true = synthesise(Figures(rt60=0.4, size=5), 16_000, "true-stereo")
    assert (stereo.layout, true.layout) == ("stereo", "true-stereo")
    assert stereo.samples.dtype == np.float32
    assert np.abs(stereo.samples).max() == pytest.approx(10 ** (-1 / 20), rel=1e-4)
    assert onset(stereo.samples.astype(float)) == 0
    left_left, left_right, right_left, right_right = (true.samples.astype(float) ** 2).sum(axis=0)
    assert left_left > left_right
    assert right_right > right_left


def test_nearer_is_clearer_and_early_reflections_count() -> None:
    def c80(**figures: float) -> float:
        made = synthesise(Figures(rt60=1.0, size=10, seed=2, **figures), 16_000, "mono")
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


def test_a_plate_decays_as_it_should() -> None:
    made = sheet((1.2, 0.7), 0.0005, rt60_low=1.2, rt60_high=0.5, turn=2600)
    response = synthesise_plate(made, 16_000)
    assert response.layout == "stereo"
    for centre in (500.0, 1000.0, 2000.0):
        assert t30(response)[centre] == pytest.approx(float(decay_times(made, centre)), rel=0.06)
    assert synthesise_plate(made, 16_000) == response


def test_plates_out_of_range() -> None:
    with pytest.raises(ParameterError, match="expected sides"):
        sheet((9, 1), 0.0005, rt60_low=2, rt60_high=1, turn=2600)
    with pytest.raises(ParameterError, match="mono or stereo"):
        synthesise_plate(sheet((1, 0.6), 0.0005, rt60_low=2, rt60_high=1, turn=2600), 16_000, "true-stereo")


def test_surfaces_by_name_and_number() -> None:
    assert bands("carpet", MATERIALS) == CARPET
    assert bands("0.3", MATERIALS) == (0.3,) * 7
    assert bands("0.1,0.2,0.3,0.4,0.5,0.6,0.7", MATERIALS)[6] == 0.7
    with pytest.raises(UnknownNameError, match="expected one of stone"):
        bands("marmalade", MATERIALS)
    with pytest.raises(ParameterError, match="has 2 numbers"):
        bands("0.1,0.2", MATERIALS)


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
    ],
)
def test_rooms_that_cannot_be(given: dict[str, object], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        build(**given)  # type: ignore[arg-type]


def test_a_clockwise_plan_is_turned_round() -> None:
    plan = ((0.0, 0.0), (0.0, 4.0), (5.0, 4.0), (5.0, 0.0))
    assert volume(build(plan=plan, height=2)) == pytest.approx(40)


@needs_rooms
@pytest.mark.filterwarnings("default")
def test_a_simulated_room_decays_as_its_surfaces_are_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "RAYS", 20_000)
    plan = ((0.0, 0.0), (5.0, 0.3), (5.4, 4.0), (0.2, 3.6))
    room = build(plan=plan, height=2.8, walls="furnished", rt60=0.45, order=3, seed=5)
    response = simulate(room, 16_000, "mono")
    for centre in (250.0, 500.0, 1000.0, 2000.0):
        assert t30(response)[centre] == pytest.approx(0.45, rel=0.12), centre
    assert onset(response.samples.astype(float)) == 0


@needs_rooms
@pytest.mark.parametrize(("seconds", "missed"), [(3.0, [8000.0]), (0.1, [])])
def test_a_decay_time_that_is_out_of_reach_is_said(
    seconds: float, missed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """High sounds end in the air however hard the walls; a live room is made dead in all octaves."""
    monkeypatch.setattr(tracing, "RAYS", 20_000)
    plan = ((0.0, 0.0), (14.0, 0.0), (16.0, 4.0), (14.0, 8.0), (0.0, 8.0)) if missed else shoebox(6, 4)
    room = build(plan=plan, height=9 if missed else 3, walls="stone", rt60=seconds)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = t30(simulate(room, 24_000, "mono"))
    said = " ".join(str(one.message) for one in told)
    assert [hz for hz in (250.0, 1000.0, 2000.0, 4000.0, 8000.0) if f"at {hz:g} Hz" in said] == missed
    for centre in (250.0, 500.0, 1000.0, 2000.0, 4000.0):
        assert found[centre] == pytest.approx(seconds, rel=0.15), centre
    for centre in missed:
        assert found[centre] < 0.9 * seconds


def test_a_traced_decay_has_a_rate_even_where_it_ends_early() -> None:
    times = (np.arange(200) + 0.5) * 0.004
    for fall in (1.0, 3.0, 40.0):  # nepers per second, of which 0.8 s are seen
        energy = np.exp(-fall * times)
        assert decay_rate(times, np.asarray(energy)) == pytest.approx(fall, rel=0.02)
    with pytest.raises(ParameterError, match="does not decay"):
        decay_rate(times, np.ones(len(times)))


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(MissingExtraError, match=r"install it with: pip install '.*\[rooms\]'"):
        simulate(build(size=(4, 3, 2.5)))
