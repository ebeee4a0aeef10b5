"""From the recordings of a sweep to the response of the room, and a report of how good it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_audio, as_sample_rate
from reverb.checks import in_range
from reverb.engine import routing as wires
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import energy_decay
from reverb.responses.measure.sweep import Sweep, once
from reverb.responses.measure.takes import Played, Take, take
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.shape import LAYOUTS

Array: TypeAlias = npt.NDArray[np.float64]

LEAST_RANGE = 35.0
"""dB of decay above the noise below which a response is said to be noisy: what T20 needs (ISO 3382-1)."""
_LEAST_AGREEMENT = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measured response, and how good it is.

    Attributes
    ----------
    response : ImpulseResponse
        The direct sound of the nearest pair lies at its frame `latency`. Levels are those of recording ÷ sweep.
    band : tuple of float
        Hz within which it holds.
    drift : float or None
        How much faster the recorder's clock ran, in parts per million; corrected. None for a single sweep, which
        cannot tell it.
    signal_to_noise : float or None
        dB of the recorded sweep over the silence before it; None without such silence.
    dynamic_range : float
        dB that the response decays before it meets its noise, of its worst channel.
    harmonics : tuple of float
        Levels of the 2nd, 3rd, ... harmonic's response against the linear one in dB; empty for a foreign sweep.
    repetitions : int
        Sweeps that were averaged.
    agreement : float or None
        dB by which the repetitions' differences lie below the response; None for one.
    objections : tuple of str
        What speaks against it, one sentence each.
    """

    response: ImpulseResponse
    band: tuple[float, float]
    drift: float | None
    signal_to_noise: float | None
    dynamic_range: float
    harmonics: tuple[float, ...]
    repetitions: int
    agreement: float | None
    objections: tuple[str, ...]


def deconvolve(
    recordings: npt.ArrayLike | Sequence[npt.ArrayLike],
    sample_rate: int,
    sweep: Sweep | npt.ArrayLike,
    *,
    seconds: float | None = None,
    lead: float = 0.02,
    correct_drift: bool = True,
    name: str = "measured",
) -> Measurement:
    """Return the response that a recording of a sweep holds.

    Parameters
    ----------
    recordings : array_like, shape (frames,) or (frames, microphones), or a list of them
        A list holds one recording per position of the loudspeaker: left and right for true stereo; the direct sounds
        are then aligned, as the time between two takes is unknown. It may begin anywhere before the first sweep.
    sample_rate : int
        Of the recordings and the sweep, in Hz.
    sweep : Sweep or array_like, shape (frames,)
        What was played: parameters, or any one broad-band sound as its samples, once per recording.
    seconds : float, optional
        Length of the response after the direct sound; by default the sweep's pause, or what the recording has left.
    lead : float
        Seconds kept before the direct sound, faded in; counted in the response's `latency`.
    correct_drift : bool
        Whether to look for a drift between the clocks of player and recorder, which repetitions show, and undo it.
    name : str
        Of the response.

    Returns
    -------
    Measurement

    Raises
    ------
    InvalidAudioError
        If a recording does not hold the sweep, or lacks a part of it.
    ParameterError
        If sample rates or lengths do not fit.

    Notes
    -----
    One microphone gives mono, two stereo; sources × microphones otherwise, 2 × 2 true stereo.
    """
    rate = as_sample_rate(sample_rate)
    columns = [_columns(r, f"recording {n + 1}") for n, r in enumerate(_listed(recordings))]
    played = _played(sweep, rate, seconds, min(map(len, columns)))
    lead = in_range("lead", lead, 0, 1, "s")
    if len({recording.shape[1] for recording in columns}) > 1:
        raise InvalidAudioError("the recordings have different numbers of channels; use the same microphones")
    if len(columns) > 1 and played.sources > 1:
        raise ParameterError("several recordings, and a sweep of several sources; expected one or the other")
    results = [take(recording, played, correct_drift) for recording in columns]
    ahead = round(lead * rate)
    sources = [part for result in results for part in result.responses(ahead)]
    samples = np.concatenate(sources, axis=1)
    samples[:ahead] *= np.sin(0.5 * np.pi * (np.arange(ahead) + 0.5)[:, np.newaxis] / max(ahead, 1)) ** 2
    wiring = _wiring(len(sources), columns[0].shape[1])
    response = owning(samples, rate, name, wiring, ahead)
    return _report(response, played, results)


