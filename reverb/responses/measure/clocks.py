"""Two devices never run equally fast: how far a recorder's clock drifts from the player's, and undoing it.

A drift d makes what was played at time t arrive at t (1 + d). Within one sweep that delays each frequency by d times
the moment at which it was played, which smears the response; from one sweep to the next it shifts it. The shift tells
d; the smear does not, for a loudspeaker whose bass comes later than its treble smears alike.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

_OVERSAMPLING = 16


def drift_between(segments: Sequence[Array], period: int) -> float:
    """Return the relative drift between repeated responses, by where each lies against the one before.

    Parameters
    ----------
    segments : sequence of ndarray, shape (frames,)
        The same response, cut out every `period` frames.
    period : int
        In frames.

    Returns
    -------
    float
        Positive where the recorder counts more frames than the player.
    """
    shifts = [_shift(late, early) for early, late in pairwise(segments)]
    return float(np.mean(shifts)) / period


def undo_drift(recording: Array, sample_rate: int, drift: float) -> Array:
    """Return a recording (frames, channels) as the player's clock would have taken it."""
    import soxr

    if drift == 0:
        return recording
    resampled = soxr.resample(recording, sample_rate * (1 + drift), sample_rate, quality="VHQ")
    return np.asarray(resampled, np.float64)


def _shift(late: Array, early: Array) -> float:
    """Return by how many frames, and parts of one, a signal is later than another: the peak of their correlation."""
    size = 1 << (2 * len(early)).bit_length()
    spectrum = np.fft.rfft(late, size) * np.conj(np.fft.rfft(early, size))
    correlation = np.fft.irfft(spectrum, size)
    coarse = int(np.argmax(correlation))
    coarse -= size if coarse > size // 2 else 0
    # Around it on a finer grid, from the spectrum itself.
    bins = 2 * np.pi * np.arange(len(spectrum)) / size
    fine = coarse + np.arange(-_OVERSAMPLING, _OVERSAMPLING + 1) / _OVERSAMPLING
    values = np.array([float(np.sum((spectrum * np.exp(1j * bins * shift)).real)) for shift in fine])
    top = int(np.clip(np.argmax(values), 1, len(values) - 2))
    before, peak, after = values[top - 1 : top + 2]
    bend = before - 2 * peak + after
    return float(fine[top] + (0.5 * (before - after) / bend if bend < 0 else 0.0) / _OVERSAMPLING)
