"""Linear, minimum and mixed phase: taps with a given magnitude.

The phase of a minimum-phase filter is the Hilbert transform of its log magnitude, which is computed by folding the
cepstrum into positive time. See A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", chapter 13.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from reverb.arrays import Double
from reverb.choices import Phase
from reverb.responses.spectra import log_spectrum, minimum_phase, spectra

# A cepstrum's transform is 128 times as long as the taps, but not more than 2^21 unless that is less than 8 times.
_MIN_CEPSTRUM_FACTOR, _MAX_CEPSTRUM_FACTOR = 8, 128
_LONG_CEPSTRUM = 1 << 21
_MIN_GAIN = 1e-14  # relative to the largest
_MAX_TRANSFORM = 1 << 17


def minimum_phase_taps(taps: Double) -> Double:
    """Return as many minimum-phase taps with the same magnitude response, within about −90 dB.

    The transform is much longer than the taps, because zeros on the unit circle make the cepstrum decay slowly.
    """
    magnitude = np.abs(np.fft.rfft(taps, _transform_size(len(taps))))
    return minimum_phase(magnitude, _MIN_GAIN)[: len(taps)]


def mixed_phase_taps(taps: Double) -> tuple[Double, int]:
    """Return taps with the same magnitude response, half of it in dB with linear and half with minimum phase.

    Parameters
    ----------
    taps : ndarray, shape (taps,)
        An odd number of symmetric taps.

    Returns
    -------
    ndarray, shape (taps + taps // 2,)
        As many taps before time zero as the linear-phase filter has, only weaker, and twice as many after it.
    int
        The index of time zero.
    """
    magnitude = np.abs(np.fft.rfft(taps, _transform_size(len(taps))))
    response, zero = impulse_response(magnitude, "mixed")
    before = len(taps) // 2
    return response[zero - before : zero + len(taps)], before


def magnitudes(taps: Double, points: int) -> Iterator[tuple[Double, Double]]:
    """Yield the magnitude response on an even grid, part by part to save memory.

    Parameters
    ----------
    taps : ndarray, shape (taps,)
    points : int
        Number of grid points from 0 Hz to the sample rate, a power of two.

    Yields
    ------
    frequencies, magnitude : ndarray, shape (min(points, 2^17) // 2 + 1,)
        Frequencies are in cycles per frame; the last of them may exceed the Nyquist frequency, 0.5.
    """
    size = min(points, _MAX_TRANSFORM)
    for shift, spectrum in spectra(taps, points, size):
        yield (np.arange(size // 2 + 1) + shift) / size, np.abs(spectrum[: size // 2 + 1])


def _transform_size(taps: int) -> int:
    """Return the length of the transform for the cepstrum of a filter."""
    size = 1 << (taps - 1).bit_length()
    return max(_MIN_CEPSTRUM_FACTOR * size, min(_MAX_CEPSTRUM_FACTOR * size, _LONG_CEPSTRUM))


class Zeros(NamedTuple):
    """The factor of a magnitude that contains its zeros, where the logarithm does not exist.

    Attributes
    ----------
    gain, angle : ndarray, shape (size // 2 + 1,)
        Magnitude and phase of the polynomial with these zeros on the unit circle.
    rest : ndarray, shape (size // 2 + 1,)
        The whole magnitude ÷ `gain`, positive everywhere.
    """

    gain: Double
    angle: Double
    rest: Double


def impulse_response(magnitude: Double, phase: Phase, zeros: Zeros | None = None) -> tuple[Double, int]:
    """Return the impulse response of a magnitude, as long as its transform, and the index of its time zero.

    Parameters
    ----------
    magnitude : ndarray, shape (size // 2 + 1,)
        Linear gain from 0 Hz to the Nyquist frequency, evenly spaced.
    phase : {'linear', 'minimum', 'mixed'}
        ``linear`` is symmetric about time zero, ``minimum`` starts there, ``mixed`` has half the phase of ``minimum``.
    zeros : Zeros, optional
        The zeros of the magnitude. The phase jumps at a zero, which the cepstrum alone would only approximate.

    Returns
    -------
    ndarray of float64, shape (size,)
    int
        0 for minimum phase, else size // 2.
    """
    size = 2 * (len(magnitude) - 1)
    if phase == "linear":
        return np.roll(np.fft.irfft(magnitude, size), size // 2), size // 2
    if phase == "minimum" and zeros is None:
        return minimum_phase(magnitude, _MIN_GAIN), 0
    smooth = np.maximum(magnitude, _MIN_GAIN * magnitude.max()) if zeros is None else zeros.rest
    spectrum = log_spectrum(np.log(smooth))
    del smooth  # megabytes, for the finest curves
    share = 1.0 if phase == "minimum" else 0.5
    spectrum.imag *= share
    np.exp(spectrum, out=spectrum)
    if zeros is not None:
        spectrum *= zeros.gain
        spectrum *= np.exp(share * 1j * zeros.angle)
    response = np.fft.irfft(spectrum, size)
    return (response, 0) if phase == "minimum" else (np.roll(response, size // 2), size // 2)
