"""Decay times as targets, and tails that go on: against synthetic decays and real rooms cut short."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import measure
from reverb.responses.decay import shaping as decay_shaping
from reverb.responses.decay.model import decay_rate
from reverb.responses.decay.shaping import with_rt60
from reverb.responses.direct_sound import onset
from reverb.responses.response import ImpulseResponse
from reverb.responses.tail import extend_tail
from reverb.store.library import impulse
from reverb.store.response_files import load_response
from tests.nulls import null_db

RATE = 24_000


def decay(
    seconds: float, rt60: float, channels: int = 1, floor_db: float = -np.inf, seed: int = 1
) -> ImpulseResponse:
    frames = round(seconds * RATE)
    rng = np.random.default_rng(seed)
    clean = 10 ** (-3 * np.arange(frames) / (rt60 * RATE))[:, np.newaxis] * rng.standard_normal(
        (frames, channels)
    )
    return ImpulseResponse(clean + 10 ** (floor_db / 20) * rng.standard_normal(clean.shape), RATE, "noise")


def t30(response: ImpulseResponse) -> dict[float, float]:
    return {b.centre or 0: b.t30.seconds for b in measure(response.samples, response.sample_rate).mean}


def whole(response: ImpulseResponse) -> float:
    return measure(response.samples, response.sample_rate, bands="broadband").mean[0].t30.seconds


def energy_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize("target", [0.5, 2.0])
def test_one_number_is_the_whole_ranges_t30_and_scales_all_bands(target: float) -> None:
    before = decay(1.5, 1.0, 2)
    after = with_rt60(before, target)
    assert whole(after) == pytest.approx(target, rel=0.03)
    for centre, seconds in t30(after).items():
        if centre >= 250:
            assert seconds == pytest.approx(t30(before)[centre] * target, rel=0.08), centre


def test_each_octave_reaches_its_own_target() -> None:
    targets = {125.0: 1.6, 250.0: 1.4, 500.0: 1.2, 1000.0: 1.0, 2000.0: 0.8, 4000.0: 0.6, 8000.0: 0.45}
    found = t30(with_rt60(decay(1.5, 1.0), targets))
    for centre, seconds in targets.items():
        assert found[centre] == pytest.approx(seconds, rel=0.03), centre


def test_a_real_room_reaches_its_targets_and_keeps_its_direct_sound() -> None:
    room = impulse("room")
    targets = {125.0: 0.8, 1000.0: 0.6, 8000.0: 0.3}
    shaped = with_rt60(room, targets)
    found = t30(shaped)
    for centre, seconds in targets.items():
        assert found[centre] == pytest.approx(seconds, rel=0.03), centre
    np.testing.assert_allclose(shaped.samples[0], room.samples[0], rtol=1e-3)
    assert shaped.samples.dtype == room.samples.dtype
    assert with_rt60(room, targets) == shaped


@pytest.mark.parametrize("targets", [{1000.0: 1.0, 2000.0: 0.4, 4000.0: 1.0}, {2000.0: 1.5, 4000.0: 0.5}])
def test_octaves_that_shall_differ_much_reach_their_targets(targets: dict[float, float]) -> None:
    found = t30(with_rt60(decay(1.5, 1.0), targets))
    assert {centre: found[centre] for centre in targets} == pytest.approx(targets, rel=0.03)


@pytest.mark.parametrize("factors", [(1.5, 1.5), (1.5, 0.6)])
def test_octaves_that_are_not_straight_do_not_lead_the_others_astray(
    factors: tuple[float, float], audio_folder: Path
) -> None:
    real = load_response(audio_folder / "ir" / "gh_audiomentations_rir48000_quiet.wav")
    before = t30(real)
    change = np.geomspace(*factors, 8)
    octaves = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
    targets = {c: before[c] * f for c, f in zip(octaves, change, strict=True) if c not in (1000.0, 2000.0)}
    found = t30(with_rt60(real, targets))
    assert {centre: found[centre] for centre in targets} == pytest.approx(targets, rel=0.03)


def test_where_no_common_factor_serves_each_channel_goes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    approached = decay_shaping._approached

    def in_vain(samples: np.ndarray, *others: Any, **settings: Any) -> tuple[np.ndarray, float]:
        return (samples, 1.0) if samples.shape[1] == 2 else approached(samples, *others, **settings)

    monkeypatch.setattr(decay_shaping, "_approached", in_vain)
    pair = [decay(1.5, seconds, seed=n).samples[:, 0] for n, seconds in enumerate((0.6, 0.9))]
    targets = {500.0: 0.7, 1000.0: 0.7, 2000.0: 0.7}
    shaped = with_rt60(ImpulseResponse(np.column_stack(pair), RATE, "two rooms"), targets)
    for channel in shaped.samples.T:
        found = t30(ImpulseResponse(channel, RATE, "one of them"))
        assert {centre: found[centre] for centre in targets} == pytest.approx(targets, rel=0.03)
    assert abs(np.corrcoef(shaped.samples[-RATE // 4 :].T)[0, 1]) < 0.2


def test_noise_is_not_lifted() -> None:
    noisy = decay(2.0, 1.0, floor_db=-45)
    longer = with_rt60(noisy, 2.0)
    assert whole(longer) == pytest.approx(2.0, rel=0.03)
    tail = longer.samples[-RATE // 2 :, 0].astype(float)
    assert 10 * np.log10(np.mean(tail**2)) < -60


@pytest.mark.parametrize("wrong", [0.001, 100.0, float("nan"), {}, {700.0: 1.0}, {1000.0: -1.0}])
def test_impossible_targets(wrong: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        with_rt60(decay(1.0, 0.8), wrong)  # type: ignore[arg-type]


def test_too_much_change_is_said() -> None:
    with pytest.raises(ParameterError, match="at most 8 times"):
        with_rt60(decay(1.0, 0.5), 9.0)


def test_what_does_not_decay_has_no_decay_time() -> None:
    steady = ImpulseResponse(np.random.default_rng(1).standard_normal(RATE), RATE)
    for edit in (lambda h: with_rt60(h, 1.0), extend_tail):
        with pytest.raises(InvalidAudioError, match="no decay"):
            edit(steady)


def test_the_rate_of_a_cut_decay_is_unbiased() -> None:
    rng = np.random.default_rng(5)
    power = np.exp(-0.01 * np.arange(300)) * rng.standard_normal((400, 300)) ** 2
    assert np.mean([decay_rate(p) for p in power]) == pytest.approx(0.01, rel=0.03)
    assert decay_rate(np.exp(-0.05 * np.arange(200))) == pytest.approx(0.05, rel=1e-6)
    assert decay_rate(np.ones(50)) == 0


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
    full, start = whole(real), onset(real.samples)
    short = replace(real, samples=real.samples[: start + round(kept * full * real.sample_rate)])
    longer = extend_tail(short)
    assert whole(longer) == pytest.approx(full, rel=0.05)
    certain = start + round(0.5 * kept * full * real.sample_rate)
    assert null_db(longer.samples[:certain], real.samples[:certain]) < -60
    if kept == 0.6:  # octaves that decay more slowly than the whole have less left
        before, after = t30(real), t30(longer)
        middles = [np.mean([found[500.0], found[1000.0], found[2000.0]]) for found in (before, after)]
        assert middles[1] == pytest.approx(middles[0], rel=0.05)


@pytest.mark.filterwarnings("ignore")  # files that are damaged say so elsewhere
def test_every_real_response_cut_at_three_quarters_gets_its_decay_back(audio_folder: Path) -> None:
    ratios = {}
    for path in sorted((audio_folder / "ir").iterdir()):
        loaded = load_response(path, layout="parallel")
        real = ImpulseResponse(loaded.samples[:, :2], loaded.sample_rate, path.stem)
        full = whole(real)
        if not np.isfinite(full):
            continue
        end = onset(real.samples) + round(0.75 * full * real.sample_rate)
        if end < real.frames:
            ratios[path.stem] = whole(extend_tail(replace(real, samples=real.samples[:end]))) / full
    assert ratios
    assert {name: ratio for name, ratio in ratios.items() if abs(ratio - 1) > 0.05} == {}
