"""Meters of a stream, and the gain that brings a rendering to a level.

Loudness and true peak follow ITU-R BS.1770-5. Memory does not grow with the length of the stream, except by one number
for each 0.1 s (288 kB an hour).
"""

import math
from array import array
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio
from reverb.levels import from_db, to_db
from reverb.render.settings import RenderSettings

PEAK_TARGET_DB = -1.0
"""The peak in dBFS after ``normalize="peak"``: below full scale, as peaks between samples are higher."""

_FULL_SCALE_DB = -0.001  # so that rounding cannot clip

_HOPS_PER_SECOND = 10
_HOPS_PER_BLOCK = 4  # blocks of 400 ms that overlap by three quarters
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET_LUFS = -0.691
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
_PIECE_FRAMES = 1 << 14  # at a time, so that they stay in the cache


class PeakMeter:
    """The sample peak of a stream, and the number of samples beyond full scale.

    Attributes
    ----------
    peak : float
        Largest absolute sample so far, 1 at full scale.
    clipped : int
        Samples beyond full scale so far; integer formats limit them.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self.clipped = 0

    def push(self, block: Audio) -> None:
        """Measure the next block, shape (frames, channels)."""
        if block.size == 0:
            return
        highest, lowest = float(block.max()), float(block.min())
        self.peak = max(self.peak, highest, -lowest)
        if highest > 1.0 or lowest < -1.0:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1.0))


class LoudnessMeter:
    """The gated integrated loudness of a stream.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        5 and 6 are taken as L R C Ls Rs and L R C LFE Ls Rs; otherwise all channels have the same weight.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._sos = k_filter(sample_rate)
        self._state = np.zeros((len(self._sos), 2, channels))
        self._weights = np.array(_WEIGHTS.get(channels, (1.0,) * channels))
        self._hops = array("d")  # energies
        self._pending = 0.0  # energy of the hop that is not complete
        self._frames = 0

    def push(self, block: Audio) -> None:
        """Measure the next block, shape (frames, channels)."""
        from scipy.signal import sosfilt

        for start in range(0, len(block), _PIECE_FRAMES):
            piece = block[start : start + _PIECE_FRAMES].astype(np.float64)
            weighted, self._state = sosfilt(self._sos, piece, axis=0, zi=self._state)
            self._add((weighted * weighted) @ self._weights)

    def _add(self, power: npt.NDArray[np.float64]) -> None:
        """Add the weighted power of each frame to its hop."""
        start, end = self._frames, self._frames + len(power)
        cuts = [self._first_frame(hop) - start for hop in range(len(self._hops) + 1, self._complete(end) + 1)]
        sums = [float(part.sum()) for part in np.split(power, cuts)]
        for total in sums[:-1]:
            self._hops.append(self._pending + total)
            self._pending = 0.0
        self._pending += sums[-1]
        self._frames = end

    def _first_frame(self, hop: int) -> int:
        """Return the first frame of a hop."""
        return (hop * self._rate + _HOPS_PER_SECOND // 2) // _HOPS_PER_SECOND

    def _complete(self, frames: int) -> int:
        """Return the number of complete hops in a number of frames."""
        hop = frames * _HOPS_PER_SECOND // self._rate + 1
        while self._first_frame(hop) > frames:
            hop -= 1
        return hop

    @property
    def integrated(self) -> float:
        """Loudness so far in LUFS; −inf if no block passes the gate. Less than 0.4 s count as one block."""
        powers = self._block_powers()
        gated = powers[powers > _power(_ABSOLUTE_GATE_LUFS)]
        if len(gated) == 0:
            return -math.inf
        relative = 10 ** (_RELATIVE_GATE_LU / 10) * gated.mean()
        return _loudness(float(gated[gated > relative].mean()))

    def _block_powers(self) -> npt.NDArray[np.float64]:
        hops = np.array(self._hops)
        count = len(hops) - _HOPS_PER_BLOCK + 1
        if count < 1:
            return np.array([(hops.sum() + self._pending) / max(self._frames, 1)])
        energies = np.convolve(hops, np.ones(_HOPS_PER_BLOCK), "valid")
        starts = np.array([self._first_frame(hop) for hop in range(len(hops) + 1)])
        return np.asarray(energies / (starts[_HOPS_PER_BLOCK:] - starts[:-_HOPS_PER_BLOCK]), np.float64)


def _loudness(power: float) -> float:
    return _OFFSET_LUFS + 10 * math.log10(power)


def _power(loudness: float) -> float:
    return float(10 ** ((loudness - _OFFSET_LUFS) / 10))


def k_filter(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return K-weighting for a sample rate in Hz, as two second-order sections of shape (2, 6)."""
    (shelf_hz, shelf_q), (high_pass_hz, high_pass_q) = _SHELF, _HIGH_PASS
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_BEND
    k = _warped(shelf_hz, sample_rate)
    shelf = (high + band * k / shelf_q + k * k, 2 * (k * k - high), high - band * k / shelf_q + k * k)
    shelf_poles = (1 + k / shelf_q + k * k, 2 * (k * k - 1), 1 - k / shelf_q + k * k)
    k = _warped(high_pass_hz, sample_rate)
    high_pass_poles = (1 + k / high_pass_q + k * k, 2 * (k * k - 1), 1 - k / high_pass_q + k * k)
    return np.array(
        [
            [*(c / shelf_poles[0] for c in shelf), *(c / shelf_poles[0] for c in shelf_poles)],
            [1.0, -2.0, 1.0, *(c / high_pass_poles[0] for c in high_pass_poles)],
        ]
    )


def _warped(frequency_hz: float, sample_rate: int) -> float:
    return math.tan(math.pi * min(frequency_hz / sample_rate, 0.49))


class TruePeakMeter:
    """The peak of a stream between its samples, by interpolation to four times the rate.

    Parameters
    ----------
    channels : int

    Attributes
    ----------
    peak : float
        So far, linear, 1 at full scale, without the time after the last sample; `flush` adds that.
    """

    def __init__(self, channels: int) -> None:
        from scipy.signal import firwin

        length = _OVERSAMPLING * _PHASE_TAPS - 1
        taps = firwin(length, 1 / _OVERSAMPLING, window=("kaiser", _KAISER_BETA), scale=True) * _OVERSAMPLING
        phases = [np.abs(taps[phase::_OVERSAMPLING]).sum() for phase in range(_OVERSAMPLING)]
        self._taps = taps
        self._max_ratio = float(max(phases))  # of a value between the samples to the largest sample
        self._past = np.zeros((_PHASE_TAPS, channels))
        self.peak = 0.0

    def push(self, block: Audio) -> None:
        """Measure the next block, shape (frames, channels)."""
        for start in range(0, len(block), _PIECE_FRAMES):
            self._push(block[start : start + _PIECE_FRAMES])

    def _push(self, piece: Audio) -> None:
        recent = np.concatenate([self._past, piece])
        self._past = recent[-_PHASE_TAPS:]
        largest = float(np.abs(recent).max())
        self.peak = max(self.peak, float(np.abs(piece).max(initial=0.0)))
        if largest * self._max_ratio <= self.peak:
            return
        from scipy.signal import upfirdn

        for channel in recent.T:
            between = upfirdn(self._taps, channel, up=_OVERSAMPLING)
            # The interpolator lacks samples at both edges; another piece covers these.
            inner = between[len(self._taps) - 1 : len(between) - len(self._taps) + 1]
            self.peak = max(self.peak, float(np.abs(inner).max(initial=0.0)))

    def flush(self) -> float:
        """Measure the silence after the last sample, and return the peak."""
        self._push(np.zeros((_PHASE_TAPS, self._past.shape[1])))
        return self.peak


class GainDecision(NamedTuple):
    """The gain of an output, and its measures with that gain.

    Attributes
    ----------
    gain_db : float
    input_loudness, loudness : float or None
        Of input and output, in LUFS; −inf for silence, None if not measured.
    true_peak : float or None
        Of the output, in dBTP; None if not measured.
    reduction_db : float
        Gain withheld to respect the ceiling, in dB (≥ 0).
    """

    gain_db: float
    input_loudness: float | None = None
    loudness: float | None = None
    true_peak: float | None = None
    reduction_db: float = 0.0

    @property
    def factor(self) -> float:
        """The gain as a linear factor."""
        return from_db(self.gain_db)


class LevelMeasurement:
    """The measurement of a first pass, which writes nothing.

    `push_input` and `push_output` may be called from two threads.

    Parameters
    ----------
    settings : RenderSettings
    sample_rate : int
        In Hz.
    inputs, outputs : int
        Channels.
    """

    def __init__(self, settings: RenderSettings, sample_rate: int, inputs: int, outputs: int) -> None:
        self._settings = settings
        self._peak = PeakMeter()
        loudness = settings.needs_loudness
        self._input = LoudnessMeter(sample_rate, inputs) if loudness else None
        self._output = LoudnessMeter(sample_rate, outputs) if loudness else None
        self._true_peak = TruePeakMeter(outputs) if loudness else None

    def push_input(self, block: Audio) -> None:
        """Measure the next block of the input."""
        if self._input is not None:
            self._input.push(block)

    def push_output(self, block: Audio) -> None:
        """Measure the next block of the output, rendered without gain."""
        self._peak.push(block)
        if self._output is not None and self._true_peak is not None:
            self._output.push(block)
            self._true_peak.push(block)

    def decide(self) -> GainDecision:
        """Return the gain that the output needs."""
        settings = self._settings
        input_loudness = self._input.integrated if self._input else -math.inf
        loudness = self._output.integrated if self._output else -math.inf
        true_peak = to_db(self._true_peak.flush()) if self._true_peak else -math.inf
        wanted = self._gain_without_ceiling(input_loudness, loudness)
        reduction = max(0.0, true_peak + wanted - settings.ceiling) if settings.ceiling is not None else 0.0
        if settings.ceiling is None and settings.needs_loudness:
            reduction = max(0.0, to_db(self._peak.peak) + wanted - _FULL_SCALE_DB)
        gain = wanted - reduction
        if not settings.needs_loudness:
            return GainDecision(gain)
        return GainDecision(gain, input_loudness, loudness + gain, true_peak + gain, reduction)

    def _gain_without_ceiling(self, input_loudness: float, loudness: float) -> float:
        """Return the gain in dB before any reduction; 0 for a silent output."""
        settings = self._settings
        if settings.normalize == "peak":
            return PEAK_TARGET_DB - to_db(self._peak.peak) if self._peak.peak > 0.0 else 0.0
        if settings.loudness is not None:
            return settings.loudness - loudness if loudness > -math.inf else 0.0
        if settings.match_loudness and loudness > -math.inf and input_loudness > -math.inf:
            return input_loudness - loudness + settings.gain
        return settings.gain
