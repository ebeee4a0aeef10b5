"""Octave and third-octave bands after IEC 61260-1, for measuring decays.

The exact centers are 1000 · G^(n/b) Hz with G = 10^0.3, b = 1 or 3 bands per octave. The filter of a band is a
Butterworth band-pass of fourth order, which meets the mask of class 1. It runs backwards in time, which does not
lengthen short decays. The bands do not sum to the input: `reverb.responses.filter_bank` has bands for editing.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reverb.arrays import Array, as_sample_rate
from reverb.checks import one_of
from reverb.choices import BAND_SETS, BandSet

OCTAVE_RATIO = 10**0.3
ORDER = 4
_OCTAVES = range(-4, 5)  # 63 Hz to 16 kHz
_THIRDS = range(-13, 14)  # 50 Hz to 20 kHz
_NOMINAL_TENTHS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)


@dataclass(frozen=True)
class Band:
    """A frequency band at a sample rate.

    Attributes
    ----------
    centre : float or None
        Exact center in Hz; None for the whole range.
    per_octave : int
        1 or 3.
    sample_rate : int
        In Hz.
    """

    centre: float | None
    per_octave: int
    sample_rate: int

    @property
    def nominal(self) -> float | None:
        """The nominal, rounded center in Hz: 31.5, 63, 125, 1000."""
        if self.centre is None:
            return None
        step = round(10 * np.log10(self.centre))
        decade, tenth = divmod(step, 10)
        return float(_NOMINAL_TENTHS[tenth] * 10**decade)

    @property
    def label(self) -> str:
        """`125 Hz`, `1 kHz` or `broadband`."""
        if self.nominal is None:
            return "broadband"
        return f"{self.nominal / 1000:g} kHz" if self.nominal >= 1000 else f"{self.nominal:g} Hz"

    @property
    def edges(self) -> tuple[float, float]:
        """Lower and upper −3 dB frequency in Hz."""
        if self.centre is None:
            return 0.0, self.sample_rate / 2
        half = OCTAVE_RATIO ** (0.5 / self.per_octave)
        return self.centre / half, self.centre * half

    @property
    def width(self) -> float:
        """Bandwidth in Hz."""
        low, high = self.edges
        return high - low

    @cached_property
    def sections(self) -> Array:
        """Second-order sections of the filter, `(sections, 6)`."""
        return band_pass(*self.edges, self.sample_rate)

    @cached_property
    def settling(self) -> int:
        """Frames until the ringing of the filter has fallen by 120 dB."""
        from scipy.signal import sos2zpk

        if self.centre is None:
            return 0
        poles = sos2zpk(self.sections)[1]
        return int(np.ceil(-6 * np.log(10) / np.log(np.abs(poles).max())))

    @cached_property
    def lead(self) -> int:
        """Frames by which `time_reversed` advances energy: the center of the squared response of the filter."""
        from scipy.signal import sosfilt

        if self.centre is None:
            return 0
        impulse = np.zeros(self.settling)
        impulse[0] = 1
        energy = np.asarray(sosfilt(self.sections, impulse)) ** 2
        return round(float(np.arange(len(energy)) @ energy / energy.sum()))

    def time_reversed(self, samples: Array) -> Array:
        """Filter `(frames,)` backwards in time, including the ringing before its start.

        The decay of a filter that runs backwards comes before each event instead of after it, which allows
        measuring decays four times as short (Jacobsen & Rindel 1987; ISO 3382-2, 7.3).

        Returns
        -------
        ndarray, shape (settling + frames,)
            Frame `settling` corresponds to frame 0 of the input; energy comes `lead` frames early.
        """
        if self.centre is None:
            return samples
        from scipy.signal import sosfilt

        padded = np.concatenate([np.zeros(self.settling), samples])
        return np.asarray(sosfilt(self.sections, padded[::-1]))[::-1]

    def power_response(self, frequencies: Array) -> Array:
        """Return the squared gain at frequencies in Hz: a Butterworth band-pass after the bilinear transform."""
        if self.centre is None:
            return np.ones_like(frequencies)
        low, high = np.tan(np.pi * np.array(self.edges) / self.sample_rate)
        warped = np.tan(np.minimum(np.pi * frequencies / self.sample_rate, 0.5 * np.pi - 1e-9))
        offset = (warped**2 - low * high) / (np.maximum(warped, 1e-12) * (high - low))
        return np.asarray(1 / (1 + offset ** (2 * ORDER)))


def band_pass(low: float, high: float, sample_rate: int) -> Array:
    """Return the second-order sections of the Butterworth band-pass between two −3 dB frequencies in Hz."""
    from scipy.signal import butter

    return np.asarray(butter(ORDER, (low, high), "bandpass", fs=sample_rate, output="sos"), np.float64)


def band_set(kind: BandSet, sample_rate: int) -> tuple[Band, ...]:
    """Return the bands that are completely below the Nyquist frequency, from low to high.

    Parameters
    ----------
    kind : {"octave", "third", "broadband"}
        Octaves from 63 Hz to 16 kHz, third octaves from 50 Hz to 20 kHz, or one band without a filter.
    sample_rate : int
        In Hz.

    Raises
    ------
    ParameterError
        If the kind or the sample rate is not allowed.

    Examples
    --------
    >>> [band.label for band in band_set("octave", 8000)]
    ['63 Hz', '125 Hz', '250 Hz', '500 Hz', '1 kHz', '2 kHz']
    """
    sample_rate = as_sample_rate(sample_rate)
    if one_of("bands", kind, BAND_SETS) == "broadband":
        return (Band(None, 1, sample_rate),)
    steps, per_octave = (_OCTAVES, 1) if kind == "octave" else (_THIRDS, 3)
    every = (Band(1000 * OCTAVE_RATIO ** (n / per_octave), per_octave, sample_rate) for n in steps)
    # Close to the Nyquist frequency the bilinear transform narrows the filter, which would no longer meet the mask.
    return tuple(band for band in every if band.edges[1] < 0.96 * sample_rate / 2)