def _report(response: ImpulseResponse, played: Played, takes: Sequence[Take]) -> Measurement:
    samples = np.asarray(response.samples[response.latency :], np.float64)
    dynamic_range = min(energy_decay(column, played.rate).dynamic_range for column in samples.T)
    agreements = [a for take in takes if (a := take.agreement()) is not None]
    ratios = [r for take in takes if (r := take.signal_to_noise) is not None]
    drifts = [d for take in takes if (d := take.drift) is not None]
    harmonics = zip(*(take.harmonics() for take in takes), strict=True)
    agreement = min(agreements, default=None)
    clipped = sum(take.clipped for take in takes)
    objections = []
    if clipped:
        objections.append(f"the recording clips in {clipped} places; lower the input and measure again")
    if dynamic_range < LEAST_RANGE:
        objections.append(
            f"{dynamic_range:.0f} dB of decay above the noise, {LEAST_RANGE:.0f} dB wanted; play louder or longer"
        )
    if agreement is not None and agreement < _LEAST_AGREEMENT:
        objections.append(
            f"the repetitions differ ({agreement:.0f} dB below the response); something moved or sounded"
        )
    return Measurement(
        response=response,
        band=played.band,
        drift=max(drifts, key=abs, default=None),
        signal_to_noise=min(ratios, default=None),
        dynamic_range=dynamic_range,
        harmonics=tuple(max(levels) for levels in harmonics),
        repetitions=played.repetitions,
        agreement=agreement,
        objections=tuple(objections),
    )


def _played(sweep: Sweep | npt.ArrayLike, rate: int, seconds: float | None, recorded: int) -> Played:
    if seconds is not None:
        in_range("length of the response", seconds, 0.01, 120, "s")
    if isinstance(sweep, Sweep):
        if sweep.sample_rate != rate:
            raise ParameterError(
                f"the sweep was made for {sweep.sample_rate} Hz, the recording has {rate} Hz; they must be equal"
            )
        return Played(
            wave=once(sweep),
            rate=rate,
            band=(sweep.low, sweep.high),
            lag=sweep.lag,
            period=sweep.period,
            repetitions=sweep.repetitions,
            sources=sweep.sources,
            frames=round((sweep.pause if seconds is None else seconds) * rate),
        )
    wave = _columns(sweep, "sweep")[:, 0]
    if not wave.any():
        raise InvalidAudioError("the sweep is silent; give the file that was played")
    left = max(recorded - len(wave), rate // 10)
    return Played(
        wave=wave,
        rate=rate,
        band=_band_of(wave, rate),
        lag=0.0,
        period=0,
        repetitions=1,
        sources=1,
        frames=left if seconds is None else round(seconds * rate),
    )


def _band_of(wave: Array, rate: int) -> tuple[float, float]:
    """Return the band in which a sound has energy: third octaves within 20 dB of the median, per octave."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / rate)
    edges = 10.0 ** np.arange(1.0, np.log10(rate / 2), 0.05)
    sums = np.add.reduceat(power, np.searchsorted(frequencies, edges))
    held = np.flatnonzero(sums > 0.01 * np.median(sums))
    return float(edges[held[0]]), float(min(edges[held[-1]] * 10**0.05, rate / 2))


def _wiring(sources: int, microphones: int) -> wires.Routing:
    if sources == 1 and microphones <= 2:
        return LAYOUTS["mono" if microphones == 1 else "stereo"]
    return wires.matrix(sources, microphones)


def _listed(recordings: npt.ArrayLike | Sequence[npt.ArrayLike]) -> Sequence[npt.ArrayLike]:
    if isinstance(recordings, list | tuple) and recordings and np.ndim(recordings[0]) > 0:
        return recordings
    return [recordings]  # type: ignore[list-item]  # one array


def _columns(audio: npt.ArrayLike, name: str) -> Array:
    array = np.asarray(as_audio(audio, name), np.float64)
    return array[:, np.newaxis] if array.ndim == 1 else array
