"""Spectra in parts against one transform, and minimum phase against a closed form."""

import numpy as np
import pytest

from reverb.responses import spectra
from reverb.responses.spectra import audible_spectra, log_spectrum, minimum_phase
from tests.signals import noise


@pytest.mark.parametrize("frames", [1, 500, 3000])
def test_the_parts_are_interleaved_points_of_one_transform(frames: int) -> None:
    x, points, size = noise(frames, 1)[:, 0], 4096, 512
    whole = np.fft.fft(x, points)
    for shift, part in spectra.spectra(x, points, size):
        np.testing.assert_allclose(part, whole[round(shift * points / size) :: points // size], atol=1e-10)


def test_audible_spectra_cover_all_frequencies_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectra, "_PART", 1 << 10)
    x = noise(3000, 1)[:, 0]
    found = np.sort(np.concatenate([frequencies for frequencies, _ in audible_spectra(x, 8000)]))
    np.testing.assert_allclose(np.diff(found), found[1])
    assert (found[0], found[-1]) == (0, 4000)
    assert found[1] <= 1


def test_minimum_phase_restores_a_one_pole_filter() -> None:
    h = 0.9 ** np.arange(4096)  # of minimum phase
    np.testing.assert_allclose(minimum_phase(np.abs(np.fft.rfft(h))), h, atol=1e-9)


def test_zeros_of_a_magnitude_are_limited() -> None:
    magnitude = np.ones(257)
    magnitude[100:] = 0
    assert np.isfinite(minimum_phase(magnitude)).all()
    np.testing.assert_allclose(log_spectrum(np.zeros(257)), 0, atol=1e-12)
