"""Changes of the decay time, by a factor or to a target per octave.

If the energy of a band decays as E(t), with t from the onset on, the gain √(E(t / s) / E(t)) makes it decay as
E(t / s), which takes s times as long. E is the model of the band by two straight lines (`decay.model.Decay`), and s is
a smooth function of frequency. The bands sum to the input, so the direct sound does not change. The gain must not raise
noise, so the tail after the knee is replaced (`reverb.responses.tail`). As real decays are not exactly straight,
s is corrected iteratively: the result is measured after ISO 3382 until it is close to the target.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array
from reverb.checks import in_range, is_number, whole
from reverb.errors import InvalidAudioError, ParameterError, shown
from reverb.responses.acoustics import BandReport, measure
from reverb.responses.decay.decay import onset
from reverb.responses.decay.model import Decay, octave_decays
from reverb.responses.response import ImpulseResponse, check_response, derived
from reverb.responses.tail import MAX_SEED, MAX_TAIL_SECONDS, continue_bands, frames_to_fall

MIN_RT60_SECONDS = 0.02
_DEPTH_DB = 80.0  # decay of the slowest band within the result
_REST = 1e-10  # share of the whole energy that is cut off at the end
_MAX_ROUNDS = 9
_TOLERANCE = 0.01  # relative error at which the iteration stops
_MAX_ERROR = 0.03  # relative error that is not worth a warning
_STEEP = 1.5  # ratio of the targets of two octaves from which the frequencies between follow the shorter one
_OCTAVES_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
_CACHED = 8  # responses with known decays, for a factor that changes while it is being set
_MAX_CHANGE = 8.0  # factor by which a decay time may become longer or shorter


def scale_decay(response: ImpulseResponse, factor: float, seed: int = 0) -> ImpulseResponse:
    """Scale the decay time of every band by the same factor, in one pass.

    Parameters
    ----------
    response : ImpulseResponse
    factor : float
        1/8 to 8; 1 returns the response itself.
    seed : int
        Seed of the noise that continues the tail.

    Returns
    -------
    ImpulseResponse
        Long enough for the slowest band to decay by 80 dB, at most 60 seconds.

    Raises
    ------
    ParameterError
        If an argument is not allowed.
    InvalidAudioError
        If no octave decays.
    """
    check_response(response)
    check_change(factor)
    seed = whole("seed", seed, 0, MAX_SEED)
    if factor == 1.0:
        return response
    samples, rate = response.samples.astype(np.float64), response.sample_rate
    decays = _decays(response)
    depth = round(frames_to_fall(decays, _DEPTH_DB) * factor)
    frames = onset(samples) + min(depth, round(MAX_TAIL_SECONDS * rate))
    # The inaudible end of a shorter decay need not be processed.
    shaped = continue_bands(samples[:frames], rate, decays, frames, seed, lambda _: factor)
    return derived(response, _without_end(shaped).astype(response.samples.dtype))


@lru_cache(maxsize=_CACHED)
def _decays(response: ImpulseResponse) -> list[list[Decay]]:
    return octave_decays(response.samples.astype(np.float64), response.sample_rate)


def check_change(factor: float) -> None:
    """Raise ParameterError unless decay times can be scaled by a factor."""
    in_range("decay", factor, 1 / _MAX_CHANGE, _MAX_CHANGE)


def with_rt60(
    response: ImpulseResponse, rt60: float | Mapping[float, float], seed: int = 0
) -> ImpulseResponse:
    """Change the decay time of a response to a target.

    Parameters
    ----------
    response : ImpulseResponse
    rt60 : float or mapping of float to float
        Seconds, 0.02 to 60. A number is the T30 of the whole range: the decays of all bands are scaled by the same
        factor. A mapping gives the T30 of octave bands by their nominal center in Hz (63, 125, ... 16000); the
        bands between and beyond them change in proportion.
    seed : int
        Seed of the noise that continues the tail.

    Returns
    -------
    ImpulseResponse
        Long enough for the slowest band to decay by 80 dB, at most 60 seconds.

    Raises
    ------
    ParameterError
        If an argument is not allowed, or a decay time would change more than eightfold.
    InvalidAudioError
        If the response does not decay clearly enough to be measured.

    Warns
    -----
    UserWarning
        If a band (or the whole range) misses its target by more than 3 %.
    """
    check_response(response)
    seed = whole("seed", seed, 0, MAX_SEED)
    _check_times(rt60)
    samples, rate = response.samples.astype(np.float64), response.sample_rate
    decays = _decays(response)
    depth = min(frames_to_fall(decays, _DEPTH_DB), round(MAX_TAIL_SECONDS * rate))
    extended = continue_bands(samples, rate, decays, onset(samples) + depth, seed)
    octaves = _octaves(extended, rate)
    measured = _times(octaves)
    if isinstance(rt60, Mapping):
        wanted, broadband = measured * _proportions(rt60, measured, rate), None
        corrected, judged = _corrected_octaves(rt60, octaves)
    else:
        broadband = float(rt60)
        wanted = measured * (broadband / _broadband(extended, rate))
        corrected = judged = np.arange(len(measured))
    _check_changes(wanted / measured)
    target = _Target(measured, wanted, broadband, corrected, judged)
    shaped = _shape(samples, rate, decays, target, seed)
    return derived(response, _without_end(shaped).astype(response.samples.dtype))


class _Target(NamedTuple):
    """Measured and wanted T30 per octave, and the wanted T30 of the whole range if that is the target.

    The octaves `corrected` are corrected by their own T30, the others by interpolation; `judged` decide on success.
    """

    measured: Array
    wanted: Array
    broadband: float | None
    corrected: npt.NDArray[np.intp]
    judged: npt.NDArray[np.intp]


def _shape(
    samples: Array, sample_rate: int, decays: Sequence[Sequence[Decay]], target: _Target, seed: int
) -> Array:
    """Change the decay rates until the octaves, or else the whole range, have the wanted decay times."""
    best, error = _iterate(samples, sample_rate, decays, target, seed, steep=False)
    if error > _MAX_ERROR and target.broadband is None:
        # A longer octave leaks over the edges of a shorter one and finally dominates its decay.
        best, error = min(
            (best, error), _iterate(samples, sample_rate, decays, target, seed, steep=True), key=_error
        )
    if error > _MAX_ERROR and samples.shape[1] > 1 and all(decays):
        # The mean counts only channels that can be measured; when one more becomes measurable, the mean jumps.
        separate = _shape_channels(samples, sample_rate, decays, target, seed)
        best, error = min((best, error), (separate, _deviation(separate, sample_rate, target)[0]), key=_error)
    if error > _MAX_ERROR:
        warnings.warn(
            f"the decay times come within {100 * error:.0f} % of the target only: the response is too noisy or its "
            "bands differ too much",
            stacklevel=3,
        )
    return best


def _error(candidate: tuple[Array, float]) -> float:
    return candidate[1]


def _shape_channels(
    samples: Array, sample_rate: int, decays: Sequence[Sequence[Decay]], target: _Target, seed: int
) -> Array:
    """Bring each channel to the target separately, with its own noise."""
    shaped_channels = []
    for n, decay in enumerate(decays):
        channel = np.ascontiguousarray(samples[:, n : n + 1])
        shaped, _ = _iterate(channel, sample_rate, [decay], target, seed + n, steep=False)
        shaped_channels.append(shaped[:, 0])
    samples = np.zeros((max(map(len, shaped_channels)), len(shaped_channels)))
    for n, channel in enumerate(shaped_channels):
        samples[: len(channel), n] = channel
    return samples


def _deviation(shaped: Array, sample_rate: int, target: _Target) -> tuple[float, Array]:
    """Return the largest relative error, and per octave the log of the factor by which it should be longer."""
    if target.broadband is not None:
        factor = target.broadband / _broadband(shaped, sample_rate)
        return abs(factor - 1), np.full(len(target.wanted), np.log(factor))
    times = _times(_octaves(shaped, sample_rate))
    return float(np.abs(times / target.wanted - 1)[target.judged].max()), np.log(target.wanted / times)


def _iterate(
    samples: Array,
    sample_rate: int,
    decays: Sequence[Sequence[Decay]],
    target: _Target,
    seed: int,
    steep: bool,
) -> tuple[Array, float]:
    """Shape, measure and correct several times; return the best result and its largest relative error."""
    wanted, corrected = target.wanted, target.corrected
    seconds = min(float(wanted.max()) * _DEPTH_DB / 60, MAX_TAIL_SECONDS)
    frames = onset(samples) + round(seconds * sample_rate)
    centres = _centres(len(wanted))
    shift = _shifts(wanted) if steep else np.zeros(len(wanted) - 1)
    factors = wanted / target.measured
    best, best_error = samples, np.inf
    step, last = np.full(len(wanted), 0.7), np.zeros(len(wanted))
    for _ in range(_MAX_ROUNDS):
        stretch = partial(_interpolated, centres=centres, values=factors, shift=shift)
        shaped = continue_bands(samples, sample_rate, decays, frames, seed, stretch)
        error, lack = _deviation(shaped, sample_rate, target)
        if error < best_error:
            best, best_error = shaped, error
        if error < _TOLERANCE:
            break
        lack = np.interp(np.arange(len(lack)), corrected, lack[corrected])
        # Octaves influence each other: take smaller steps after an overshoot, larger ones otherwise.
        step = np.where(lack * last < 0, 0.5 * step, np.minimum(1.4 * step, 2.0))
        factors, last = factors * np.exp(step * lack), lack
    return best, best_error


def _interpolated(centre: float, centres: Array, values: Array, shift: Array) -> float:
    """Return the value at a frequency, interpolated over log frequency between octaves; `shift` is from `_shifts`."""
    place = float(np.interp(np.log2(centre), centres, np.arange(len(centres))))
    gap = min(int(place), len(shift) - 1)
    if gap >= 0 and shift[gap]:
        end = gap if shift[gap] < 0 else gap + 1
        place += abs(shift[gap]) * (end - place)
    return float(np.exp(np.interp(place, np.arange(len(values)), np.log(values))))


def _shifts(wanted: Array) -> Array:
    """Return per gap between octaves how far it follows the shorter one: −1 the lower one entirely, 1 the higher."""
    return np.asarray(np.clip(np.diff(-np.log(wanted)) / np.log(_STEEP), -1, 1))


def _octaves(samples: Array, sample_rate: int) -> tuple[BandReport, ...]:
    sounding = samples[:, samples.any(axis=0)]
    return measure(sounding, sample_rate).mean


def _broadband(samples: Array, sample_rate: int) -> float:
    sounding = samples[:, samples.any(axis=0)]
    (band,) = measure(sounding, sample_rate, bands="broadband").mean
    return _time(band)


def _time(band: BandReport) -> float:
    """Return T30, or else T20; NaN if neither can be measured."""
    for time in (band.t30, band.t20):
        if np.isfinite(time.seconds):
            return time.seconds
    return float("nan")


def _times(bands: tuple[BandReport, ...]) -> Array:
    """Return the decay times of all octaves, interpolated where they cannot be measured."""
    times = np.array([_time(band) for band in bands])
    known = np.flatnonzero(np.isfinite(times) & (times > 0))
    if len(known) == 0:
        raise InvalidAudioError(
            "no octave of the impulse response decays by 25 dB; it has no decay time to change"
        )
    return np.asarray(np.exp(np.interp(np.arange(len(times)), known, np.log(times[known]))))


def _centres(count: int) -> Array:
    """Return the binary logarithms of the exact centers of the octaves from 63 Hz on, in Hz."""
    return np.asarray(np.log2(1000.0) + (np.arange(count) - 4) * np.log2(10**0.3))


def _corrected_octaves(
    rt60: Mapping[float, float], octaves: Sequence[BandReport]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the octaves with a target or a reliable T30, and those among them between the lowest and highest target.

    Correcting an octave by an unreliable T30 would distort the adjacent octaves.
    """
    corrected = np.flatnonzero([band.centre in rt60 or band.t30.valid for band in octaves])
    places = [_OCTAVES_HZ.index(centre) for centre in rt60]
    return corrected, corrected[(corrected >= min(places)) & (corrected <= max(places))]


