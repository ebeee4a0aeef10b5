"""Deconvolution of one take, a recording of sweeps: its spectrum divided by that of the sweep.

The result is a train of responses. The harmonic distortion of a loudspeaker appears before each direct sound (Farina
2000). The division is regularized: exact within the band of the sweep, and 0 outside.

The clocks of two devices differ. With a drift d, sound played at time t arrives at t (1 + d). Within one sweep
this delays each frequency by d times the moment at which it was played, which smears the response; from one sweep to
the next it shifts the response. The drift is measured by the shift. The smear does not reveal it, as a loudspeaker with
a delayed bass has the same effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reverb.arrays import Array
from reverb.errors import InvalidAudioError
from reverb.responses.decay.decay import onset

HARMONICS = (2, 3, 4, 5)
_MIN_CREST = 8.0  # peak of the response ÷ RMS of the train
_MIN_DRIFT = 0.02e-6
_MIN_CLIPPED_RUNS = 3
_OVERSAMPLING = 16  # of the grid on which a shift is measured
_DRIFT_WINDOW_SECONDS = 0.4
_EDGE_OCTAVES = 1 / 12  # width of the edges of the division, within the band


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The played signal.

    Attributes
    ----------
    wave : ndarray, shape (frames,)
        One sweep.
    rate : int
        Sample rate in Hz.
    band : tuple of float
        Frequencies in Hz between which it has energy.
    lag : float
        Farina's L in seconds; 0 if the parameters of the sweep are not known.
    period : int
        Frames from the start of one sweep to that of the next.
    repetitions, sources : int
        Sweeps per source, and number of sources, one after the other.
    frames : int
        Length of the response after the direct sound.
    """

    wave: Array
    rate: int
    band: tuple[float, float]
    lag: float
    period: int
    repetitions: int
    sources: int
    frames: int

    @property
    def turns(self) -> int:
        """Number of sweeps in a recording."""
        return self.repetitions * self.sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One recording, deconvolved.

    Attributes
    ----------
    train : ndarray, shape (frames, microphones)
        All responses, one after the other, each with its harmonics before it.
    start : int
        Frame of the direct sound of the first sweep.
    played : Played
    drift : float or None
        Corrected drift in parts per million.
    signal_to_noise : float or None
        Level of the sweep re the silence before it, in dB.
    clipped : int
        Number of places at which the recording stays at its peak.
    """

    train: Array
    start: int
    played: Played
    drift: float | None
    signal_to_noise: float | None
    clipped: int

    def segment(self, turn: int, before: int, frames: int) -> Array:
        """Return `frames` of the response of a sweep, starting `before` its direct sound, (frames, microphones)."""
        first = self.start + turn * self.played.period - before
        return np.take(self.train, range(first, first + frames), axis=0, mode="wrap")

    def responses(self, before: int) -> list[Array]:
        """Return the mean response of each source."""
        frames, count = before + self.played.frames, self.played.repetitions
        return [
            np.mean([self.segment(s * count + r, before, frames) for r in range(count)], axis=0)
            for s in range(self.played.sources)
        ]

    def agreement(self) -> float | None:
        """Return the level of the response re the differences between repetitions in dB; None without repetitions."""
        count = self.played.repetitions
        if count == 1:
            return None
        worst = np.inf
        for mean, first in zip(self.responses(0), range(0, self.played.turns, count), strict=True):
            power = float(np.sum(mean**2))
            differences = [self.segment(first + r, 0, len(mean)) - mean for r in range(count)]
            worst = min(worst, decibels(power, max(float(np.sum(d**2)) for d in differences)))
        return worst

    def harmonics(self) -> tuple[float, ...]:
        """Return the energy of the response of each harmonic re the linear one, in dB."""
        if self.played.lag == 0:
            return ()
        rate = self.played.rate
        frames = round(min(0.5 * self.played.lag * np.log(HARMONICS[-1] / HARMONICS[-2]), 0.5) * rate)
        linear = float(np.sum(self.segment(0, frames // 20, frames) ** 2))
        offsets = [round(self.played.lag * np.log(n) * rate) + frames // 20 for n in HARMONICS]
        return tuple(
            decibels(float(np.sum(self.segment(0, offset, frames) ** 2)), linear) for offset in offsets
        )


def deconvolve_take(recording: Array, played: Played, correct_drift: bool) -> Take:
    """Deconvolve a recording (frames, microphones), after a correction of the drift if that is asked for.

    Raises
    ------
    InvalidAudioError
        If the recording does not contain the played signal completely.
    """
    train, clipped = _divide(recording, played), _clipped(recording)
    start = _find(train, len(recording), played)
    drift = None
    if correct_drift and played.repetitions > 1:
        drift = _drift(train, start, played)
        if abs(drift) > _MIN_DRIFT:
            recording = undo_drift(recording, played.rate, drift)
            train = _divide(recording, played)
            start = _find(train, len(recording), played)
    return Take(
        train=train,
        start=start,
        played=played,
        drift=None if drift is None else 1e6 * drift,
        signal_to_noise=_signal_to_noise(recording, start, played),
        clipped=clipped,
    )


def _divide(recording: Array, played: Played) -> Array:
    """Divide spectra; negative times, with the first harmonics, are at the end of the result."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(recording) + len(played.wave), real=True)
    reference = rfft(played.wave, size)
    frequencies = np.asarray(np.fft.rfftfreq(size, 1 / played.rate), np.float64)
    quotient = _window(frequencies, played.band) * np.conj(reference)
    power = np.abs(reference) ** 2
    inside = (frequencies > played.band[0]) & (frequencies < played.band[1])
    # The power of an exponential sweep falls as 1/f; limit only values far below that line.
    expected = np.median(power[inside] * frequencies[inside]) / np.maximum(frequencies, frequencies[1])
    quotient /= np.maximum(power, 1e-3 * expected)
    spectrum = np.asarray(rfft(recording, size, axis=0)) * quotient[:, np.newaxis]
    return np.asarray(irfft(spectrum, size, axis=0, overwrite_x=True))


