"""Edits in time, level and layout, against closed forms."""

from collections.abc import Callable

import numpy as np
import pytest

from reverb.engine.routing import parallel
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses import edit
from reverb.responses.level import energy_ratio, loudness_ratio, peak
from reverb.responses.response import ImpulseResponse
from tests.signals import decaying, noise

RATE = 16_000


def room(frames: int = RATE, channels: int = 2, lead: int = 0, latency: int = 0) -> ImpulseResponse:
    samples = decaying(frames, channels)
    samples[0] = 1.0
    return ImpulseResponse(np.pad(samples, ((lead, 0), (0, 0))), RATE, "room", latency=latency)


@pytest.mark.parametrize("latency", [0, 100, 900])
def test_the_head_is_cut_and_time_zero_stays_where_it_can(latency: int) -> None:
    before = room(lead=500, latency=latency)
    after = edit.trim_head(before)
    kept = round(edit.LEAD_SECONDS * RATE)
    assert after.frames == before.frames - (500 - kept)
    np.testing.assert_array_equal(after.samples[kept:], before.samples[500:])
    assert after.latency == max(latency - (500 - kept), 0)


def test_what_starts_at_once_keeps_its_head() -> None:
    assert edit.trim_head(room()) is not None
    assert edit.trim_head(room()) == room()


def test_the_tail_is_cut_where_its_energy_ends() -> None:
    before = room(2 * RATE, 1)
    after = edit.trim_tail(before, -30)
    rest = (before.samples[after.frames :].astype(float) ** 2).sum()
    assert 10 * np.log10(rest / (before.samples.astype(float) ** 2).sum()) == pytest.approx(-30, abs=0.1)
    assert abs(after.samples[-1, 0]) < 1e-12


def test_noise_is_cut_off_where_the_decay_meets_it() -> None:
    clean = 10 ** (-3 * np.arange(2 * RATE) / RATE) * np.random.default_rng(1).standard_normal(2 * RATE)
    noisy = clean + 10**-2.5 * np.random.default_rng(2).standard_normal(2 * RATE)
    cut = edit.cut_noise(ImpulseResponse(noisy, RATE))
    assert cut.seconds == pytest.approx(50 / 60, abs=0.1)  # 60 dB a second down to −50 dB
    with pytest.raises(InvalidAudioError, match="nothing to cut"):
        edit.cut_noise(ImpulseResponse(noise(RATE, 1), RATE))


def test_lengths() -> None:
    assert edit.set_length(room(), 0.25).frames == RATE // 4
    longer = edit.set_length(room(), 1.5)
    assert longer.frames == 3 * RATE // 2
    assert not longer.samples[RATE:].any()
    with pytest.raises(ParameterError, match="frames before time zero"):
        edit.set_length(room(latency=800), 0.05)
    with pytest.raises(ParameterError, match="length 0 s; expected more"):
        edit.set_length(room(), 0)


def test_fades() -> None:
    ones = ImpulseResponse(np.ones(1000), RATE)
    faded = edit.fade_in(edit.fade_out(ones, 400 / RATE), 200 / RATE).samples[:, 0]
    assert faded[0] == 0
    assert faded[100] == pytest.approx(0.5)
    assert (faded[200:600] == 1).all()
    assert faded[-1] < 1e-12
    assert faded[600 + 199] == pytest.approx(0.5)


def test_reversal_undoes_itself() -> None:
    once = edit.reverse(room(latency=5))
    np.testing.assert_array_equal(once.samples, room().samples[::-1])
    assert once.latency == 0
    assert edit.reverse(once) == room()


def test_predelay_and_attack() -> None:
    later = edit.predelay(room(), 0.01)
    np.testing.assert_array_equal(later.samples[160:], room().samples)
    slow = edit.attack(later, 0.1)
    ratio = slow.samples[160:, 0] / later.samples[160:, 0]
    assert ratio[0] < 1e-5
    assert ratio[800] == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(ratio[1601:], 1)


def test_early_and_late() -> None:
    changed = edit.balance(room(lead=300), early_db=-6, late_db=3, split=0.05)
    ratio = 20 * np.log10(np.abs(changed.samples[300:, 0] / room(lead=300).samples[300:, 0]))
    border = round(0.05 * RATE)
    np.testing.assert_allclose(ratio[: border - 81], -6, atol=1e-9)
    np.testing.assert_allclose(ratio[border + 81 :], 3, atol=1e-9)
    assert not edit.balance(room(), late_db=-np.inf).samples[RATE // 2 :].any()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_peak_safe_cannot_clip(channels: int) -> None:
    safe = edit.set_gain(room(4000, channels), "peak-safe")
    sums = np.abs(safe.samples).sum(axis=0)
    per_output = sums if channels < 4 else sums[:2] + sums[2:]
    assert per_output.max() == pytest.approx(1)
    worst = np.sign(safe.samples[::-1, 0])
    assert np.abs(np.convolve(worst, safe.samples[:, 0])).max() <= 1 + 1e-9


def test_gain_modes() -> None:
    assert peak(edit.set_gain(room(), "peak")) == pytest.approx(1)
    assert energy_ratio(edit.set_gain(room(), "energy")) == pytest.approx(1)
    assert loudness_ratio(edit.set_gain(room(), "loudness")) == pytest.approx(1)
    assert edit.set_gain(room(), "none") == room()
    with pytest.raises(ParameterError, match="peak-safe"):
        edit.set_gain(room(), "loud")  # type: ignore[arg-type]


def test_layouts_round_trip_and_pair() -> None:
    mono, stereo, true = (room(200, n) for n in (1, 2, 4))
    assert edit.to_layout(edit.to_layout(mono, "stereo"), "mono") == mono
    full = edit.to_layout(stereo, "true-stereo")
    np.testing.assert_array_equal(full.samples[:, [0, 3]], stereo.samples)
    assert not full.samples[:, [1, 2]].any()
    expected = (true.samples[:, :2] + true.samples[:, 2:]) / np.sqrt(2)
    np.testing.assert_allclose(edit.to_layout(true, "stereo").samples, expected)
    both = edit.true_stereo(stereo, edit.predelay(stereo, 0.01))
    assert both.layout == "true-stereo"
    np.testing.assert_array_equal(both.samples[:200, :2], stereo.samples)
    np.testing.assert_array_equal(both.samples[160:360, 2:], stereo.samples)
    with pytest.raises(InvalidAudioError, match="right source is mono"):
        edit.true_stereo(stereo, mono)
    with pytest.raises(InvalidAudioError, match="cannot become mono"):
        edit.to_layout(ImpulseResponse(noise(9, 3), RATE, wiring=parallel(3)), "mono")


def test_true_stereo_aligns_latencies() -> None:
    left, right = room(50), room(50, lead=7, latency=7)
    both = edit.true_stereo(left, right)
    assert both.latency == 7
    np.testing.assert_array_equal(both.samples[7:57, :2], both.samples[7:57, 2:])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda h: edit.trim_head(h, 3),
        lambda h: edit.trim_tail(h, 3),
        lambda h: edit.fade_in(h, -1),
        lambda h: edit.attack(h, float("nan")),
        lambda h: edit.balance(h, split=0),
        lambda h: edit.balance(h, late_db=float("nan")),
        lambda h: edit.to_layout(h, "5.1"),  # type: ignore[arg-type]
    ],
)
def test_what_is_out_of_range_says_what_is_allowed(
    wrong: Callable[[ImpulseResponse], ImpulseResponse],
) -> None:
    with pytest.raises(ParameterError, match="expected"):
        wrong(room(100))