def _proportions(rt60: Mapping[float, float], measured: Array, sample_rate: int) -> Array:
    nominal = _OCTAVES_HZ[: len(measured)]
    for centre in rt60:
        if centre not in nominal:
            known = ", ".join(f"{hz:g}" for hz in nominal)
            raise ParameterError(
                f"octave band {centre:g} Hz; expected one of {known} Hz at a sample rate of {sample_rate} Hz"
            )
    places = sorted(nominal.index(centre) for centre in rt60)
    ratios = [np.log(rt60[nominal[place]] / measured[place]) for place in places]
    return np.asarray(np.exp(np.interp(np.arange(len(measured)), places, ratios)))


def _check_times(rt60: object) -> None:
    times: Iterable[object] = rt60.values() if isinstance(rt60, Mapping) else [rt60]
    if isinstance(rt60, Mapping) and not rt60:
        raise ParameterError("no decay time is given; expected seconds, or seconds per octave band")
    for seconds in times:
        in_range("decay time", seconds, MIN_RT60_SECONDS, MAX_TAIL_SECONDS, "s")
    for centre in rt60 if isinstance(rt60, Mapping) else ():
        if not is_number(centre):
            raise ParameterError(f"octave band is {shown(repr(centre))}; expected a center in Hz")


def _check_changes(factors: Array) -> None:
    largest = float(np.exp(np.abs(np.log(factors)).max()))
    if largest > _MAX_CHANGE:
        raise ParameterError(
            f"a decay time would change {largest:.1f} times; expected at most {_MAX_CHANGE:g} times. "
            "Choose a response closer to the target, or make one with: reverb ir synth"
        )


def _without_end(samples: Array) -> Array:
    """Cut off the end without energy."""
    remaining = np.cumsum((np.ascontiguousarray(samples[::-1].T) ** 2).sum(axis=0))[::-1]
    end = int(np.flatnonzero(remaining > _REST * remaining[0])[-1]) + 1
    return samples[:end]
