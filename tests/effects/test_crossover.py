"""Crossovers: bands that sum flat, with the slopes they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects.crossover import Band, crossover
from reverb.effects.effect import Parallel
from reverb.effects.filters import LowPass
from reverb.effects.gain import Gain
from reverb.errors import ParameterError
from tests.signals import noise

SIZE = 1 << 17


@settings(deadline=None, derandomize=True, max_examples=10)
@given(
    st.sampled_from([8000, 44_100, 192_000]),
    st.lists(st.floats(0.002, 0.45), min_size=1, max_size=4, unique_by=lambda x: round(x, 3)),
    st.sampled_from([6, 12, 24, 96, None]),
)
def test_the_bands_sum_flat(rate: int, places: list[float], slope: int | None) -> None:
    bands = crossover(*sorted(place * rate for place in places), slope=slope)
    assert len(bands) == len(places) + 1
    whole = Parallel(bands).response(rate)
    spectrum = np.fft.rfft(whole.samples[:, 0], max(SIZE, 1 << whole.frames.bit_length()))
    assert np.abs(20 * np.log10(np.abs(spectrum))).max() < 1e-9  # 0.01 dB were asked
    assert int(np.abs(whole.samples[:, 0]).argmax()) == whole.latency


def test_slopes_are_linkwitz_and_rileys() -> None:
    low, high = (band.response(48_000) for band in crossover(1000, slope=24))
    frequencies = np.fft.rfftfreq(SIZE, 1 / 48_000)
    gains = [20 * np.log10(np.abs(np.fft.rfft(band.samples[:, 0], SIZE)) + 1e-9) for band in (low, high)]
    for frequency in (125, 500, 1000, 2000, 6000):
        ratio = (frequency / 1000) ** 4
        at = int(np.abs(frequencies - frequency).argmin())
        assert gains[0][at] == pytest.approx(-20 * np.log10(1 + ratio), abs=0.2)
        assert gains[1][at] == pytest.approx(-20 * np.log10(1 + 1 / ratio), abs=0.2)


def test_a_steep_low_band_is_the_low_pass_filter() -> None:
    low, _ = crossover(1000, slope=None, transition=300, attenuation=90)
    expected = LowPass(1000, transition=300, attenuation=90).response(48_000)
    assert np.array_equal(low.response(48_000).samples, expected.samples)


def test_a_band_can_be_changed_and_the_rest_stays() -> None:
    x = noise(4000, 1)[:, 0]
    low, mid, high = crossover(300, 3000)
    assert np.abs((low + mid + high)(x, 48_000)[:4000] - x).max() < 1e-12
    louder = (low + (mid >> Gain(6)) + high)(x, 48_000)[:4000]
    assert np.abs(louder - x - (10 ** (6 / 20) - 1) * mid(x, 48_000)[:4000]).max() < 1e-12


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_steep_band_reports_what_its_taps_reach(number: int) -> None:
    band = crossover(500, 4000, slope=None, transition=200, attenuation=70)[number]
    report, response = band.report(48_000), band.response(48_000)
    assert (report.taps, report.latency) == (response.frames, response.latency)
    gain = np.abs(np.fft.rfft(response.samples[:, 0], SIZE))
    frequencies = np.fft.rfftfreq(SIZE, 1 / 48_000)
    low, high = ((0.0, 400.0), (600.0, 3900.0), (4100.0, 24_000.0))[number]
    passes = (frequencies >= low) & (frequencies <= high)
    stops = (frequencies <= (low - 200 if low else -1)) | (frequencies >= high + 200)
    assert report.ripple == pytest.approx(np.abs(20 * np.log10(gain[passes])).max(), rel=0.05)
    assert report.attenuation == pytest.approx(-20 * np.log10(gain[stops].max()), abs=0.1)
    assert report.attenuation is not None
    assert report.attenuation >= 70


def test_a_band_with_slopes_reports_its_deviation_from_their_curves() -> None:
    curves = [1 / (1 + (np.fft.rfftfreq(SIZE, 1 / 48_000) / edge) ** 4) for edge in (300, 3000)]
    for band, wanted in zip(
        crossover(300, 3000), (curves[0], curves[1] - curves[0], 1 - curves[1]), strict=True
    ):
        response, report = band.response(48_000), band.report(48_000)
        turn = np.exp(2j * np.pi * np.arange(SIZE // 2 + 1) / SIZE * response.latency)
        gain = (np.fft.rfft(response.samples[:, 0].astype(np.float64), SIZE) * turn).real
        deviation = 20 * np.log10(1 + np.abs(gain - wanted).max() / wanted.max())
        assert report.ripple == pytest.approx(deviation, rel=0.05)
        assert report.attenuation is None


@pytest.mark.parametrize(
    ("frequencies", "settings_", "says"),
    [
        ((300, 200), {}, "crossover frequencies 300, 200 Hz; expected more than 0 Hz, rising"),
        ((0,), {}, "crossover frequencies 0 Hz"),
        ((100,), {"slope": 13}, "slope 13 dB per octave"),
        ((100,), {"transition": 20}, "slope is given together with transition"),
        ((100,), {"slope": None, "attenuation": 5}, "attenuation is 5"),
        ((100, 900), {"slope": None, "attenuation": 178}, "expected at most 174 dB at 2 frequencies"),
    ],
)
def test_nonsense_is_refused(frequencies: tuple[float, ...], settings_: dict[str, float], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        crossover(*frequencies, **settings_)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="expected 1 to 30"):
        Band((), 0)
    with pytest.raises(ParameterError, match="less than 4000 Hz, half the sample rate"):
        crossover(5000)[0].response(8000)
