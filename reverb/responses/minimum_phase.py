"""From a magnitude to the response that has it and sounds as early as it can."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]


def minimum_phase(magnitude: Array, floor: float = 1e-9) -> Array:
    """Return the impulse response of minimum phase for a magnitude.

    Parameters
    ----------
    magnitude : ndarray, shape (size // 2 + 1,)
        Linear gain from 0 Hz to the Nyquist frequency, evenly spaced; `size` is even.
    floor : float
        Smallest gain, relative to the largest: the logarithm of zero is no number.

    Returns
    -------
    ndarray of float64, shape (size,)
    """
    spectrum = log_spectrum(np.log(np.maximum(magnitude, floor * magnitude.max())))
    np.exp(spectrum, out=spectrum)
    return np.fft.irfft(spectrum)


def log_spectrum(log_magnitude: Array) -> npt.NDArray[np.complex128]:
    """Logarithm of the spectrum of minimum phase whose real part, on the rfft grid of an even length, is given.

    Its imaginary part, the phase, is the log magnitude's Hilbert transform: the cepstrum folded into positive time.
    """
    cepstrum = np.fft.irfft(log_magnitude)
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.fft.rfft(cepstrum)
