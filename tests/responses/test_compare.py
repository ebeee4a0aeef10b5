"""Differences between two rooms, and which of them are audible."""

import json

import numpy as np
import pytest

from reverb.arrays import Array
from reverb.responses.acoustics import measure
from reverb.responses.compare import compare

RATE = 24_000


def decay(rt60: float, seed: int = 1, channels: int = 1, direct: float = 0.0) -> Array:
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
