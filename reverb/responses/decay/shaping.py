"""Decay times, scaled or as targets: each band of a response is made to fall faster or slower.

A band whose energy falls as E(t) falls as E(t / s) under the gain √(E(t / s) / E(t)), t from the onset on, and takes
s times as long. E is the band's course in two straight lines (`decay_course.Decay`), s is drawn smoothly over
frequency, and the bands sum to the input, so the direct sound stays as it is. What the gain lifts must be decay and
not noise: past the knee the tail is made anew. As decays are never quite straight, a target is reached by measuring the
result after ISO 3382 and correcting s until it fits.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import BandReport, measure
from reverb.responses.decay.model import Decay, octave_decays
from reverb.responses.direct_sound import onset
from reverb.responses.response import ImpulseResponse, derived
from reverb.responses.tail import LONGEST, continued, frames_to_fall

Array: TypeAlias = npt.NDArray[np.float64]

SHORTEST = 0.02
_DEPTH = 80.0  # dB that the slowest band shall fall
_CUT = 1e-10  # of the whole energy, which may still come after the result's end
_ROUNDS = 9
_CLOSE = 0.01
_FAR = 0.03
_APART = 1.5  # times that two octaves' targets differ, from which on all between them goes with the shorter
_NOMINAL = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
_KEPT = 8  # responses whose decays are known, while a knob is turned
_MOST_CHANGE = 8.0  # times longer or shorter


def scale_decay(response: ImpulseResponse, factor: float, seed: int = 0) -> ImpulseResponse:
    """Make every band of a response fall so many times as long as it does, in one pass.

    Parameters
    ----------
    response : ImpulseResponse
    factor : float
        1/8 to 8; 1 returns the response itself.
    seed : int
        As `with_rt60` takes it, which tells how long the result is and what is raised, too.
    """
    check_change(factor)
    if factor == 1.0:
        return response
    samples, rate = response.samples.astype(np.float64), response.sample_rate
    decays = _decays(response)
    frames = onset(samples) + min(round(frames_to_fall(decays, _DEPTH) * factor), round(LONGEST * rate))
    # Of a shorter decay the end is not heard, and need not be worked on.
    shaped = continued(samples[:frames], rate, decays, frames, seed, lambda _: factor)
    return derived(response, _without_end(shaped).astype(response.samples.dtype))


@lru_cache(maxsize=_KEPT)
def _decays(response: ImpulseResponse) -> list[list[Decay]]:
    return octave_decays(response.samples.astype(np.float64), response.sample_rate)


def check_change(factor: float) -> None:
    """Raise ParameterError for a factor by which no decay can be scaled."""
    if not 1 / _MOST_CHANGE <= factor <= _MOST_CHANGE:
        raise ParameterError(f"decay {factor:g}; expected {1 / _MOST_CHANGE:g} to {_MOST_CHANGE:g} times")


def with_rt60(
    response: ImpulseResponse, rt60: float | Mapping[float, float], seed: int = 0
) -> ImpulseResponse:
    """Give a response a stated decay time.

    Parameters
    ----------
    response : ImpulseResponse
    rt60 : float or mapping of float to float
        Seconds, 0.02 to 60. One number is the T30 of the whole range: all bands' decays are scaled by the same
        factor. A mapping says the T30 of octave bands by their nominal centre in Hz (63, 125, ... 16000); the
        bands between and beyond them change in proportion.
    seed : int
        Of the noise by which tails are continued.

    Returns
    -------
    ImpulseResponse
        As long as its slowest band needs to fall by 80 dB, at most 60 seconds.

    Raises
    ------
    ParameterError
        If a time or a band is not allowed, or a band would change more than eightfold.
    InvalidAudioError
        If the response does not decay clearly enough to be measured.

    Warns
    -----
    UserWarning
        If a band (or the whole range) stays more than 3 % off its target.
    """
    samples, rate = response.samples.astype(np.float64), response.sample_rate
    decays = _decays(response)
    depth = min(frames_to_fall(decays, _DEPTH), round(LONGEST * rate))
    endless = continued(samples, rate, decays, onset(samples) + depth, seed)
    octaves = _octaves(endless, rate)
    measured = _times(octaves)
    if isinstance(rt60, Mapping):
        _check_times(rt60.values())
        wanted, whole = measured * _proportions(rt60, measured, rate), None
        led, counted = _leading(rt60, octaves)
    else:
        _check_times([rt60])
        whole = float(rt60)
        wanted = measured * (whole / _whole(endless, rate))
        led = counted = np.arange(len(measured))
    _check_change(wanted / measured)
    shaped = _shaped_to(samples, rate, decays, _Target(measured, wanted, whole, led, counted), seed)
    return derived(response, _without_end(shaped).astype(response.samples.dtype))


class _Target(NamedTuple):
    """T30 per octave as they are and as they are wanted; that of the whole range, where it is stated.

    `led` are the octaves that are corrected by their own T30, the others go with them; `counted` must reach it.
    """

    measured: Array
    wanted: Array
    whole: float | None
    led: npt.NDArray[np.intp]
    counted: npt.NDArray[np.intp]


def _shaped_to(
    samples: Array, sample_rate: int, decays: Sequence[Sequence[Decay]], target: _Target, seed: int
) -> Array:
    """Change the rates of decay until the octaves, or else the whole range, fall as wanted."""
    best, least = _approached(samples, sample_rate, decays, target, seed, leaning=False)
    if least > _FAR and target.whole is None:
        # At its edges a short octave hears what its longer neighbour holds there, and at last nothing else.
        other, error = _approached(samples, sample_rate, decays, target, seed, leaning=True)
        best, least = (other, error) if error < least else (best, least)
    if least > _FAR and samples.shape[1] > 1 and all(decays):
        # The mean is over the channels that can be measured: where one more can be, it leaps past the target.
        other = _each_alone(samples, sample_rate, decays, target, seed)
        error, _ = _missed(other, sample_rate, target)
        best, least = (other, error) if error < least else (best, least)
    if least > _FAR:
        warnings.warn(
            f"the decay times come within {100 * least:.0f} % of the target only: the response is too noisy or its "
            "bands differ too much",
            stacklevel=3,
        )
    return best


def _each_alone(
    samples: Array, sample_rate: int, decays: Sequence[Sequence[Decay]], target: _Target, seed: int
) -> Array:
    """Bring each channel to the target by itself, with noise of its own."""
    alone = []
    for n, decay in enumerate(decays):
        channel = np.ascontiguousarray(samples[:, n : n + 1])
        shaped, _ = _approached(channel, sample_rate, [decay], target, seed + n, leaning=False)
        alone.append(shaped[:, 0])
    together = np.zeros((max(map(len, alone)), len(alone)))
    for n, channel in enumerate(alone):
        together[: len(channel), n] = channel
    return together


def _missed(shaped: Array, sample_rate: int, target: _Target) -> tuple[float, Array]:
    """Return the largest relative error, and per octave the logarithm of how many times longer it should be."""
    if target.whole is not None:
        factor = target.whole / _whole(shaped, sample_rate)
        return abs(factor - 1), np.full(len(target.wanted), np.log(factor))
    times = _times(_octaves(shaped, sample_rate))
    return float(np.abs(times / target.wanted - 1)[target.counted].max()), np.log(target.wanted / times)


def _approached(
    samples: Array,
    sample_rate: int,
    decays: Sequence[Sequence[Decay]],
    target: _Target,
    seed: int,
    leaning: bool,
) -> tuple[Array, float]:
    """Return the nearest of some rounds of shaping, measuring and correcting, and its largest relative error."""
    wanted, led = target.wanted, target.led
    frames = onset(samples) + round(min(float(wanted.max()) * _DEPTH / 60, LONGEST) * sample_rate)
    centres = _centres(len(wanted))
    lean = _lean(wanted) if leaning else np.zeros(len(wanted) - 1)
    longer = wanted / target.measured
    best, least = samples, np.inf
    step, last = np.full(len(wanted), 0.7), np.zeros(len(wanted))
    for _ in range(_ROUNDS):
        drawn = partial(_drawn, centres=centres, values=longer, lean=lean)
        shaped = continued(samples, sample_rate, decays, frames, seed, drawn)
        error, lack = _missed(shaped, sample_rate, target)
        if error < least:
            best, least = shaped, error
        if error < _CLOSE:
            break
        lack = np.interp(np.arange(len(lack)), led, lack[led])
        # Bands reach into each other: one that swings takes smaller steps, one that lags larger ones.
        step = np.where(lack * last < 0, 0.5 * step, np.minimum(1.4 * step, 2.0))
        longer, last = longer * np.exp(step * lack), lack
    return best, least


def _drawn(centre: float, centres: Array, values: Array, lean: Array) -> float:
    """Value at a frequency, drawn over log frequency between the octaves; `lean` per gap as `_lean` gives it."""
    place = float(np.interp(np.log2(centre), centres, np.arange(len(centres))))
    gap = min(int(place), len(lean) - 1)
    if gap >= 0 and lean[gap]:
        end = gap if lean[gap] < 0 else gap + 1
        place += abs(lean[gap]) * (end - place)
    return float(np.exp(np.interp(place, np.arange(len(values)), np.log(values))))


def _lean(wanted: Array) -> Array:
    """How far what lies between two octaves keeps to the shorter one: −1 wholly to the lower, 1 to the higher."""
    return np.asarray(np.clip(np.diff(-np.log(wanted)) / np.log(_APART), -1, 1))


def _octaves(samples: Array, sample_rate: int) -> tuple[BandReport, ...]:
    sounding = samples[:, samples.any(axis=0)]
    return measure(sounding, sample_rate).mean


def _whole(samples: Array, sample_rate: int) -> float:
    sounding = samples[:, samples.any(axis=0)]
    (band,) = measure(sounding, sample_rate, bands="broadband").mean
    return _time(band)


def _time(band: BandReport) -> float:
    """T30, or T20 where T30 is out of reach; NaN without either."""
    for time in (band.t30, band.t20):
        if np.isfinite(time.seconds):
            return time.seconds
    return float("nan")


def _times(bands: tuple[BandReport, ...]) -> Array:
    """Decay times of all octaves; those that cannot be measured are drawn from their neighbours."""
    times = np.array([_time(band) for band in bands])
    known = np.flatnonzero(np.isfinite(times) & (times > 0))
    if len(known) == 0:
        raise InvalidAudioError(
            "no octave of the impulse response decays by 25 dB; it has no decay time to change"
        )
    return np.asarray(np.exp(np.interp(np.arange(len(times)), known, np.log(times[known]))))


def _centres(count: int) -> Array:
    """Binary logarithms of the exact centres of the octaves from 63 Hz on."""
    return np.asarray(np.log2(1000.0) + (np.arange(count) - 4) * np.log2(10**0.3))


def _leading(
    rt60: Mapping[float, float], octaves: Sequence[BandReport]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Octaves that are named or whose T30 can be trusted, and those of them from the lowest named to the highest.

    To chase a T30 that says little would bend the octaves beside it.
    """
    led = np.flatnonzero([band.centre in rt60 or band.t30.valid for band in octaves])
    places = [_NOMINAL.index(centre) for centre in rt60]
    return led, led[(led >= min(places)) & (led <= max(places))]


