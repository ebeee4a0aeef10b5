"""The draws of augmentation: nothing but the seed, the path, and the number of the variant decides them."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest

from reverb import Augment, Reverb
from reverb.errors import ParameterError
from reverb.render.batch.plan import Input, plan
from reverb.render.batch.tasks import Draw, Treatment
from tests.render.batch.folders import HALL, ROOM

RANGES = {"mix": (0.1, 0.6), "predelay": (0.0, 0.05), "gain": (-6.0, 3.0)}
FULL = Augment(variants=3, seed=5, mix=RANGES["mix"], predelay=RANGES["predelay"], gain=RANGES["gain"])


def _drawn(
    inputs: list[str], augment: Augment, names: tuple[str, ...] = ("room", "hall")
) -> dict[str, tuple[str, Draw]]:
    treatments = [Treatment(name, Reverb(ROOM if name == "room" else HALL)) for name in names]
    found = [Input(name, PurePosixPath(name)) for name in inputs]
    tasks = plan(found, treatments, augment=augment)
    return {task.output: (task.treatment, task.draw) for task in tasks if task.draw is not None}


def test_draws_do_not_depend_on_other_files_or_their_order() -> None:
    alone, among = _drawn(["b.wav"], FULL), _drawn(["c.wav", "b.wav", "a.wav"], FULL)
    assert list(alone) == ["b-1.wav", "b-2.wav", "b-3.wav"]
    assert all(among[name] == draw for name, draw in alone.items())
    assert len({str(draw) for draw in among.values()}) == 9


def test_a_range_changes_no_other_value() -> None:
    whole, part = _drawn(["a.wav"], FULL), _drawn(["a.wav"], replace(FULL, mix=None))
    for name, (treatment, draw) in part.items():
        assert draw.mix is None
        assert whole[name] == (treatment, replace(draw, mix=whole[name][1].mix))


def test_draws_fill_their_ranges_evenly() -> None:
    draws = _drawn([f"{number}.wav" for number in range(300)], FULL)
    assert len(draws) == 900
    rooms = sum(treatment == "room" for treatment, _ in draws.values())
    assert 450 - 5 * 15 < rooms < 450 + 5 * 15  # five standard deviations
    for name, (low, high) in RANGES.items():
        values = [getattr(draw, name) for _, draw in draws.values()]
        assert low <= min(values) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(values) <= high
        mean = sum(values) / len(values)
        assert abs(mean - (low + high) / 2) < 5 * (high - low) / 12**0.5 / 30


def test_seeds_differ_and_stay_what_they_are() -> None:
    first, second = (_drawn(["a.wav"], replace(FULL, seed=seed)) for seed in (5, 6))
    assert first != second
    # As drawn when this was written: a later version must not change a training set.
    assert first["a-1.wav"] == ("room", Draw(seed=5, variant=1, mix=0.2335, predelay=0.00215, gain=1.7))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"variants": 0}, "variants is 0; expected a whole number from 1"),
        ({"variants": 1.5}, "variants is 1.5; expected a whole number"),
        ({"variants": None}, "variants is None"),
        ({"seed": 0.5}, "seed is 0.5; expected a whole number"),
        ({"seed": "one"}, "seed is 'one'; expected a whole number"),
        ({"seed": float("nan")}, "seed is nan; expected a whole number"),
        ({"mix": (0.5, 0.2)}, r"mix is \(0.5, 0.2\); expected \(low, high\) within 0 to 1"),
        ({"mix": (0.0, 1.5)}, "within 0 to 1"),
        ({"mix": 0.5}, "mix is 0.5"),
        ({"mix": (0.1, 0.2, 0.3)}, "within 0 to 1"),
        ({"mix": ("low", "high")}, "within 0 to 1"),
        ({"predelay": (-0.1, 0.1)}, "within 0 to 10"),
        ({"gain": (float("nan"), 0.0)}, "within -120 to 120"),
        ({"gain": (None, 0.0)}, "within -120 to 120"),
    ],
)
def test_wrong_values_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint):
        Augment(**settings)


def test_a_treatment_has_a_name_and_an_effect() -> None:
    with pytest.raises(ParameterError, match="name is 3"):
        Treatment(3, Reverb(ROOM))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="effect is None, no effect"):
        Treatment("none", None)  # type: ignore[arg-type]
