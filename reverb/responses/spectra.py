"""Spectra of long responses, part by part, and the minimum-phase response of a magnitude."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, Audio

Spectrum: TypeAlias = npt.NDArray[np.complex128]

LONG = 12 << 20
"""Bytes of a channel (30 s at 96 kHz in float32) above which its spectrum is computed in parts, to save memory."""
_PART = 1 << 19


def spectra(samples: Audio, points: int, size: int) -> Iterator[tuple[float, Spectrum]]:
    """Yield the spectrum of real samples on an even grid, in interleaved parts that need little memory.

    Parameters
    ----------
    samples : ndarray, shape (frames,)
    points : int
        Number of points of the grid, from 0 Hz to the sample rate; a power of two.
    size : int
        Length of a part's transform, at most `points`; a power of two.

    Yields
    ------
    shift : float
    spectrum : ndarray, shape (size,)
        Its n-th value belongs to the frequency ``(n + shift) / size`` in cycles per frame.
    """
    for shift in np.arange(0, 1, size / points):
        # Modulation shifts the grid by a fraction of a bin; samples `size` apart alias onto each other and add up.
        folded = np.zeros(size, np.complex128)
        for number, start in enumerate(range(0, len(samples), size)):
            piece = samples[start : start + size]
            folded[: len(piece)] += np.exp(-2j * np.pi * shift * number) * piece
        folded *= np.exp((-2j * np.pi * shift / size) * np.arange(size))
        yield shift, np.fft.fft(folded)


def audible_spectra(samples: Audio, sample_rate: int) -> Iterator[tuple[Audio, Spectrum]]:
    """Yield parts of a spectrum: rising frequencies in Hz up to half the sample rate, and the values there.

    The parts interleave to a grid of 1 Hz or finer.

    Parameters
    ----------
    samples : ndarray, shape (frames,)
    sample_rate : int
        In Hz.
    """
    points = _PART << (max(len(samples), sample_rate) // _PART).bit_length()
    for shift, spectrum in spectra(samples, points, _PART):
        frequencies = (np.arange(_PART // 2 + 1) + shift) * (sample_rate / _PART)
        count = int(np.searchsorted(frequencies, sample_rate / 2, "right"))
        yield frequencies[:count], spectrum[:count]


def minimum_phase(magnitude: Array, floor: float = 1e-9) -> Array:
    """Return the minimum-phase impulse response of a magnitude.

    Parameters
    ----------
    magnitude : ndarray, shape (size // 2 + 1,)
        Linear gain from 0 Hz to the Nyquist frequency, evenly spaced; `size` is even.
    floor : float
        Smallest gain relative to the largest; smaller gains are raised to it, as the logarithm of 0 is infinite.

    Returns
    -------
    ndarray of float64, shape (size,)
    """
    spectrum = log_spectrum(np.log(np.maximum(magnitude, floor * magnitude.max())))
    np.exp(spectrum, out=spectrum)
    return np.fft.irfft(spectrum)


def log_spectrum(log_magnitude: Array) -> Spectrum:
    """Return the logarithm of the minimum-phase spectrum with a given log magnitude, on the rfft grid of an even size.

    The imaginary part, the phase, is the Hilbert transform of the log magnitude: the cepstrum is folded onto positive
    times.
    """
    cepstrum = np.fft.irfft(log_magnitude)
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.fft.rfft(cepstrum)
