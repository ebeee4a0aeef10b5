"""One recording of sweeps, divided by what was played: a train of responses, found, aligned and judged.

Harmonics that a loudspeaker adds come out before each direct sound (Farina 2000). The division is regularised: exact
within the sweep's band, nothing outside.

The clocks of two devices differ. A drift d makes sound that was played at time t arrive at t (1 + d). Within one sweep
this delays each frequency by d times the moment at which it was played, which smears the response; from one sweep to
the next it shifts the response. The shift measures d; the smear does not, for a loudspeaker whose bass comes later
than its treble smears alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.errors import InvalidAudioError
from reverb.responses.direct_sound import onset

Array: TypeAlias = npt.NDArray[np.float64]

HARMONICS = (2, 3, 4, 5)
_LEAST_CREST = 8.0
_LEAST_DRIFT = 0.02e-6
_CLIPPED_RUNS = 3
_OVERSAMPLING = 16  # of the grid on which a shift is read
_FOCUS_SECONDS = 0.4
_EDGE_OCTAVES = 1 / 12  # over which the division fades out, within the band


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What was played.

    Attributes
    ----------
    wave : ndarray, shape (frames,)
        One sweep.
    rate : int
        In Hz.
    band : tuple of float
        Hz in which it has energy.
    lag : float
        Farina's L in seconds; 0 where the sweep's law is not known.
    period : int
        Frames from one sweep's start to the next.
    repetitions, sources : int
        Sweeps per source, and sources in turn.
    frames : int
        Of the response after the direct sound.
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
        """Number of sweeps in the recording."""
        return self.repetitions * self.sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One recording, deconvolved.

    Attributes
    ----------
    train : ndarray, shape (frames, microphones)
        All responses, one after the other, harmonics before each.
    start : int
        Frame of the direct sound of the first turn.
    played : Played
    drift : float or None
        Parts per million that were found, and undone.
    signal_to_noise : float or None
        dB over the silence before the first sweep.
    clipped : int
        Places at which the recording stays at its peak.
    """

    train: Array
    start: int
    played: Played
    drift: float | None
    signal_to_noise: float | None
    clipped: int

    def segment(self, turn: int, before: int, frames: int) -> Array:
        """Return `frames` of a turn from `before` its direct sound on, (frames, microphones)."""
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
        """Return by how many dB the repetitions' differences lie below the response."""
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
        """Return the energy of each harmonic's response against the linear one, in dB."""
        if self.played.lag == 0:
            return ()
        rate = self.played.rate
        frames = round(min(0.5 * self.played.lag * np.log(HARMONICS[-1] / HARMONICS[-2]), 0.5) * rate)
        linear = float(np.sum(self.segment(0, frames // 20, frames) ** 2))
        offsets = [round(self.played.lag * np.log(n) * rate) + frames // 20 for n in HARMONICS]
        return tuple(
            decibels(float(np.sum(self.segment(0, offset, frames) ** 2)), linear) for offset in offsets
        )


def take(recording: Array, played: Played, correct_drift: bool) -> Take:
    """Return a recording (frames, microphones) deconvolved, its clock set right.

    Raises
    ------
    InvalidAudioError
        If it does not hold what was played, or lacks a part of it.
    """
    train, clipped = _divide(recording, played), _clipped(recording)
    start = _find(train, len(recording), played)
    drift = None
    if correct_drift and played.repetitions > 1:
        drift = _drift(train, start, played)
        if abs(drift) > _LEAST_DRIFT:
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
    """Divide spectra; time before zero, where the harmonics are, comes out at the end of the array."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(recording) + len(played.wave), real=True)
    reference = rfft(played.wave, size)
    frequencies = np.asarray(np.fft.rfftfreq(size, 1 / played.rate), np.float64)
    quotient = _window(frequencies, played.band) * np.conj(reference)
    power = np.abs(reference) ** 2
    inside = (frequencies > played.band[0]) & (frequencies < played.band[1])
    # An exponential sweep's power falls as 1/f: only what lies far below that line is held up.
    law = np.median(power[inside] * frequencies[inside]) / np.maximum(frequencies, frequencies[1])
    quotient /= np.maximum(power, 1e-3 * law)
    spectrum = np.asarray(rfft(recording, size, axis=0)) * quotient[:, np.newaxis]
    return np.asarray(irfft(spectrum, size, axis=0, overwrite_x=True))


def _window(frequencies: Array, band: tuple[float, float]) -> Array:
    """Return 1 within a band and 0 outside, with raised-cosine edges on a logarithmic scale."""
    octaves = np.log2(np.maximum(frequencies, 1e-9))
    rising = np.clip((octaves - np.log2(band[0])) / _EDGE_OCTAVES, 0, 1)
    falling = np.clip((np.log2(band[1]) - octaves) / _EDGE_OCTAVES, 0, 1)
    return np.asarray(np.sin(0.5 * np.pi * rising) ** 2 * np.sin(0.5 * np.pi * falling) ** 2)


def _find(train: Array, recorded: int, played: Played) -> int:
    """Return the frame of the first turn's direct sound: where a comb of turns holds most.

    Raises
    ------
    InvalidAudioError
        If nothing stands out, or the recording is too short for all turns.
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
    if not crest > _LEAST_CREST:
        raise InvalidAudioError(
            "the recording does not hold the sweep: no response stands out of it; give the sweep that was played, "
            "at the recording's sample rate"
        )
    # Earlier sources or microphones may be nearer than the loudest: the earliest of all channels counts.
    seen = np.stack(
        [train[first + turn * played.period : last + turn * played.period] for turn in range(played.turns)]
    )
    loudest = np.abs(seen).max(axis=(0, 2))
    rise = onset(loudest)
    return first + rise + int(np.argmax(loudest[rise : rise + max(played.rate // 2000, 1)]))


def _drift(train: Array, start: int, played: Played) -> float:
    loudest = int(np.argmax(np.sum(train**2, axis=0)))
    frames = round(_FOCUS_SECONDS * played.rate)
    first = [start + turn * played.period - frames // 4 for turn in range(played.turns)]
    cuts = [np.take(train[:, loudest], range(f, f + frames), mode="wrap") for f in first]
    count = played.repetitions
    estimates = [
        drift_between(cuts[s * count : (s + 1) * count], played.period) for s in range(played.sources)
    ]
    return float(np.mean(estimates))


def _signal_to_noise(recording: Array, start: int, played: Played) -> float | None:
    """Return the level of the first sweep over that of the silence before it, of the loudest channel."""
    quiet = recording[: max(start - played.rate // 20, 0)]
    if len(quiet) < played.rate // 10:
        return None
    power = np.mean(recording[start : start + len(played.wave)] ** 2, axis=0)
    loudest = int(np.argmax(power))
    noise = float(np.mean(quiet[:, loudest] ** 2))
    return decibels(max(float(power[loudest]) - noise, 0.0), noise)


def _clipped(recording: Array) -> int:
    """Return how often the recording stays at its very peak for three frames or more; a wave's crest moves on."""
    full = np.abs(recording) == np.abs(recording).max(axis=0)
    runs = full[:-2] & full[1:-1] & full[2:]
    found = int(np.count_nonzero(runs[1:] & ~runs[:-1])) if len(runs) > 1 else 0
    return found if found >= _CLIPPED_RUNS else 0


def decibels(power: float, reference: float) -> float:
    """Return a ratio of powers in dB; ∞ over nothing, −∞ for nothing."""
    if reference <= 0:
        return float(np.inf)
    return float(10 * np.log10(power / reference)) if power > 0 else float(-np.inf)


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
