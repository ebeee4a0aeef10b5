"""Figures of synthetic decays against their closed forms, and the flags of unreliable figures."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.arrays import Array
from reverb.choices import BandSet
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import AcousticReport, BandReport, measure, with_broadband
from reverb.responses.bands import band_set

RECORDED = Path(__file__).parents[3] / "shared" / "audio" / "ir"


NOISE_RATE = 24_000


def envelope(rt60: float, sample_rate: int, seconds: float | None = None) -> Array:
    times = np.arange(round((seconds or 2 * rt60) * sample_rate)) / sample_rate
    return np.asarray(np.exp(-3 * np.log(10) * times / rt60))


def ringing(rt60: float, sample_rate: int, centres: list[float]) -> Array:
    # Sines, so that no click of many cosines starts the response.
    decay = envelope(rt60, sample_rate)
    times = np.arange(len(decay)) / sample_rate
    return decay * sum(np.sin(2 * np.pi * centre * times) for centre in centres)


def only(report: AcousticReport) -> BandReport:
    assert len(report.mean) == 1
    return report.mean[0]


def assert_closed_form(band: BandReport, rt60: float) -> None:
    rate = 6 * np.log(10) / rt60
    for time in (band.edt, band.t20, band.t30):
        assert time.valid, (band.label, time.reason)
        assert time.seconds == pytest.approx(rt60, rel=0.01), band.label
    assert band.c50 == pytest.approx(10 * np.log10(np.expm1(0.05 * rate)), abs=0.1), band.label
    assert band.c80 == pytest.approx(10 * np.log10(np.expm1(0.08 * rate)), abs=0.1), band.label
    assert band.d50 == pytest.approx(-np.expm1(-0.05 * rate), rel=0.005), band.label
    assert band.ts == pytest.approx(1 / rate, rel=0.02), band.label
    assert abs(band.curvature) < 1, band.label


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 96_000])
@pytest.mark.parametrize("rt60", [0.2, 1.0, 6.0])
def test_exponential_decay(rt60: float, sample_rate: int) -> None:
    assert_closed_form(only(measure(envelope(rt60, sample_rate), sample_rate, bands="broadband")), rt60)


@pytest.mark.parametrize("floor_db", [-55, -70])
@pytest.mark.parametrize("rt60", [0.5, 3.0])
def test_noise_floor_is_found_and_taken_out(rt60: float, floor_db: float) -> None:
    rng = np.random.default_rng(1)
    clean = envelope(rt60, 48_000)
    noisy = clean + 10 ** (floor_db / 20) * rng.standard_normal(len(clean))
    band = only(measure(noisy, 48_000, bands="broadband"))
    assert_closed_form(band, rt60)
    assert band.noise_floor == pytest.approx(floor_db, abs=0.5)
    assert band.dynamic_range == pytest.approx(-floor_db, abs=2)


def test_decaying_noise_on_a_noise_floor() -> None:
    # One realisation has its own random decay; the estimator is judged by the mean of many.
    rng = np.random.default_rng(2)
    decay = envelope(0.8, 48_000)
    noise = rng.standard_normal((24, len(decay)))
    floor = 10**-3 * rng.standard_normal((24, len(decay)))
    found = [
        only(measure(decay * n + f, 48_000, bands="broadband")) for n, f in zip(noise, floor, strict=True)
    ]
    rate = 6 * np.log(10) / 0.8
    for name in ("edt", "t20", "t30"):
        assert np.mean([getattr(band, name).seconds for band in found]) == pytest.approx(0.8, rel=0.01)
    assert np.mean([band.c80 for band in found]) == pytest.approx(
        10 * np.log10(np.expm1(0.08 * rate)), abs=0.1
    )
    assert np.mean([band.d50 for band in found]) == pytest.approx(-np.expm1(-0.05 * rate), rel=0.005)


@pytest.mark.parametrize("kind", ["octave", "third"])
def test_each_band_sees_its_own_decay(kind: BandSet) -> None:
    rt60 = 1.5
    cut = band_set(kind, 48_000)
    # Every second band rings, half as many at a time as would disturb their neighbours.
    for first in range(2):
        centres = [band.centre for band in cut[first::2] if band.centre]
        report = measure(ringing(rt60, 48_000, centres), 48_000, bands=kind)
        for band in report.mean[first::2]:
            assert band.t20.seconds == pytest.approx(rt60, rel=0.01), band.label
            assert band.t30.seconds == pytest.approx(rt60, rel=0.01), band.label
            # A tone that starts at once is longer in coming through a narrow filter.
            assert band.edt.seconds == pytest.approx(rt60, rel=0.05), band.label


def test_clarity_per_band_of_decaying_noise() -> None:
    rng = np.random.default_rng(10)
    decay, rate = envelope(0.6, 48_000), 6 * np.log(10) / 0.6
    found = [measure(decay * rng.standard_normal(len(decay)), 48_000).mean[-2:] for _ in range(32)]
    for number in range(2):
        bands = [report[number] for report in found]
        assert np.mean([b.c80 for b in bands]) == pytest.approx(10 * np.log10(np.expm1(0.08 * rate)), abs=0.1)
        assert np.mean([b.d50 for b in bands]) == pytest.approx(-np.expm1(-0.05 * rate), rel=0.01)
        assert np.mean([b.ts for b in bands]) == pytest.approx(1 / rate, rel=0.01)


def test_bands_with_different_decays() -> None:
    low, high = ringing(2.0, 48_000, [1000 / 10**0.9]), ringing(0.5, 48_000, [10**3.9])
    both = low.copy()
    both[: len(high)] += high
    report = {band.label: band for band in measure(both, 48_000).mean}
    assert report["125 Hz"].t30.seconds == pytest.approx(2.0, rel=0.01)
    assert report["8 kHz"].t30.seconds == pytest.approx(0.5, rel=0.01)


def test_short_decays_in_low_bands_are_not_the_filters_own() -> None:
    # B · T = 88 Hz × 0.15 s = 13: a filter run forwards would add its own ringing.
    rng = np.random.default_rng(3)
    decay = envelope(0.15, 48_000, 0.5)
    found = [measure(decay * rng.standard_normal(len(decay)), 48_000).mean[1] for _ in range(24)]
    assert found[0].label == "125 Hz"
    assert np.mean([band.t20.seconds for band in found]) == pytest.approx(0.15, rel=0.06)


def test_two_slopes_are_flagged() -> None:
    two = np.sqrt(envelope(0.4, 48_000, 4) ** 2 + 10**-2.5 * envelope(3.0, 48_000, 4) ** 2)
    band = only(measure(two, 48_000, bands="broadband"))
    assert band.curvature > 10
    assert not band.t30.valid
    assert band.edt.seconds == pytest.approx(0.4, rel=0.15)


@pytest.mark.parametrize("floor_db", [-np.inf, -65])
def test_two_slopes_give_the_lines_through_their_closed_form(floor_db: float) -> None:
    times, weight = np.arange(4 * 48_000) / 48_000, 10**-1.5
    fast, slow = 6 * np.log(10) / 0.5, 6 * np.log(10) / 1.5
    power = np.exp(-fast * times) + weight * np.exp(-slow * times)
    noise = 10 ** (floor_db / 20) * np.random.default_rng(12).standard_normal(len(times))
    band = only(measure(np.sqrt(power) + noise, 48_000, bands="broadband"))
    to_come = np.exp(-fast * times) / fast + weight * np.exp(-slow * times) / slow
    level = 10 * np.log10(to_come / to_come[0])
    for time, start, stop in ((band.edt, 0, 10), (band.t20, 5, 25), (band.t30, 5, 35)):
        fitted = (level <= -start) & (level >= -stop)
        expected = -60 / np.polyfit(times[fitted], level[fitted], 1)[0]
        assert time.seconds == pytest.approx(expected, rel=0.01)


def test_a_gap_between_echoes_is_no_end() -> None:
    times = np.arange(2 * 48_000) / 48_000
    sounding = times % 0.13 < 0.03
    echoes = np.where(sounding, envelope(1.0, 48_000), 0) * np.random.default_rng(13).standard_normal(
        len(times)
    )
    band = only(measure(echoes, 48_000, bands="broadband"))
    assert band.t30.seconds == pytest.approx(1.0, rel=0.1)
    assert band.dynamic_range > 50


def test_late_sound_that_noise_hides_gives_no_clarity() -> None:
    noise = 10**-2 * np.random.default_rng(14).standard_normal(48_000)
    band = only(measure(envelope(0.08, 48_000, 1) + noise, 48_000, bands="broadband"))
    assert np.isfinite(band.c50)
    assert np.isnan(band.c80)
    assert band.d50 == pytest.approx(1, abs=1e-3)
    assert np.isnan(only(measure(envelope(0.3, 48_000, 0.06), 48_000, bands="broadband")).c80)


def test_too_little_decay_is_said() -> None:
    rng = np.random.default_rng(4)
    decay = envelope(1.0, 48_000)
    band = only(measure(decay + 10**-1.5 * rng.standard_normal(len(decay)), 48_000, bands="broadband"))
    assert not band.t20.valid
    assert "needed" in band.t20.reason
    assert not band.t30.valid
    cut = only(measure(decay[: 48_000 // 2], 48_000, bands="broadband"))
    assert "does not reach" in cut.t30.reason
    assert np.isnan(cut.t30.seconds)


def test_a_filter_too_narrow_for_the_decay_is_said() -> None:
    rng = np.random.default_rng(5)
    decay = envelope(0.03, 48_000, 0.5)
    lowest = measure(decay * rng.standard_normal(len(decay)), 48_000).mean[0]
    assert not lowest.t30.valid


def test_noise_alone_has_no_decay() -> None:
    band = only(measure(np.random.default_rng(6).standard_normal(48_000), 48_000, bands="broadband"))
    assert not band.edt.valid
    assert not band.t20.valid
    assert not band.t30.valid
    assert band.dynamic_range == 0
    for figure in (band.c50, band.c80, band.d50, band.ts):
        assert np.isnan(figure)


def test_a_single_impulse() -> None:
    impulse = np.zeros(4800)
    impulse[0] = 0.5
    report = measure(impulse, 48_000, bands="broadband")
    assert report.channels[0].onset == 0
    assert report.channels[0].peak == 0.5
    assert only(report).d50 == 1
    assert only(report).ts == pytest.approx(0, abs=1e-12)
    assert not only(report).t30.valid


def test_constant_and_one_frame_are_measured_without_complaint() -> None:
    measure(np.ones(4800), 48_000)
    measure(np.ones(1), 48_000)


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.integers(0, 5000), st.floats(1e-4, 1e4))
def test_delay_and_gain_change_nothing_but_onset_and_level(delay: int, gain: float) -> None:
    response = envelope(0.4, 16_000) * np.random.default_rng(7).standard_normal(12_800)
    moved = np.concatenate([np.zeros(delay), gain * response])
    before, after = measure(response, 16_000), measure(moved, 16_000)
    assert after.channels[0].onset == before.channels[0].onset + delay
    for a, b in zip(before.mean, after.mean, strict=True):
        assert b.t30.seconds == pytest.approx(a.t30.seconds, rel=1e-3)
        assert b.c80 == pytest.approx(a.c80, abs=1e-3)
        assert b.ts == pytest.approx(a.ts, rel=5e-3)


def stereo(delay: int = 0, gain: float = 1.0) -> Array:
    rng = np.random.default_rng(8)
    sound = np.pad(envelope(1.0, 48_000) * rng.standard_normal(96_000), 480)
    return np.stack([sound, gain * np.roll(sound, delay)], axis=1)


@pytest.mark.parametrize(("delay", "gain"), [(0, 1.0), (0, -0.3), (24, 1.0), (-48, 2.0)])
def test_one_sound_at_both_ears_is_fully_correlated(delay: int, gain: float) -> None:
    for band in measure(stereo(delay, gain), 48_000).iacc:
        assert band.all == pytest.approx(1, abs=0.02), band.label


def test_independent_noise_is_uncorrelated() -> None:
    noise = envelope(1.0, 48_000)[:, None] * np.random.default_rng(9).standard_normal((96_000, 2))
    found = {band.label: band for band in measure(noise, 48_000).iacc}
    assert found["1 kHz"].all < 0.15
    assert found["4 kHz"].late < 0.15
    # Past 1 ms the ears no longer take two sounds for one.
    assert {band.label: band for band in measure(stereo(480), 48_000).iacc}["4 kHz"].all < 0.15


def test_only_stereo_has_interaural_figures() -> None:
    assert measure(envelope(0.5, 16_000), 16_000).iacc == ()
    assert measure(np.tile(envelope(0.5, 16_000)[:, None], 4), 16_000).iacc == ()


def test_mean_is_over_the_channels() -> None:
    both = np.stack([envelope(1.0, 16_000, 4), envelope(2.0, 16_000, 4)], axis=1)
    report = measure(both, 16_000, bands="broadband")
    assert report.mean[0].t30.seconds == pytest.approx(1.5, rel=0.01)
    assert [round(c.bands[0].t30.seconds, 1) for c in report.channels] == [1.0, 2.0]


def test_a_report_becomes_json() -> None:
    report = measure(envelope(1.0, 48_000)[:24_000], 48_000, bands="broadband")
    plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert plain["sample_rate"] == 48_000
    assert plain["mean"][0]["label"] == "broadband"
    assert plain["mean"][0]["t30"]["seconds"] is None
    assert "does not reach" in plain["mean"][0]["t30"]["reason"]


def decay_of_noise(rt60: float, channels: int = 1) -> Array:
    frames = round(1.3 * rt60 * NOISE_RATE)
    envelope = 10 ** (-3 * np.arange(frames) / (rt60 * NOISE_RATE))[:, np.newaxis]
    return 0.05 * envelope * np.random.default_rng(1).standard_normal((frames, channels))


def test_broadband_is_added_as_the_last_band() -> None:
    samples = decay_of_noise(0.4, channels=2)
    both = with_broadband(measure(samples, NOISE_RATE), samples)
    whole = measure(samples, NOISE_RATE, bands="broadband")
    assert both.mean[-1].t30 == whole.mean[0].t30
    assert both.channels[1].bands[-1].edt == whole.channels[1].bands[0].edt
    assert both.iacc[-1].label == "broadband"


def test_strength_is_all_energy_over_that_of_the_direct_sound() -> None:
    late = decay_of_noise(0.5)
    late[: round(0.01 * NOISE_RATE)] = 0
    late[0] = 1.0
    report = measure(late, NOISE_RATE)
    whole = measure(late, NOISE_RATE, bands="broadband").mean[0].strength
    assert whole == pytest.approx(10 * np.log10((late**2).sum()), abs=0.05)
    # The tail is white: each band that can see the direct sound shows the same.
    for band in report.mean:
        if band.centre and band.centre >= 500:
            assert band.strength == pytest.approx(whole, abs=1.0), band.label
        else:
            assert np.isnan(band.strength)


def test_strength_is_undefined_where_no_direct_sound_stands_out() -> None:
    samples = decay_of_noise(0.5)
    samples[: NOISE_RATE // 10] *= 0.15
    assert np.isnan(measure(samples, NOISE_RATE, bands="broadband").mean[0].strength)


def test_doubts_reach_the_plain_report() -> None:
    noisy = decay_of_noise(0.5) + 0.02 * np.random.default_rng(2).standard_normal(
        (round(0.65 * NOISE_RATE), 1)
    )
    report = measure(noisy, NOISE_RATE, bands="broadband")
    assert not report.mean[0].valid
    plain = report.as_dict()["mean"][0]
    assert plain["valid"] is False
    assert "20 dB needed" in plain["reason"]
    assert plain["t30"]["valid"] is False


def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidAudioError, match="channel 2 of the impulse response is silent"):
        measure(np.stack([np.ones(10), np.zeros(10)], axis=1), 48_000)
    with pytest.raises(InvalidAudioError, match="NaN"):
        measure(np.array([1.0, np.nan]), 48_000)
    with pytest.raises(ParameterError, match="bands is 'bark'; expected 'octave'"):
        measure(np.ones(10), 48_000, bands="bark")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="sample rate"):
        measure(np.ones(10), 0)


# T20 over the octaves 500 Hz and 1 kHz as the collection's own list gives it, to within its ±15 %.
@pytest.mark.parametrize(
    ("name", "rt60"),
    [
        ("deb_csounddoc_ir.wav", 1.41),
        ("gh_openair_st_andrews_church.wav", 1.40),
        ("gh_openair_terrys_typing_room_96k.wav", 2.75),
        ("gh_spatialaudio_rir_clap.wav", 0.75),
    ],
)
def test_recorded_rooms(name: str, rt60: float) -> None:
    path = RECORDED / name
    if not path.exists():
        pytest.skip("the collection of recorded responses is not here")
    import soundfile

    samples, sample_rate = soundfile.read(path)
    bands = {band.label: band for band in measure(samples, sample_rate).mean}
    assert np.mean([bands["500 Hz"].t20.seconds, bands["1 kHz"].t20.seconds]) == pytest.approx(rt60, rel=0.15)


# Rooms whose noise lies so low that pyroomacoustics, which does not take it out, is not misled.
@pytest.mark.parametrize(
    "name",
    [
        "gh_audiomentations_rir48000_quiet.wav",
        "gh_openair_st_andrews_church.wav",
        "npm_tunajs_ir_rev_short.wav",
    ],
)
def test_pyroomacoustics_measures_the_same(name: str, audio_folder: Path) -> None:
    rt60 = pytest.importorskip("pyroomacoustics.experimental.rt60")
    import soundfile
    from scipy.signal import butter, sosfilt

    samples, rate = soundfile.read(audio_folder / "ir" / name, always_2d=True)
    x = samples[:, 0]
    whole = only(measure(x, rate, bands="broadband"))
    for time, decibels in ((whole.t20, 20), (whole.t30, 30)):
        assert time.seconds == pytest.approx(rt60.measure_rt60(x, rate, decay_db=decibels), rel=0.005)
    octaves = {band.centre: band for band in measure(x, rate).mean}
    for centre in (500.0, 1000.0, 2000.0, 4000.0):
        edges = centre / 10**0.15, centre * 10**0.15
        filtered = sosfilt(butter(4, edges, "bandpass", fs=rate, output="sos"), x)
        theirs = rt60.measure_rt60(filtered, rate, decay_db=30)
        assert octaves[centre].t30.seconds == pytest.approx(theirs, rel=0.01), centre
