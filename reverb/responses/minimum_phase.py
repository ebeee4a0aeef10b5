"""From a magnitude to the response that has it and sounds as early as it can."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]


def minimum_phase(magnitude: Array) -> Array:
    """Impulse response of minimum phase for a magnitude on the rfft grid."""
    return np.fft.irfft(np.exp(log_spectrum(np.log(np.maximum(magnitude, 1e-9 * magnitude.max())))))


def log_spectrum(log_magnitude: Array) -> npt.NDArray[np.complex128]:
    """Logarithm of the spectrum of minimum phase whose real part, on the rfft grid of an even length, is given.

    Its imaginary part, the phase, is the log magnitude's Hilbert transform: the cepstrum folded into positive time.
    """
    cepstrum = np.fft.irfft(log_magnitude)
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.fft.rfft(cepstrum)
