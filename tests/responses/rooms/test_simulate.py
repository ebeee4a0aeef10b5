"""Simulated rooms: decay times of the result, and targets out of reach."""

import importlib.util
import sys
import warnings

import pytest

from reverb.errors import MissingExtraError
from reverb.responses.decay.decay import onset
from reverb.responses.rooms import simulate as simulating
from reverb.responses.rooms.room import build, shoebox
from reverb.responses.rooms.simulate import simulate
from tests.responses.decays import t30

HAVE_ROOMS = importlib.util.find_spec("pyroomacoustics") is not None


needs_rooms = pytest.mark.skipif(not HAVE_ROOMS, reason="needs the extra 'rooms'")


@needs_rooms
@pytest.mark.filterwarnings("default")
def test_a_simulated_room_decays_as_its_surfaces_are_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "RAYS", 20_000)
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
    monkeypatch.setattr(simulating, "RAYS", 20_000)
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


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(MissingExtraError, match=r"install it with: pip install '.*\[rooms\]'"):
        simulate(build(size=(4, 3, 2.5)))
