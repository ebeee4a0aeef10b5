"""Edits in time, level, layout and tone, against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects import echoes, edits
from reverb.engine.routing import parallel
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses import edit as editing
from reverb.responses import layouts
from reverb.responses import stretch as stretching
from reverb.responses.acoustics import measure
from reverb.responses.filter_bank import centres, joined, split, split_low
from reverb.responses.level import energy_ratio, loudness_ratio, peak
from reverb.responses.response import ImpulseResponse
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import decaying, noise

RATE = 16_000


def room(frames: int = RATE, channels: int = 2, lead: int = 0, latency: int = 0) -> ImpulseResponse:
    samples = decaying(frames, channels)
    samples[0] = 1.0
    return ImpulseResponse(np.pad(samples, ((lead, 0), (0, 0))), RATE, "room", latency=latency)


@settings(deadline=None, derandomize=True, max_examples=8)
@given(frames=st.integers(1, 5000), channels=st.integers(1, 3), rate=st.sampled_from([8000, 44_100, 96_000]))
def test_the_bands_sum_to_the_input(frames: int, channels: int, rate: int) -> None:
    x = noise(frames, channels, seed=frames)
    bands = list(split(x, rate))
    assert [centre for centre, _ in bands] == list(centres(rate))
    assert null_db(sum(band for _, band in bands), x) < FLOAT64_BUDGET_DB
    low = list(split_low(x, rate))
    for (centre, band), short in zip(bands, low, strict=True):
        assert short.centre == centre
        every = short.sound[:, : -(-frames // short.step)].T
        assert np.abs(every - band[:: short.step]).max() < 1e-13
    assert null_db(joined(low, frames), x) < FLOAT64_BUDGET_DB


def test_a_band_holds_its_tone_and_no_other() -> None:
    n = np.arange(RATE)
    tone = np.sin(2 * np.pi * 1000 / RATE * n)[:, np.newaxis]
    middle = slice(RATE // 4, 3 * RATE // 4)
    levels = {round(c): 20 * np.log10(np.abs(b[middle]).max()) for c, b in split(tone, RATE)}
    assert levels[1000] == pytest.approx(0, abs=0.5)
    assert all(db < -100 for c, db in levels.items() if c < 600 or c > 1700)


@pytest.mark.parametrize("latency", [0, 100, 900])
def test_the_head_is_cut_and_time_zero_stays_where_it_can(latency: int) -> None:
    before = room(lead=500, latency=latency)
    after = editing.trim_head(before)
    kept = round(editing.LEAD * RATE)
    assert after.frames == before.frames - (500 - kept)
    np.testing.assert_array_equal(after.samples[kept:], before.samples[500:])
    assert after.latency == max(latency - (500 - kept), 0)


def test_what_starts_at_once_keeps_its_head() -> None:
    assert editing.trim_head(room()) is not None
    assert editing.trim_head(room()) == room()


def test_the_tail_is_cut_where_its_energy_ends() -> None:
    before = room(2 * RATE, 1)
    after = editing.trim_tail(before, -30)
    rest = (before.samples[after.frames :].astype(float) ** 2).sum()
    assert 10 * np.log10(rest / (before.samples.astype(float) ** 2).sum()) == pytest.approx(-30, abs=0.1)
    assert abs(after.samples[-1, 0]) < 1e-12


def test_noise_is_cut_off_where_the_decay_meets_it() -> None:
    clean = 10 ** (-3 * np.arange(2 * RATE) / RATE) * np.random.default_rng(1).standard_normal(2 * RATE)
    noisy = clean + 10**-2.5 * np.random.default_rng(2).standard_normal(2 * RATE)
    cut = editing.cut_noise(ImpulseResponse(noisy, RATE))
    assert cut.seconds == pytest.approx(50 / 60, abs=0.1)  # 60 dB a second down to −50 dB
    with pytest.raises(InvalidAudioError, match="nothing to cut"):
        editing.cut_noise(ImpulseResponse(noise(RATE, 1), RATE))


def test_lengths() -> None:
    assert editing.set_length(room(), 0.25).frames == RATE // 4
    longer = editing.set_length(room(), 1.5)
    assert longer.frames == 3 * RATE // 2
    assert not longer.samples[RATE:].any()
    with pytest.raises(ParameterError, match="time zero"):
        editing.set_length(room(latency=800), 0.05)
    with pytest.raises(ParameterError, match="length 0 s"):
        editing.set_length(room(), 0)


def test_fades() -> None:
    ones = ImpulseResponse(np.ones(1000), RATE)
    faded = editing.fade_in(editing.fade_out(ones, 400 / RATE), 200 / RATE).samples[:, 0]
    assert faded[0] == 0
    assert faded[100] == pytest.approx(0.5)
    assert (faded[200:600] == 1).all()
    assert faded[-1] < 1e-12
    assert faded[600 + 199] == pytest.approx(0.5)


def test_reversal_undoes_itself() -> None:
    once = editing.reverse(room(latency=5))
    np.testing.assert_array_equal(once.samples, room().samples[::-1])
    assert once.latency == 0
    assert editing.reverse(once) == room()


@pytest.mark.parametrize(
    ("note", "seconds"),
    [("1/4", 0.5), ("1/8d", 0.375), ("1/8.", 0.375), ("1/8t", 1 / 6), ("3/16", 0.375), ("1/1", 2)],
)
def test_notes(note: str, seconds: float) -> None:
    assert echoes.note_seconds(note, 120) == pytest.approx(seconds)


@pytest.mark.parametrize("note", ["", "8", "1/0", "0/4", "1/8x", "-1/8"])
def test_no_notes(note: str) -> None:
    with pytest.raises(ParameterError, match="expected a fraction"):
        echoes.note_seconds(note, 120)


def test_predelay_and_attack() -> None:
    later = editing.predelay(room(), 0.01)
    np.testing.assert_array_equal(later.samples[160:], room().samples)
    slow = editing.attack(later, 0.1)
    ratio = slow.samples[160:, 0] / later.samples[160:, 0]
    assert ratio[0] < 1e-5
    assert ratio[800] == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(ratio[1601:], 1)


def test_early_and_late() -> None:
    changed = editing.balance(room(lead=300), early_db=-6, late_db=3, split=0.05)
    ratio = 20 * np.log10(np.abs(changed.samples[300:, 0] / room(lead=300).samples[300:, 0]))
    border = round(0.05 * RATE)
    np.testing.assert_allclose(ratio[: border - 81], -6, atol=1e-9)
    np.testing.assert_allclose(ratio[border + 81 :], 3, atol=1e-9)
    assert not editing.balance(room(), late_db=-np.inf).samples[RATE // 2 :].any()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_peak_safe_cannot_clip(channels: int) -> None:
    safe = editing.set_gain(room(4000, channels), "peak-safe")
    sums = np.abs(safe.samples).sum(axis=0)
    per_output = sums if channels < 4 else sums[:2] + sums[2:]
    assert per_output.max() == pytest.approx(1)
    worst = np.sign(safe.samples[::-1, 0])
    assert np.abs(np.convolve(worst, safe.samples[:, 0])).max() <= 1 + 1e-9


def test_gain_modes() -> None:
    assert peak(editing.set_gain(room(), "peak")) == pytest.approx(1)
    assert energy_ratio(editing.set_gain(room(), "energy")) == pytest.approx(1)
    assert loudness_ratio(editing.set_gain(room(), "loudness")) == pytest.approx(1)
    assert editing.set_gain(room(), "none") == room()
    with pytest.raises(ParameterError, match="peak-safe"):
        editing.set_gain(room(), "loud")  # type: ignore[arg-type]


def test_layouts_round_trip_and_pair() -> None:
    mono, stereo, true = (room(200, n) for n in (1, 2, 4))
    assert layouts.to_layout(layouts.to_layout(mono, "stereo"), "mono") == mono
    full = layouts.to_layout(stereo, "true-stereo")
    np.testing.assert_array_equal(full.samples[:, [0, 3]], stereo.samples)
    assert not full.samples[:, [1, 2]].any()
    expected = (true.samples[:, :2] + true.samples[:, 2:]) / np.sqrt(2)
    np.testing.assert_allclose(layouts.to_layout(true, "stereo").samples, expected)
    both = layouts.true_stereo(stereo, editing.predelay(stereo, 0.01))
    assert both.layout == "true-stereo"
    np.testing.assert_array_equal(both.samples[:200, :2], stereo.samples)
    np.testing.assert_array_equal(both.samples[160:360, 2:], stereo.samples)
    with pytest.raises(InvalidAudioError, match="right source is mono"):
        layouts.true_stereo(stereo, mono)
    with pytest.raises(InvalidAudioError, match="cannot become mono"):
        layouts.to_layout(ImpulseResponse(noise(9, 3), RATE, wiring=parallel(3)), "mono")


def test_true_stereo_aligns_latencies() -> None:
    left, right = room(50), room(50, lead=7, latency=7)
    both = layouts.true_stereo(left, right)
    assert both.latency == 7
    np.testing.assert_array_equal(both.samples[7:57, :2], both.samples[7:57, 2:])


@pytest.mark.parametrize("channels", [2, 4])
def test_width(channels: int) -> None:
    h = room(300, channels)
    assert null_db(edits.width(h, 1).samples, h.samples) < FLOAT64_BUDGET_DB
    none = edits.width(h, 0).samples
    np.testing.assert_allclose(none[:, 0], none[:, 1])
    wide = edits.width(h, 2).samples
    np.testing.assert_allclose(wide[:, 0] - wide[:, 1], 2 * (h.samples[:, 0] - h.samples[:, 1]))
    np.testing.assert_allclose(wide[:, 0] + wide[:, 1], h.samples[:, 0] + h.samples[:, 1])
    with pytest.raises(InvalidAudioError, match="has no width"):
        edits.width(room(9, 1), 2)


def gain_at(response: ImpulseResponse, frequency: float) -> float:
    n = np.arange(response.frames)
    return float(20 * np.log10(abs(np.exp(-2j * np.pi * frequency / RATE * n) @ response.samples[:, 0])))


UNIT = ImpulseResponse(np.eye(1, 64)[0], RATE)


def test_cuts_are_butterworth() -> None:
    for slope, order in ((12, 2), (24, 4)):
        low, high = edits.low_cut(UNIT, 200, slope), edits.high_cut(UNIT, 2000, slope)
        for hz in (50, 100, 200, 1000, 2000, 4000):
            assert gain_at(low, hz) == pytest.approx(-10 * np.log10(1 + (200 / hz) ** (2 * order)), abs=0.1)
            assert gain_at(high, hz) == pytest.approx(-10 * np.log10(1 + (hz / 2000) ** (2 * order)), abs=0.1)


def test_shelves_and_curves() -> None:
    low, high = edits.low_shelf(UNIT, 300, 6), edits.high_shelf(UNIT, 1000, -9)
    assert [gain_at(low, hz) for hz in (5, 300, 7900)] == pytest.approx([6, 3, 0], abs=0.1)
    assert [gain_at(high, hz) for hz in (5, 1000, 7900)] == pytest.approx([0, -4.5, -9], abs=0.3)
    drawn = edits.draw_curve(UNIT, {4000.0: 2.0, 100.0: -3.0, 1000.0: 0.0})
    halves = [gain_at(drawn, hz) for hz in (50, 100, 10**2.5, 2000, 7000)]
    assert halves == pytest.approx([-3, -3, -1.5, 1, 2], abs=0.1)


def test_tone_comes_early() -> None:
    high = edits.high_cut(UNIT, 2000)
    assert (np.cumsum(high.samples[:, 0] ** 2) / (high.samples**2).sum())[20] > 0.99


def test_tape_scales_decay_pitch_and_keeps_energy() -> None:
    before = ImpulseResponse(editing.fade_in(room(RATE, 1), 0.01).samples, RATE)
    after = stretching.stretch_tape(before, 2.0)
    assert after.frames == pytest.approx(2 * before.frames, abs=2)
    # White noise loses what lies above 0.91 of Nyquist.
    assert energy_ratio(after) == pytest.approx(energy_ratio(before), rel=0.06)


@pytest.mark.parametrize("factor", [0.6, 1.8])
def test_stretching_scales_each_bands_decay_and_keeps_pitch(factor: float) -> None:
    rng = np.random.default_rng(3)
    h = ImpulseResponse(10 ** (-3 * np.arange(RATE) / (0.6 * RATE)) * rng.standard_normal(RATE), RATE)
    longer = stretching.stretch_time(h, factor)
    assert longer.frames == pytest.approx(factor * h.frames, abs=2)
    before, after = measure(h.samples, RATE).mean, measure(longer.samples, RATE).mean
    for a, b in zip(before[2:], after[2:], strict=True):
        assert b.t30.seconds == pytest.approx(factor * a.t30.seconds, rel=0.08), a.label


def test_an_echo_comes_later_and_the_direct_sound_stays() -> None:
    samples = np.zeros(RATE)
    samples[[0, 1600]] = 1.0, 0.5
    longer = stretching.stretch_time(ImpulseResponse(samples, RATE), 2.0).samples[:, 0]
    assert longer[0] == pytest.approx(1, rel=1e-4)
    assert abs(int(np.abs(longer[400:]).argmax()) + 400 - 3200) < 40


@pytest.mark.parametrize(
    "wrong",
    [
        lambda h: editing.trim_head(h, 3),
        lambda h: editing.trim_tail(h, 3),
        lambda h: editing.fade_in(h, -1),
        lambda h: editing.attack(h, float("nan")),
        lambda h: editing.balance(h, split=0),
        lambda h: editing.balance(h, late_db=float("nan")),
        lambda h: edits.width(h, -1),
        lambda h: layouts.to_layout(h, "5.1"),
        lambda h: edits.low_cut(h, 9000),
        lambda h: edits.low_cut(h, 100, 7),
        lambda h: edits.draw_curve(h, {}),
        lambda h: edits.high_shelf(h, 100, 99),
        lambda h: stretching.stretch_time(h, 0),
        lambda h: stretching.stretch_tape(h, 100),
    ],
)
def test_what_is_out_of_range_says_what_is_allowed(wrong: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        wrong(room(100))  # type: ignore[operator]
