"""Tails that continue: against synthetic decays, swells and noise, and real rooms cut short."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reverb.arrays import Array
from reverb.responses.decay.decay import onset
from reverb.responses.response import ImpulseResponse
from reverb.responses.tail import extend_tail
from reverb.store.response_files import load_response
from tests.nulls import null_db
from tests.responses.decays import RATE, broadband_t30, decay, t30

# Every third response of the folder by default; set this to have all.
EVERY = os.environ.get("REVERB_EVERY_RESPONSE") == "1"


def energy_db(samples: Array) -> float:
    return float(10 * np.log10(np.sum(samples.astype(np.float64) ** 2)))


def test_a_tail_replaces_noise_and_goes_on_at_its_slope() -> None:
    endless = extend_tail(decay(1.5, 1.0, 2, floor_db=-40))
    assert endless.seconds == pytest.approx(1.5, rel=0.3)
    window = RATE // 10
    levels = [10 * np.log10(np.mean(part**2)) for part in np.split(endless.samples[: 14 * window, 0], 14)]
    slope = np.polyfit(np.arange(14) / 10, levels, 1)[0]
    assert slope == pytest.approx(-60, rel=0.06)
    assert extend_tail(decay(1.5, 1.0, 2, floor_db=-40)) == endless
    assert extend_tail(decay(1.5, 1.0, 2, floor_db=-40), seed=1) != endless


def test_a_swell_before_a_cut_is_no_noise() -> None:
    times = np.arange(round(0.75 * RATE)) / RATE
    level = -60 * times + np.interp(times, [0.4, 0.57, 0.75], [0, -5, 13])
    swelling = 10 ** (level / 20) * np.random.default_rng(1).standard_normal(len(times))
    short = ImpulseResponse(swelling, RATE, "swell")
    longer = extend_tail(short)
    swell = slice(round(0.6 * RATE), round(0.74 * RATE))
    assert energy_db(longer.samples[swell]) == pytest.approx(energy_db(short.samples[swell]), abs=0.5)


@pytest.mark.parametrize("grows", [2.0, 6.0])
def test_noise_that_grows_is_noise_still(grows: float) -> None:
    times = np.arange(3 * RATE) / RATE
    rng = np.random.default_rng(3)
    clean, noise = rng.standard_normal((2, len(times)))
    noisy = 10 ** (-3 * times) * clean + 10 ** ((-45 + grows * times / 3) / 20) * noise
    assert energy_db(extend_tail(ImpulseResponse(noisy, RATE, "noise")).samples[2 * RATE :]) < -70


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("gh_openair_spokane_womans_club", 0.6),
        ("gh_openair_st_andrews_church", 0.5),
        ("deb_pyo_IRMediumHallStereo", 0.6),
        ("gh_openair_tyndall_bruce_monument", 0.6),
    ],
)
def test_a_real_room_cut_short_gets_its_decay_back(name: str, kept: float, audio_folder: Path) -> None:
    real = load_response(audio_folder / "ir" / f"{name}.wav")
    full, start = broadband_t30(real), onset(real.samples)
    short = replace(real, samples=real.samples[: start + round(kept * full * real.sample_rate)])
    longer = extend_tail(short)
    assert broadband_t30(longer) == pytest.approx(full, rel=0.05)
    certain = start + round(0.5 * kept * full * real.sample_rate)
    assert null_db(longer.samples[:certain], real.samples[:certain]) < -60
    if kept == 0.6:  # octaves that decay more slowly than the whole have less left
        before, after = t30(real), t30(longer)
        middles = [np.mean([found[500.0], found[1000.0], found[2000.0]]) for found in (before, after)]
        assert middles[1] == pytest.approx(middles[0], rel=0.05)


@pytest.mark.filterwarnings("ignore")  # files that are damaged say so elsewhere
def test_real_responses_cut_at_three_quarters_get_their_decay_back(audio_folder: Path) -> None:
    ratios = {}
    paths = sorted((audio_folder / "ir").iterdir())
    for path in paths if EVERY else paths[::3]:
        loaded = load_response(path, layout="parallel")
        real = ImpulseResponse(loaded.samples[:, :2], loaded.sample_rate, path.stem)
        full = broadband_t30(real)
        if not np.isfinite(full):
            continue
        end = onset(real.samples) + round(0.75 * full * real.sample_rate)
        if end < real.frames:
            ratios[path.stem] = broadband_t30(extend_tail(replace(real, samples=real.samples[:end]))) / full
    assert ratios
    assert {name: ratio for name, ratio in ratios.items() if abs(ratio - 1) > 0.05} == {}
