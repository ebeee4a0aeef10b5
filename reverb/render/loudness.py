"""Loudness and true peak of a stream, after ITU-R BS.1770-5, in memory that does not grow with its length.

(But for one number for each 0.1 s: 288 kB an hour.)
"""

import math
from array import array

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio

_HOPS_PER_SECOND = 10
_HOPS_PER_BLOCK = 4  # blocks of 400 ms that overlap by three quarters
_ABSOLUTE_GATE = -70.0  # LUFS
_RELATIVE_GATE = -10.0  # LU
_OFFSET = -0.691
_SURROUND = 1.41
_WEIGHTS = {5: (1.0, 1.0, 1.0, _SURROUND, _SURROUND), 6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND)}
# The circuits whose bilinear transforms at 48 kHz are the filters that the standard tabulates: frequency in Hz
# and Q; gain in dB. Derived by B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement",
# AES 145, 2018.
_SHELF, _SHELF_DB, _SHELF_BEND = (
    (1681.974450955533, 0.7071752369554196),
    3.999843853973347,
    0.4996667741545416,
)
_HIGH_PASS = (38.13547087602444, 0.5003270373238773)

_OVERSAMPLING = 4
_PHASE_TAPS = 32  # of each phase of the interpolator: flat to 0.9 of the Nyquist frequency
_KAISER_BETA = 8.0
_PIECE = 1 << 14


class LoudnessMeter:
    """The integrated loudness of a stream, gated.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        5 and 6 are taken as L R C Ls Rs and L R C LFE Ls Rs; otherwise all channels weigh the same.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._sos = k_filter(sample_rate)
        self._state = np.zeros((len(self._sos), 2, channels))
        self._weights = np.array(_WEIGHTS.get(channels, (1.0,) * channels))
        self._hops = array("d")
        self._begun = 0.0  # energy of the hop that is under way
        self._frames = 0

    def watch(self, block: Audio) -> None:
        """Take the next block, shape (frames, channels), into account."""
        from scipy.signal import sosfilt

        for start in range(0, len(block), _PIECE):
            piece = block[start : start + _PIECE].astype(np.float64)
            weighted, self._state = sosfilt(self._sos, piece, axis=0, zi=self._state)
            self._gather((weighted * weighted) @ self._weights)

    def _gather(self, power: npt.NDArray[np.float64]) -> None:
        """Add the weighted power of every frame to the hop that it belongs to."""
        start, end = self._frames, self._frames + len(power)
        cuts = [self._border(hop) - start for hop in range(len(self._hops) + 1, self._hop_of(end) + 1)]
        sums = [float(part.sum()) for part in np.split(power, cuts)]
        for total in sums[:-1]:
            self._hops.append(self._begun + total)
            self._begun = 0.0
        self._begun += sums[-1]
        self._frames = end

    def _border(self, hop: int) -> int:
        """Return the frame at which a hop begins."""
        return (hop * self._rate + _HOPS_PER_SECOND // 2) // _HOPS_PER_SECOND

    def _hop_of(self, frame: int) -> int:
        """Return how many hops are complete when so many frames have passed."""
        hop = frame * _HOPS_PER_SECOND // self._rate + 1
        while self._border(hop) > frame:
            hop -= 1
        return hop

    @property
    def integrated(self) -> float:
        """Loudness so far in LUFS; −inf where nothing passes the gate. Less than 0.4 s count as one block."""
        powers = self._block_powers()
        gated = powers[powers > _power(_ABSOLUTE_GATE)]
        if len(gated) == 0:
            return -math.inf
        relative = 10 ** (_RELATIVE_GATE / 10) * gated.mean()
        return _loudness(float(gated[gated > relative].mean()))

    def _block_powers(self) -> npt.NDArray[np.float64]:
        hops = np.array(self._hops)
        count = len(hops) - _HOPS_PER_BLOCK + 1
        if count < 1:
            return np.array([(hops.sum() + self._begun) / max(self._frames, 1)])
        energies = np.convolve(hops, np.ones(_HOPS_PER_BLOCK), "valid")
        borders = np.array([self._border(hop) for hop in range(len(hops) + 1)])
        return np.asarray(energies / (borders[_HOPS_PER_BLOCK:] - borders[:-_HOPS_PER_BLOCK]), np.float64)


def _loudness(power: float) -> float:
    return _OFFSET + 10 * math.log10(power)


def _power(loudness: float) -> float:
    return float(10 ** ((loudness - _OFFSET) / 10))


def k_filter(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return K-weighting at any sample rate, as two second-order sections of shape (2, 6)."""
    (frequency, q), (low, low_q) = _SHELF, _HIGH_PASS
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_BEND
    k = _warped(frequency, sample_rate)
    shelf = (high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k)
    below = (1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k)
    k = _warped(low, sample_rate)
    cut = (1 + k / low_q + k * k, 2 * (k * k - 1), 1 - k / low_q + k * k)
    return np.array(
        [
            [*(c / below[0] for c in shelf), *(c / below[0] for c in below)],
            [1.0, -2.0, 1.0, *(c / cut[0] for c in cut)],
        ]
    )


def _warped(frequency: float, sample_rate: int) -> float:
    return math.tan(math.pi * min(frequency / sample_rate, 0.49))


class TruePeakMeter:
    """The largest value between the samples of a stream, by interpolation to four times the rate.

    Parameters
    ----------
    channels : int

    Attributes
    ----------
    peak : float
        So far, linear, 1 at full scale; `finish` takes what follows the last sample into account.
    """

    def __init__(self, channels: int) -> None:
        from scipy.signal import firwin

        length = _OVERSAMPLING * _PHASE_TAPS - 1
        taps = firwin(length, 1 / _OVERSAMPLING, window=("kaiser", _KAISER_BETA), scale=True) * _OVERSAMPLING
        phases = [np.abs(taps[phase::_OVERSAMPLING]).sum() for phase in range(_OVERSAMPLING)]
        self._taps = taps
        self._most = float(max(phases))  # how far above the samples a value between them can lie
        self._past = np.zeros((_PHASE_TAPS, channels))
        self.peak = 0.0

    def watch(self, block: Audio) -> None:
        """Take the next block, shape (frames, channels), into account."""
        for start in range(0, len(block), _PIECE):
            self._watch(block[start : start + _PIECE])

    def _watch(self, piece: Audio) -> None:
        whole = np.concatenate([self._past, piece])
        self._past = whole[-_PHASE_TAPS:]
        largest = float(np.abs(whole).max())
        self.peak = max(self.peak, float(np.abs(piece).max(initial=0.0)))
        if largest * self._most <= self.peak:
            return
        from scipy.signal import upfirdn

        for channel in whole.T:
            between = upfirdn(self._taps, channel, up=_OVERSAMPLING)
            # Without the edges, where the interpolator lacks samples: they were or will be in another piece.
            inner = between[len(self._taps) - 1 : len(between) - len(self._taps) + 1]
            self.peak = max(self.peak, float(np.abs(inner).max(initial=0.0)))

    def finish(self) -> float:
        """Take silence after the last sample into account, and return the peak."""
        self._watch(np.zeros((_PHASE_TAPS, self._past.shape[1])))
        return self.peak