def _proportions(rt60: Mapping[float, float], measured: Array, sample_rate: int) -> Array:
    nominal = _NOMINAL[: len(measured)]
    for centre in rt60:
        if centre not in nominal:
            known = ", ".join(f"{hz:g}" for hz in nominal)
            raise ParameterError(
                f"octave band {centre:g} Hz; expected one of {known} Hz at a sample rate of {sample_rate} Hz"
            )
    places = sorted(nominal.index(centre) for centre in rt60)
    ratios = [np.log(rt60[nominal[place]] / measured[place]) for place in places]
    return np.asarray(np.exp(np.interp(np.arange(len(measured)), places, ratios)))


def _check_times(times: Iterable[float]) -> None:
    values = list(times)
    if not values:
        raise ParameterError("no decay time is given; expected seconds, or seconds per octave band")
    for seconds in values:
        if not SHORTEST <= seconds <= LONGEST:
            raise ParameterError(f"decay time {seconds:g} s; expected {SHORTEST:g} to {LONGEST:g} s")


def _check_change(factors: Array) -> None:
    largest = float(np.exp(np.abs(np.log(factors)).max()))
    if largest > _MOST_CHANGE:
        raise ParameterError(
            f"a band's decay time would change {largest:.1f} times; at most {_MOST_CHANGE:g} times can be shaped. "
            "Choose a response nearer to the target, or make one with: reverb ir synth"
        )


def _without_end(samples: Array) -> Array:
    """Cut off what holds no energy any more."""
    remaining = np.cumsum((np.ascontiguousarray(samples[::-1].T) ** 2).sum(axis=0))[::-1]
    end = int(np.flatnonzero(remaining > _CUT * remaining[0])[-1]) + 1
    return samples[:end]
