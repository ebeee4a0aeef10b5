"""Levels of responses, against pyloudnorm on real pink noise and closed forms."""

from collections.abc import Callable

import numpy as np
import pytest

from reverb.choices import LEVELS, Level
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import k_weighting
from reverb.responses import spectra
from reverb.responses.level import blend, energy_ratio, loudness_ratio, normalize, peak
from reverb.responses.response import ImpulseResponse, unit
from tests.signals import decaying, pink

RATE = 48_000


def test_a_unit_impulse_is_at_every_level() -> None:
    for level in LEVELS:
        assert normalize(unit(RATE), level).samples[0, 0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("layout", "rows"), [("mono", 1), ("stereo", 2), ("true-stereo", 4), ("2x3", 6)])
def test_levels_are_reached_and_do_not_depend_on_the_gain(layout: str, rows: int) -> None:
    response = ImpulseResponse(decaying(5000, rows), RATE, wiring=layout)
    measures: tuple[tuple[Level, Callable[[ImpulseResponse], float]], ...] = (
        ("loudness", loudness_ratio),
        ("energy", energy_ratio),
        ("peak", peak),
    )
    for level, measure in measures:
        at_level = normalize(response, level)
        assert measure(at_level) == pytest.approx(1, rel=1e-4)
        louder = normalize(response * 37, level)
        assert np.allclose(louder.samples, at_level.samples, rtol=1e-5, atol=1e-9)
    assert normalize(response, "none") is response


@pytest.mark.parametrize(("layout", "rows"), [("stereo", 2), ("true-stereo", 4)])
def test_loudness_is_that_of_bs_1770(layout: str, rows: int) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    from scipy.signal import lfilter, oaconvolve

    x = pink(RATE, 8)
    rows_of_noise = lfilter([1], [1, -0.9], decaying(12_000, rows), axis=0)  # darker than white
    response = ImpulseResponse(rows_of_noise, RATE, wiring=layout)
    y = np.zeros((len(x) + 11_999, 2))
    for i, o, row in response.wiring.paths:
        y[:, o] += oaconvolve(x[:, i], response.samples[:, row])
    meter = pyloudnorm.Meter(RATE)
    measured = meter.integrated_loudness(y[12_000 : len(x)]) - meter.integrated_loudness(x)
    assert 10 * np.log10(loudness_ratio(response)) == pytest.approx(measured, abs=0.15)


@pytest.mark.parametrize(("layout", "rows"), [("mono", 1), ("true-stereo", 4), ("1x2", 2)])
def test_a_long_response_is_measured_in_parts(
    layout: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectra, "LONG", 0)
    monkeypatch.setattr(spectra, "_PART", 1 << 12)
    response = ImpulseResponse(decaying(70_000, rows), RATE, wiring=layout, latency=30)
    points = 1 << 17  # the next power of two, of which the parts make up the grid
    frequencies = np.fft.rfftfreq(points, 1 / RATE)
    band = (frequencies >= 20) & (frequencies <= 20_000)
    weight = k_weighting(frequencies[band]) / frequencies[band]
    weight /= weight.sum() * response.wiring.inputs
    turn = np.exp(-2j * np.pi * frequencies[band] * (0.01 - 30 / RATE))
    transforms = np.fft.rfft(response.samples, points, axis=0)[band]
    wet, cross = 0.0, 0.0
    for i, o, row in response.wiring.paths:
        wet += weight @ np.abs(transforms[:, row]) ** 2
        cross += weight @ (transforms[:, row] * turn).real * (i == o or response.wiring.inputs == 1)
    assert blend(response, 0.01) == pytest.approx((blend(response).dry, wet, cross), rel=1e-9)


def test_parts_and_the_whole_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    response = ImpulseResponse(decaying(RATE, 2), RATE)
    whole = blend(response, 0.02)
    monkeypatch.setattr(spectra, "LONG", 0)
    monkeypatch.setattr(spectra, "_PART", 1 << 14)
    parts = blend(response, 0.02)
    assert parts.dry == whole.dry
    assert parts.wet == pytest.approx(whole.wet, rel=0.01)  # grids of 1 Hz and finer
    assert parts.cross == pytest.approx(whole.cross, abs=0.01 * whole.wet)


@pytest.mark.parametrize("long", [0, 1 << 20])
def test_the_loudness_at_a_rate_below_all_sound_is_the_energy(
    long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectra, "LONG", long)
    assert loudness_ratio(ImpulseResponse([3.0, 4.0], 39)) == pytest.approx(25)
    assert 0 < loudness_ratio(ImpulseResponse([3.0, 4.0], 44)) < 50


@pytest.mark.parametrize("sample", [0.0, 1e-155, 1e-20])
def test_silence_cannot_be_brought_to_a_level(sample: float) -> None:
    silent = ImpulseResponse(np.full(100, sample), RATE, "void")
    for level in LEVELS[:3]:
        with pytest.raises(InvalidAudioError, match="'void' is silent"):
            normalize(silent, level)
    assert normalize(silent, "none") is silent


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(
        ParameterError,
        match=r"level is .loud.; did you mean 'loudness'. expected 'loudness' or 'energy' or 'peak' or 'none'",
    ):
        normalize(unit(RATE), "loud")  # type: ignore[arg-type]


def test_the_old_spelling_still_works_and_warns() -> None:
    from reverb.responses import level

    with pytest.warns(DeprecationWarning, match="normalise is now normalize"):
        assert level.normalise is level.normalize
    with pytest.raises(AttributeError, match="no attribute 'normalised'"):
        _ = level.normalised