def _window(frequencies: Array, band: tuple[float, float]) -> Array:
    """Return 1 within a band and 0 outside, with raised-cosine edges over log frequency."""
    octaves = np.log2(np.maximum(frequencies, 1e-9))
    rising = np.clip((octaves - np.log2(band[0])) / _EDGE_OCTAVES, 0, 1)
    falling = np.clip((np.log2(band[1]) - octaves) / _EDGE_OCTAVES, 0, 1)
    return np.asarray(np.sin(0.5 * np.pi * rising) ** 2 * np.sin(0.5 * np.pi * falling) ** 2)


def _find(train: Array, recorded: int, played: Played) -> int:
    """Return the frame of the direct sound of the first sweep, by the maximum of a comb with one tooth per sweep.

    Raises
    ------
    InvalidAudioError
        If no response stands out, or the recording is too short for all sweeps.
    """
    hop = max(played.rate // 200, 1)
    count = recorded // hop
    amplitude = np.sqrt(np.max(train[: count * hop] ** 2, axis=1).reshape(count, hop).max(axis=1))
    blurred = np.maximum(amplitude, np.maximum(np.roll(amplitude, 1), np.roll(amplitude, -1)))
    reach = (played.turns - 1) * played.period // hop
    places = count - reach
    if places < 1 or recorded < len(played.wave):
        needed = (len(played.wave) + (played.turns - 1) * played.period) / played.rate
        raise InvalidAudioError(
            f"the recording lasts {recorded / played.rate:.1f} s; {played.turns} sweeps take {needed:.1f} s"
        )
    steps = [round(turn * played.period / hop) for turn in range(played.turns)]
    comb = np.sum([blurred[min(s, reach) : min(s, reach) + places] for s in steps], axis=0)
    around = int(np.argmax(comb)) * hop
    first, last = max(around - 2 * hop, 0), min(around + 3 * hop, recorded)
    crest = np.abs(train[first:last]).max() / max(float(np.sqrt(np.mean(train**2))), 1e-300)
    if not crest > _MIN_CREST:
        raise InvalidAudioError(
            "the recording does not contain the sweep: no response stands out; use the sweep that was played, "
            "at the sample rate of the recording"
        )
    # Another source or microphone may be nearer than the loudest one: take the earliest of all.
    around_direct = np.stack(
        [train[first + turn * played.period : last + turn * played.period] for turn in range(played.turns)]
    )
    loudest = np.abs(around_direct).max(axis=(0, 2))
    rise = onset(loudest)
    return first + rise + int(np.argmax(loudest[rise : rise + max(played.rate // 2000, 1)]))


def _drift(train: Array, start: int, played: Played) -> float:
    """Return the relative drift, the mean over the sources, from the loudest microphone."""
    loudest = int(np.argmax(np.sum(train**2, axis=0)))
    frames = round(_DRIFT_WINDOW_SECONDS * played.rate)
    first = [start + turn * played.period - frames // 4 for turn in range(played.turns)]
    cuts = [np.take(train[:, loudest], range(f, f + frames), mode="wrap") for f in first]
    count = played.repetitions
    estimates = [
        drift_between(cuts[s * count : (s + 1) * count], played.period) for s in range(played.sources)
    ]
    return float(np.mean(estimates))


def _signal_to_noise(recording: Array, start: int, played: Played) -> float | None:
    """Return the level of the first sweep re the silence before it in dB, of the loudest channel."""
    quiet = recording[: max(start - played.rate // 20, 0)]
    if len(quiet) < played.rate // 10:
        return None
    power = np.mean(recording[start : start + len(played.wave)] ** 2, axis=0)
    loudest = int(np.argmax(power))
    noise = float(np.mean(quiet[:, loudest] ** 2))
    return decibels(max(float(power[loudest]) - noise, 0.0), noise)


def _clipped(recording: Array) -> int:
    """Return how often the recording stays exactly at its peak for three frames or more, as only clipped sound does."""
    full = np.abs(recording) == np.abs(recording).max(axis=0)
    runs = full[:-2] & full[1:-1] & full[2:]
    found = int(np.count_nonzero(runs[1:] & ~runs[:-1])) if len(runs) > 1 else 0
    return found if found >= _MIN_CLIPPED_RUNS else 0


def decibels(power: float, reference: float) -> float:
    """Return a ratio of powers in dB: ∞ if the reference is 0, −∞ if the power is 0."""
    if reference <= 0:
        return float(np.inf)
    return float(10 * np.log10(power / reference)) if power > 0 else float(-np.inf)


def drift_between(segments: Sequence[Array], period: int) -> float:
    """Return the relative drift between repeated responses, from the shift of each against the one before.

    Parameters
    ----------
    segments : sequence of ndarray, shape (frames,)
        The same response, cut out every `period` frames.
    period : int

    Returns
    -------
    float
        Positive if the clock of the recorder is faster than that of the player.
    """
    shifts = [_shift(late, early) for early, late in pairwise(segments)]
    return float(np.mean(shifts)) / period


def undo_drift(recording: Array, sample_rate: int, drift: float) -> Array:
    """Return a recording (frames, channels) resampled to the clock of the player."""
    import soxr

    if drift == 0:
        return recording
    resampled = soxr.resample(recording, sample_rate * (1 + drift), sample_rate, quality="VHQ")
    return np.asarray(resampled, np.float64)


def _shift(late: Array, early: Array) -> float:
    """Return the delay of a signal re another, in frames and fractions: the position of their correlation peak."""
    size = 1 << (2 * len(early)).bit_length()
    spectrum = np.fft.rfft(late, size) * np.conj(np.fft.rfft(early, size))
    correlation = np.fft.irfft(spectrum, size)
    coarse = int(np.argmax(correlation))
    coarse -= size if coarse > size // 2 else 0
    # Evaluate the correlation around the peak on a finer grid, then fit a parabola.
    bins = 2 * np.pi * np.arange(len(spectrum)) / size
    fine = coarse + np.arange(-_OVERSAMPLING, _OVERSAMPLING + 1) / _OVERSAMPLING
    values = np.array([float(np.sum((spectrum * np.exp(1j * bins * shift)).real)) for shift in fine])
    top = int(np.clip(np.argmax(values), 1, len(values) - 2))
    before, peak, after = values[top - 1 : top + 2]
    bend = before - 2 * peak + after
    return float(fine[top] + (0.5 * (before - after) / bend if bend < 0 else 0.0) / _OVERSAMPLING)
