"""Level meters and callback times."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reverb.live.meters import CallbackTimes, LevelMeter

RATE = 48_000


def feed(meter: LevelMeter, sound: npt.NDArray[Any], block: int = 480) -> None:
    for start in range(0, len(sound), block):
        meter.push(sound[start : start + block])


def test_meters_read_a_sine_as_they_should() -> None:
    meter = LevelMeter(2, RATE, 480)
    n = np.arange(2 * RATE)
    wave = np.sin(2 * np.pi * 1000 * n / RATE)
    feed(meter, np.column_stack([0.5 * wave, 0.25 * wave]).astype(np.float32))
    level = meter.read()
    assert level.peak == pytest.approx((-6.02, -12.04), abs=0.1)
    assert level.hold == pytest.approx((-6.02, -12.04), abs=0.1)
    assert level.rms == pytest.approx((-9.03, -15.05), abs=0.1)
    assert level.highest == pytest.approx(-6.02, abs=0.01)
    assert level.clipped == 0


def test_peaks_fall_and_are_held() -> None:
    meter = LevelMeter(1, RATE, 480)
    burst = np.ones((480, 1), np.float32)
    feed(meter, burst)
    feed(meter, np.zeros((RATE, 1), np.float32))
    level = meter.read()
    assert level.peak[0] == pytest.approx(-20 / 1.7, abs=0.2)
    assert level.hold[0] == pytest.approx(0.0, abs=0.01)
    feed(meter, np.zeros((RATE, 1), np.float32))
    assert meter.read().hold[0] < -15.0
    assert meter.read().clipped == 1
    meter.clear_clips()
    assert meter.read().clipped == 0
    assert meter.read().highest == 0.0


def test_a_meter_takes_in_every_block_however_late_it_is_read() -> None:
    seen, late = LevelMeter(2, RATE, 64), LevelMeter(2, RATE, 64)
    sound = np.random.default_rng(0).uniform(-1, 1, (3 * RATE // 128 * 64, 2)).astype(np.float32)
    sound[64 * 1000 + 5, 1] = -1.5
    for start in range(0, len(sound), 64):
        seen.push(sound[start : start + 64])
        late.push(sound[start : start + 64])
        seen.update()
    assert seen.read() == late.read()
    assert late.read().highest == pytest.approx(20 * np.log10(1.5))
    assert late.read().clipped == 1


def test_a_meter_that_is_not_read_for_long_goes_on_with_the_latest() -> None:
    meter = LevelMeter(1, RATE, 480)
    feed(meter, np.ones((RATE, 1), np.float32))
    feed(meter, np.full((6 * RATE, 1), 0.5, np.float32))
    level = meter.read()
    assert (level.peak[0], level.highest, level.clipped) == pytest.approx((-6.02, -6.02, 0), abs=0.01)


def test_timing_gives_percentiles_of_the_period() -> None:
    times = CallbackTimes(RATE)
    assert times.read().callbacks == 0
    period = 128 / RATE * 1e9
    for percent in range(1, 101):
        times.add(int(period * percent / 100), 128)
    times.add(int(period * 7.0), 128)
    load = times.read()
    assert load.callbacks == 101
    assert load.p50 == pytest.approx(0.51, abs=0.01)
    assert load.p99 == pytest.approx(1.0, abs=0.01)
    assert load.worst == pytest.approx(7.0, abs=0.01)
    assert load.late == pytest.approx(1, abs=1)
    times.reset()
    assert times.read().worst == 0.0
