"""The response of a room from recordings of a sweep, with a report of its quality."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, as_sample_rate
from reverb.checks import in_range
from reverb.engine import routing
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.decay.decay import energy_decay
from reverb.responses.layouts import LAYOUTS, as_columns
from reverb.responses.measure.sweep import Sweep, one_sweep
from reverb.responses.measure.take import Played, Take, deconvolve_take
from reverb.responses.response import ImpulseResponse, owning

MIN_RANGE_DB = 35.0
"""Decay above the noise below which a response is reported as noisy: T20 needs this range (ISO 3382-1)."""
_MIN_AGREEMENT_DB = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measured response and figures of its quality.

    Attributes
    ----------
    response : ImpulseResponse
        The earliest direct sound is at frame `latency`. Levels are those of recording ÷ sweep.
    band : tuple of float
        Frequencies in Hz between which the response is valid.
    drift : float or None
        Excess of the recorder's clock rate over the player's, in parts per million; corrected. None for a single
        sweep, which does not reveal it.
    signal_to_noise : float or None
        Level of the recorded sweep re the silence before it, in dB; None without such silence.
    dynamic_range : float
        Decay in dB from the direct sound to the noise, of the worst channel.
    harmonics : tuple of float
        Levels of the responses of the 2nd, 3rd, ... harmonic re the linear one in dB; empty if the sweep is given as
        samples.
    repetitions : int
        Number of averaged sweeps.
    agreement : float or None
        Level of the response re the differences between repetitions, in dB; None without repetitions.
    objections : tuple of str
        Reasons to doubt the result, one sentence each.
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
    """Return the response from a recording of a sweep.

    Parameters
    ----------
    recordings : array_like, shape (frames,) or (frames, microphones), or a list of them
        A list has one recording per position of the loudspeaker: left and right for true stereo. Their direct sounds
        are aligned, as the time between the recordings is unknown. A recording may start any time before the sweep.
    sample_rate : int
        Sample rate of the recordings and the sweep, in Hz.
    sweep : Sweep or array_like, shape (frames,)
        The played signal: its parameters, or the samples of any broad-band sound that is played once per recording.
    seconds : float, optional
        Length of the response after the direct sound, 0.01 to 120; by default the pause of the sweep, or the rest of
        the recording.
    lead : float
        Seconds kept before the direct sound, 0 to 1, faded in; they count as `latency` of the response.
    correct_drift : bool
        Whether to measure and correct a drift between the clocks of player and recorder; this needs repetitions.
    name : str
        Name of the response.

    Returns
    -------
    Measurement

    Raises
    ------
    InvalidAudioError
        If a recording does not contain all sweeps, or is no sound.
    ParameterError
        If a setting is out of range, or the sample rates differ.

    Notes
    -----
    With one source, one microphone gives mono and two give stereo; otherwise the layout is sources × microphones, which
    is true stereo for 2 × 2.

    Examples
    --------
    >>> from reverb.responses.measure.sweep import signal
    >>> sweep = Sweep(sample_rate=8000, seconds=0.5, pause=0.2)
    >>> deconvolve(signal(sweep), 8000, sweep).response.layout  # recorded without a room between
    'mono'
    """
    rate = as_sample_rate(sample_rate)
    columns = [as_columns(r, f"recording {n + 1}") for n, r in enumerate(_listed(recordings))]
    played = _played(sweep, rate, seconds, min(map(len, columns)))
    lead = in_range("lead", lead, 0, 1, "s")
    if len({recording.shape[1] for recording in columns}) > 1:
        raise InvalidAudioError(
            "the recordings have different numbers of channels; use the same microphones for all"
        )
    if len(columns) > 1 and played.sources > 1:
        raise ParameterError(
            "several recordings, and a sweep with several sources; expected only one of these"
        )
    results = [deconvolve_take(recording, played, correct_drift) for recording in columns]
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
    if dynamic_range < MIN_RANGE_DB:
        objections.append(
            f"{dynamic_range:.0f} dB of decay above the noise, {MIN_RANGE_DB:.0f} dB needed; play louder or longer"
        )
    if agreement is not None and agreement < _MIN_AGREEMENT_DB:
        objections.append(
            f"the repetitions differ ({agreement:.0f} dB below the response); there was a movement or another sound"
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
                f"the sweep was made for {sweep.sample_rate} Hz, the recording has {rate} Hz; expected the same"
            )
        return Played(
            wave=one_sweep(sweep),
            rate=rate,
            band=(sweep.low, sweep.high),
            lag=sweep.lag,
            period=sweep.period,
            repetitions=sweep.repetitions,
            sources=sweep.sources,
            frames=round((sweep.pause if seconds is None else seconds) * rate),
        )
    wave = as_columns(sweep, "sweep")[:, 0]
    if not wave.any():
        raise InvalidAudioError("the sweep is silent; use the file that was played")
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
    """Return the band of a sound in Hz: from the first to the last sixth octave within 20 dB of the median."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / rate)
    edges = 10.0 ** np.arange(1.0, np.log10(rate / 2), 0.05)
    sums = np.add.reduceat(power, np.searchsorted(frequencies, edges))
    loud = np.flatnonzero(sums > 0.01 * np.median(sums))
    return float(edges[loud[0]]), float(min(edges[loud[-1]] * 10**0.05, rate / 2))


def _wiring(sources: int, microphones: int) -> Routing:
    if sources == 1 and microphones <= 2:
        return LAYOUTS["mono" if microphones == 1 else "stereo"]
    return routing.matrix(sources, microphones)


def _listed(recordings: npt.ArrayLike | Sequence[npt.ArrayLike]) -> Sequence[npt.ArrayLike]:
    if isinstance(recordings, list | tuple) and recordings and np.ndim(recordings[0]) > 0:
        return recordings
    return [recordings]  # type: ignore[list-item]  # one array
