"""Phase: taps of a wanted magnitude whose energy comes evenly around time zero, early, or in between.

All by the cepstrum: the phase of a minimum-phase filter is the Hilbert transform of its log magnitude, and folding
the cepstrum into positive time gives it. See A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing",
chapter 13.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reverb.choices import PHASES as PHASES
from reverb.choices import Phase as Phase
from reverb.responses.spectra import log_spectrum, minimum_phase, spectra

Taps = npt.NDArray[np.float64]

# The transforms of `transform_size`: at least and at most this many times the taps, and what is long in between.
_CEPSTRUM_FACTOR = (8, 128)
_LONG_CEPSTRUM = 1 << 21
_SMALLEST = 1e-14
_PART = 1 << 17


def early_taps(taps: Taps) -> Taps:
    """Return taps of the same magnitude response whose energy comes as early as it can.

    The transform is much longer than the taps, as zeros on the unit circle make the cepstrum die away slowly:
    magnitudes come out within about −90 dB.
    """
    magnitude = np.abs(np.fft.rfft(taps, transform_size(len(taps))))
    return minimum_phase(magnitude, _SMALLEST)[: len(taps)]


def mixed_phase(taps: Taps) -> tuple[Taps, int]:
    """Return taps of the same magnitude response, half of it in dB with linear and half with minimum phase.

    Parameters
    ----------
    taps : ndarray, shape (taps,)
        An odd number, symmetric.

    Returns
    -------
    ndarray, shape (taps + taps // 2,)
        Half as many as the linear-phase filter in front of time zero, where they are weaker, and twice as many after.
    int
        The index of time zero.
    """
    magnitude = np.abs(np.fft.rfft(taps, transform_size(len(taps))))
    whole, zero = kernel(magnitude, "mixed")
    before = len(taps) // 2
    return whole[zero - before : zero + len(taps)], before


def magnitudes(taps: Taps, points: int) -> Iterator[tuple[Taps, Taps]]:
    """Give the magnitude response on an even grid, in parts that need little memory.

    Parameters
    ----------
    taps : ndarray, shape (taps,)
    points : int
        Of the grid, from 0 Hz to the sample rate; a power of two.

    Yields
    ------
    frequencies, magnitude : ndarray, shape (min(points, 2^17) // 2 + 1,)
        The former in cycles per frame; the last of them may lie beyond the Nyquist frequency, 0.5.
    """
    size = min(points, _PART)
    for shift, spectrum in spectra(taps, points, size):
        yield (np.arange(size // 2 + 1) + shift) / size, np.abs(spectrum[: size // 2 + 1])


def transform_size(taps: int) -> int:
    """Return how long the transforms of a filter of so many taps should be."""
    size = 1 << (taps - 1).bit_length()
    return max(_CEPSTRUM_FACTOR[0] * size, min(_CEPSTRUM_FACTOR[1] * size, _LONG_CEPSTRUM))


class Zeros(NamedTuple):
    """The part of a magnitude that vanishes somewhere, whose logarithm no transform can hold.

    Attributes
    ----------
    gain, angle : ndarray, shape (size // 2 + 1,)
        Of the polynomial with these zeros on the unit circle.
    rest : ndarray, shape (size // 2 + 1,)
        The magnitude ÷ gain, positive everywhere.
    """

    gain: Taps
    angle: Taps
    rest: Taps


def kernel(magnitude: Taps, phase: Phase, zeros: Zeros | None = None) -> tuple[Taps, int]:
    """Return the response of a magnitude at all the frames of a transform, and the index of its time zero.

    Parameters
    ----------
    magnitude : ndarray, shape (size // 2 + 1,)
        Linear gain from 0 Hz to the Nyquist frequency, evenly spaced.
    phase : {'linear', 'minimum', 'mixed'}
        ``linear`` is symmetric about its time zero, ``minimum`` starts with it, ``mixed`` has half of the latter's
        phase.
    zeros : Zeros, optional
        Where the magnitude vanishes: the phase turns at once there, which the cepstrum would only come near to.

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
        return minimum_phase(magnitude, _SMALLEST), 0
    smooth = np.maximum(magnitude, _SMALLEST * magnitude.max()) if zeros is None else zeros.rest
    spectrum = log_spectrum(np.log(smooth))
    del smooth  # megabytes, for the finest of curves
    share = 1.0 if phase == "minimum" else 0.5
    spectrum.imag *= share
    np.exp(spectrum, out=spectrum)
    if zeros is not None:
        spectrum *= zeros.gain
        spectrum *= np.exp(share * 1j * zeros.angle)
    whole = np.fft.irfft(spectrum, size)
    return (whole, 0) if phase == "minimum" else (np.roll(whole, size // 2), size // 2)
