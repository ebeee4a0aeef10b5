"""The filters of octaves and third octaves, against the mask of IEC 61260-1 and their closed form."""

import numpy as np
import pytest

from reverb.choices import BandSet
from reverb.responses.bands import Band, band_set

# IEC 61260-1:2014, table 1, class 1: octaves from the centre → smallest and largest attenuation in dB.
MIN_ATTENUATION_DB = {
    0: -0.4,
    1 / 8: -0.4,
    1 / 4: -0.4,
    3 / 8: -0.4,
    0.501: 2.0,
    1: 16.6,
    2: 40.5,
    3: 60.0,
    4: 70.0,
}


MAX_ATTENUATION_DB = {0: 0.4, 1 / 8: 0.5, 1 / 4: 0.7, 3 / 8: 1.4, 0.499: 5.3}


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("kind", ["octave", "third"])
def test_filters_lie_within_the_mask_of_class_1(kind: BandSet, sample_rate: int) -> None:
    for band in band_set(kind, sample_rate):
        for limits, sign in ((MIN_ATTENUATION_DB, 1), (MAX_ATTENUATION_DB, -1)):
            for octaves, limit in limits.items():
                for attenuation in attenuations(band, octaves):
                    assert sign * attenuation >= sign * limit, (band.label, octaves, attenuation)


def attenuations(band: Band, octaves: float) -> list[float]:
    """Of the filter itself, run on an impulse, at the mask's frequencies on both sides of the centre."""
    assert band.centre is not None
    ratio = 10 ** (0.3 * octaves)
    if band.per_octave == 3:  # the mask of narrower bands, equation (9)
        ratio = 1 + (10**0.05 - 1) / (10**0.15 - 1) * (ratio - 1)
    frequencies = [f for f in (band.centre * ratio, band.centre / ratio) if f < 0.49 * band.sample_rate]
    return [-10 * np.log10(float(band.power_response(np.array([f]))[0]) + 1e-30) for f in frequencies]


def test_power_response_is_that_of_the_filter() -> None:
    for band in band_set("octave", 48_000)[3:]:
        impulse = np.zeros(1)
        impulse[0] = 1
        response = band.time_reversed(np.concatenate([impulse, np.zeros(100)]))
        frequencies = np.fft.rfftfreq(len(response), 1 / 48_000)
        power = np.abs(np.fft.rfft(response)) ** 2
        assert np.abs(power - band.power_response(frequencies)).max() < 1e-4


def test_band_names() -> None:
    assert [b.label for b in band_set("octave", 44_100)][::3] == ["63 Hz", "500 Hz", "4 kHz"]
    thirds = [b.nominal for b in band_set("third", 48_000)]
    assert thirds[:7] == [50, 63, 80, 100, 125, 160, 200]
    assert thirds[-1] == 20_000
