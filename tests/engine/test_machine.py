"""The machine as a value: read once, kept whole, followed or refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb.engine import fftw, machine, routing, tuning
from reverb.engine.machine import FFTW_COSTS, POCKETFFT_COSTS, Machine
from reverb.engine.offline.convolver import OverlapAdd
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.errors import ParameterError
from tests.nulls import FLOAT32_BUDGET_DB, null_db
from tests.signals import decaying, noise

TUNED = Machine(fftw_sizes=fftw.SIZES[:2], fftw_digest="0123", measured=(("pocketfft", FFTW_COSTS),))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(machine, "cache_folder", lambda: tmp_path)
    yield tmp_path
    machine._read.cache_clear()


def test_without_a_measurement_the_built_in_costs_serve_and_files_do_without_fftw() -> None:
    assert machine.here() == Machine()
    assert machine.here().costs("pocketfft") == POCKETFFT_COSTS
    assert machine.here().digest == ""


class KnowingPlanner:
    """FFTW's planner with wisdom of some sizes."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = sizes

    def knows(self, size: int) -> bool:
        return size in self._sizes


def test_a_saved_machine_is_the_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fftw, "planner", lambda: KnowingPlanner(*fftw.SIZES))
    machine.save(TUNED)
    assert machine.here() == TUNED
    assert machine.here().costs("pocketfft") == FFTW_COSTS
    assert machine.here().costs("fftw") == FFTW_COSTS  # built in
    assert machine.here().sizes(8) == ()  # double precision is not measured


def test_without_pyfftw_its_plans_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    machine.save(TUNED)
    monkeypatch.setattr(fftw, "planner", lambda: None)
    assert machine.here() == TUNED._replace(fftw_sizes=(), fftw_digest="")


@pytest.mark.usefixtures("empty_planner")
def test_without_their_wisdom_fftws_plans_are_left_out(folder: Path) -> None:
    size = fftw.SIZES[0]
    planner = fftw.planner()
    assert planner is not None
    assert not planner.knows(size)
    planner.learn([size])
    assert planner.knows(size)
    machine.save(Machine(fftw_sizes=(size,), fftw_digest="0123"))
    assert machine.here().digest == "0123"
    machine._read.cache_clear()
    planner._module.forget_wisdom()  # as in a process that finds no wisdom file
    assert machine.here() == Machine()
    assert list(folder.rglob("machine.json"))


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        json.dumps({"fftw_sizes": 3, "fftw_digest": "0123", "costs": {}}),
        json.dumps({"fftw_sizes": [16384], "fftw_digest": None, "costs": []}),
        json.dumps({"costs": {"pocketfft": {"call": 1}, "fftw": {"call": -1}}}),
        json.dumps({"fftw_sizes": [17], "fftw_digest": "0123"}),
    ],
)
def test_a_damaged_measurement_counts_as_none(folder: Path, damage: str) -> None:
    (folder / "machine.json").write_text(damage)
    assert machine.here() == Machine()


def test_the_digest_names_what_decides_about_bytes_only() -> None:
    assert TUNED._replace(measured=()).digest == TUNED.digest
    assert TUNED._replace(fftw_digest="4567").digest != TUNED.digest
    assert TUNED._replace(fftw_sizes=()).digest == Machine().digest


def test_a_machine_that_is_not_this_one_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"0123; expected none.*Machine\(\)"):
        machine.followed(TUNED)
    assert machine.followed(Machine()) == Machine()
    assert machine.followed(None) == machine.here()


def test_costs_are_measured_and_decide_about_real_time_plans() -> None:
    measured = tuning.measure_costs("pocketfft")
    assert measured != POCKETFFT_COSTS
    assert measured.transform(4096, 2) > 0
    dear = Machine.of(POCKETFFT_COSTS._replace(call=100_000))
    h = np.random.default_rng(0).standard_normal((1, 20_000))
    plans = [
        RealtimeConvolver(h, routing.each(1), 64, fft="pocketfft", machine=m).plan for m in (Machine(), dear)
    ]
    assert len(plans[1].stages) < len(plans[0].stages)


@pytest.mark.usefixtures("empty_planner")
def test_files_use_fftw_where_the_machine_has_its_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fftw, "SIZES", (1 << 15,))
    done: list[int] = []
    digest = tuning.learn_fftw(done.append)
    assert done == [1 << 15]
    machine.save(Machine(fftw_sizes=fftw.SIZES, fftw_digest=digest))
    x, h = noise(3_000_000, 2).astype(np.float32), decaying(2_000, 2).T.astype(np.float32)

    def rendered(of: Machine | None, dtype: Any = np.float32) -> tuple[str, Any]:
        engine = OverlapAdd(h, routing.parallel(2), dtype=dtype, length=len(x), machine=of)
        return engine.plan.fft, np.concatenate((engine.process(x), engine.flush()))

    (plain, expected), (tuned, y), (same, again) = (
        rendered(Machine()),
        rendered(None),
        rendered(machine.here()),
    )
    assert (plain, tuned, same) == ("pocketfft", "fftw", "fftw")
    assert np.array_equal(y, again)
    assert not np.array_equal(y, expected)
    assert null_db(y, expected) <= FLOAT32_BUDGET_DB
    assert rendered(None, np.float64)[0] == "pocketfft"
    with pytest.raises(ParameterError, match="4567"):
        rendered(Machine(fftw_sizes=fftw.SIZES, fftw_digest="4567"))
