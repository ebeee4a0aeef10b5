"""From a magnitude to the response that has it and sounds as early as it can."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]


def minimum_phase(magnitude: Array) -> Array:
    """Impulse response of minimum phase for a magnitude on the rfft grid, by the folded cepstrum."""
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitude, 1e-9 * magnitude.max())))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))
