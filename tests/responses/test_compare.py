"""Two rooms side by side, the broadband row, and strength over the direct sound."""

import json

import numpy as np
import pytest

from reverb.responses.acoustics import measure, with_broadband
from reverb.responses.compare import compare

RATE = 24_000


def decay(rt60: float, seed: int = 1, channels: int = 1, direct: float = 0.0) -> np.ndarray:
    frames = round(1.3 * rt60 * RATE)
    envelope = 10 ** (-3 * np.arange(frames) / (rt60 * RATE))[:, np.newaxis]
    samples = 0.05 * envelope * np.random.default_rng(seed).standard_normal((frames, channels))
    samples[0] += direct
    return samples


def test_differences_are_b_minus_a_and_flagged_where_people_hear_them() -> None:
    a, b = (measure(decay(seconds), RATE, bands="broadband") for seconds in (0.5, 0.7))
    found = {one.figure: one for one in compare(a, b)}
    t30 = found["T30"]
    assert t30.change == pytest.approx(b.mean[0].t30.seconds - a.mean[0].t30.seconds)
    assert t30.audible
    assert t30.noticeable == pytest.approx(0.05 * t30.a)
    assert found["C80"].change == pytest.approx(b.mean[0].c80 - a.mean[0].c80)
    assert not any(one.audible for one in compare(a, a))
    assert all(one.change == 0 for one in compare(a, a) if one.a == one.a)


def test_ears_are_compared_where_both_have_two() -> None:
    stereo, mono = measure(decay(0.4, channels=2), RATE), measure(decay(0.4), RATE)
    assert {"IACC early", "IACC late"} <= {one.figure for one in compare(stereo, stereo)}
    assert "IACC early" not in {one.figure for one in compare(stereo, mono)}


def test_what_is_undefined_is_none_and_never_audible() -> None:
    cut = measure(decay(0.5)[:2000], RATE, bands="broadband")
    listed = [one.as_dict() for one in compare(cut, cut)]
    json.dumps(listed, allow_nan=False)
    t30 = next(one for one in listed if one["figure"] == "T30")
    assert t30["a"] is None
    assert t30["audible"] is False


def test_broadband_is_added_as_the_last_band() -> None:
    samples = decay(0.4, channels=2)
    both = with_broadband(measure(samples, RATE), samples)
    whole = measure(samples, RATE, bands="broadband")
    assert both.mean[-1].t30 == whole.mean[0].t30
    assert both.channels[1].bands[-1].edt == whole.channels[1].bands[0].edt
    assert both.iacc[-1].label == "broadband"


def test_strength_is_all_energy_over_that_of_the_direct_sound() -> None:
    late = decay(0.5)
    late[: round(0.01 * RATE)] = 0
    late[0] = 1.0
    report = measure(late, RATE)
    whole = measure(late, RATE, bands="broadband").mean[0].strength
    assert whole == pytest.approx(10 * np.log10((late**2).sum()), abs=0.05)
    # The tail is white: each band that can see the direct sound shows the same.
    for band in report.mean:
        if band.centre and band.centre >= 500:
            assert band.strength == pytest.approx(whole, abs=1.0), band.label
        else:
            assert np.isnan(band.strength)


def test_strength_is_undefined_where_no_direct_sound_stands_out() -> None:
    samples = decay(0.5)
    samples[: RATE // 10] *= 0.15
    assert np.isnan(measure(samples, RATE, bands="broadband").mean[0].strength)


def test_doubts_reach_the_plain_report() -> None:
    noisy = decay(0.5) + 0.02 * np.random.default_rng(2).standard_normal((round(0.65 * RATE), 1))
    report = measure(noisy, RATE, bands="broadband")
    assert not report.mean[0].valid
    plain = report.as_dict()["mean"][0]
    assert plain["valid"] is False
    assert "20 dB needed" in plain["reason"]
    assert plain["t30"]["valid"] is False
