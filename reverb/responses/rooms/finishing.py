"""From raw samples to a response: what cannot be heard is left out, the end fades, the peak is set."""

import numpy as np
import numpy.typing as npt

from reverb.responses.rooms.room import OCTAVES

Array = npt.NDArray[np.float64]

PEAK_DB = -1.0
FLOOR_DB = -90.0
FADE = 0.08  # s
LOWEST = 22.0  # Hz: below, image sources pile up to a push of air that no loudspeaker gives


def finish(pairs: list[Array], sample_rate: int) -> Array:
    """Take out what lies below hearing, cut at −90 dB, fade out, and set the peak."""
    from scipy.signal import butter, sosfilt

    sound = np.concatenate(pairs, axis=1)
    sound = sosfilt(butter(2, LOWEST, "highpass", fs=sample_rate, output="sos"), sound, axis=0)
    end = _end(sound, sample_rate)
    sound = sound[:end]
    fade = min(round(FADE * sample_rate), len(sound))
    sound[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade))[:, None] ** 2
    return np.asarray(sound * (10 ** (PEAK_DB / 20) / np.abs(sound).max()))


def _end(sound: Array, sample_rate: int) -> int:
    """Frames until in each octave of each channel what remains is FLOOR_DB below the whole."""
    from scipy.signal import butter, sosfilt

    ends = []
    for centre in OCTAVES:
        if centre * np.sqrt(2) >= 0.5 * sample_rate:
            break
        edges = centre / np.sqrt(2), centre * np.sqrt(2)
        band = sosfilt(butter(4, edges, "bandpass", fs=sample_rate, output="sos"), sound[::-1], axis=0)
        remaining = np.cumsum(band**2, axis=0)
        loud = remaining > remaining[-1] * 10 ** (FLOOR_DB / 10)
        ends.append(len(sound) - int(loud.argmax(axis=0).min()))
    return max(ends)
