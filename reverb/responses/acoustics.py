"""What a room does to sound, in the figures of ISO 3382-1: decay times, clarity, centre time, correlation of the ears.

Pure functions from arrays to frozen reports. Noise is found and taken out per band, and every decay time says
whether it may be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_audio, as_sample_rate
from reverb.errors import InvalidAudioError
from reverb.responses.bands import Band, BandSet, band_set
from reverb.responses.correlation import EARLY, CorrelationReport, correlation
from reverb.responses.decay.decay import DecayTime, EnergyDecay, decay_time, integrate, noise_floor
from reverb.responses.direct_sound import direct_energy, onset

Array: TypeAlias = npt.NDArray[np.float64]

EARLY_SPEECH = 0.050
"""Seconds that count as early, for speech."""
MOST_CURVED = 10.0
"""Percent by which T30 may exceed T20 (ISO 3382-2, annex B.3)."""
LEAST_RANGE = 20.0
"""dB of decay that clarity, definition and centre time need: what noise hides is then below 0.05 dB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandReport:
    """The figures of one channel in one band.

    Attributes
    ----------
    label : str
        `125 Hz`, `1 kHz`, `broadband`.
    centre : float or None
        Nominal centre in Hz.
    edt, t20, t30 : DecayTime
        Early decay time and reverberation times.
    c50, c80 : float
        Clarity in dB: early over late energy, split at 50 and 80 ms; NaN where noise or the end comes before.
    d50 : float
        Definition: early share of the energy up to 50 ms, 0 to 1.
    ts : float
        Centre time in seconds; NaN where no decay rises above the noise.
    curvature : float
        Percent by which T30 exceeds T20; large where the decay has two slopes.
    noise_floor : float
        Level of the noise in dB re full scale; −inf where none shows.
    dynamic_range : float
        dB from the start of the decay curve down to the noise.
    strength : float
        G re direct: dB of the whole energy over that of the direct sound; G of ISO 3382-1 is this plus
        20 lg(10 m ÷ distance). NaN where no direct sound stands out, or the band is too narrow to see it.
    reason : str
        Why clarity, definition and centre time are not to be trusted; empty when they are.
    """

    label: str
    centre: float | None
    edt: DecayTime
    t20: DecayTime
    t30: DecayTime
    c50: float
    c80: float
    d50: float
    ts: float
    curvature: float
    noise_floor: float
    dynamic_range: float
    strength: float
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Whether nothing speaks against clarity, definition and centre time."""
        return not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """One channel: where it starts, its largest sample (1 = full scale), and its bands from low to high."""

    onset: int
    peak: float
    bands: tuple[BandReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcousticReport:
    """All figures of a response.

    Attributes
    ----------
    sample_rate, frames : int
        Of the response.
    channels : tuple of ChannelReport
        One per channel.
    mean : tuple of BandReport
        Per band, the arithmetic mean over the channels; decay times over those that are valid.
    iacc : tuple of CorrelationReport
        Per band, for two channels; empty otherwise.
    """

    sample_rate: int
    frames: int
    channels: tuple[ChannelReport, ...]
    mean: tuple[BandReport, ...]
    iacc: tuple[CorrelationReport, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give the report as plain dicts, lists, numbers and None (for what is undefined), ready for JSON."""
        plain = _plain(asdict(self))
        assert isinstance(plain, dict)
        return plain


def energy_decay(samples: Array, sample_rate: int, band: Band | None = None) -> EnergyDecay:
    """Decay curve of one channel in one band, from its onset on.

    Parameters
    ----------
    samples : ndarray, shape (frames,)
        Not silent.
    sample_rate : int
        In Hz.
    band : Band, optional
        The whole range by default.

    Returns
    -------
    EnergyDecay
        Its frame 0 is the onset of the unfiltered channel.
    """
    power = band_power(samples, band or Band(None, 1, sample_rate))
    return integrate(power, noise_floor(power, max(sample_rate // 100, 1)))


def band_power(samples: Array, band: Band) -> Array:
    """Return the squared response of one channel in a band; its frame 0 is the onset of the unfiltered channel."""
    power = band.time_reversed(samples) ** 2
    start = max(band.settling + onset(samples) - band.lead, 0)
    before, after = power[:start].sum(), power[start:].copy()
    # The filter smears a hard onset to both sides; what falls before belongs to the start.
    after[0] += before
    return np.asarray(after)


def measure(samples: npt.ArrayLike, sample_rate: int, *, bands: BandSet = "octave") -> AcousticReport:
    """Measure an impulse response.

    Parameters
    ----------
    samples : array_like, shape (frames,) or (frames, channels)
        The response.
    sample_rate : int
        In Hz.
    bands : {"octave", "third", "broadband"}
        What to measure beside each other; bands that reach past the Nyquist frequency are left out.

    Returns
    -------
    AcousticReport

    Raises
    ------
    InvalidAudioError
        If the response is not sound, or a channel is silent.
    ParameterError
        If `sample_rate` or `bands` is not allowed.

    Examples
    --------
    >>> times = np.arange(48_000) / 48_000
    >>> report = measure(np.exp(-6.9078 * times / 0.5), 48_000, bands="broadband")
    >>> round(report.mean[0].t30.seconds, 3)
    0.5
    """
    audio = np.asarray(as_audio(samples, "impulse response"), np.float64)
    rate = as_sample_rate(sample_rate)
    columns = audio[:, np.newaxis] if audio.ndim == 1 else audio
    for number, column in enumerate(columns.T):
        if not column.any():
            raise InvalidAudioError(
                f"channel {number + 1} of the impulse response is silent; measure the others"
            )
    cut = band_set(bands, rate)
    stereo = columns.shape[1] == 2
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what is next to nothing gives figures that are undefined
        channels = tuple(_channel(np.ascontiguousarray(column), rate, cut) for column in columns.T)
        mean = tuple(_mean([channel.bands[b] for channel in channels]) for b in range(len(cut)))
        iacc = tuple(correlation(columns, rate, band) for band in cut) if stereo else ()
    return AcousticReport(sample_rate=rate, frames=len(audio), channels=channels, mean=mean, iacc=iacc)


def with_broadband(report: AcousticReport, samples: npt.ArrayLike) -> AcousticReport:
    """Return a report of bands with the whole range's figures as one more band, after the others."""
    whole = measure(samples, report.sample_rate, bands="broadband")
    channels = tuple(
        replace(one, bands=one.bands + other.bands)
        for one, other in zip(report.channels, whole.channels, strict=True)
    )
    return replace(report, channels=channels, mean=report.mean + whole.mean, iacc=report.iacc + whole.iacc)


def _channel(samples: Array, sample_rate: int, cut: Sequence[Band]) -> ChannelReport:
    reports = tuple(_band(samples, sample_rate, band) for band in cut)
    return ChannelReport(onset=onset(samples), peak=float(np.abs(samples).max()), bands=reports)


def _band(samples: Array, sample_rate: int, band: Band) -> BandReport:
    decay = energy_decay(samples, sample_rate, band)
    edt, t20, t30 = (
        decay_time(decay, sample_rate, start, stop, band.width) for start, stop in ((0, 10), (5, 25), (5, 35))
    )
    curvature = 100 * (t30.seconds / t20.seconds - 1)
    if curvature > MOST_CURVED and t30.valid:
        t30 = DecayTime(t30.seconds, t30.nonlinearity, f"two slopes: T30 exceeds T20 by {curvature:.0f} %")
    speech, music = round(EARLY_SPEECH * sample_rate), round(EARLY * sample_rate)
    return BandReport(
        label=band.label,
        centre=band.nominal,
        edt=edt,
        t20=t20,
        t30=t30,
        c50=_clarity(decay, speech),
        c80=_clarity(decay, music),
        d50=decay.split(speech)[0] / decay.total,
        ts=decay.centre_time() / sample_rate,
        curvature=curvature,
        noise_floor=_decibels(decay.floor.power, 1.0),
        dynamic_range=decay.dynamic_range,
        strength=_decibels(decay.total, direct_energy(samples, sample_rate, band)),
        reason=_range_objection(decay.dynamic_range),
    )


def _clarity(decay: EnergyDecay, frame: int) -> float:
    """Early over late energy in dB; NaN where noise or a cut hides all that is late."""
    hidden = frame >= decay.floor.knee and (decay.floor.power > 0 or decay.beyond > 0)
    return np.nan if hidden else _decibels(*decay.split(frame))


def _range_objection(dynamic_range: float) -> str:
    if dynamic_range >= LEAST_RANGE:
        return ""
    return f"{dynamic_range:.0f} dB of decay above the noise or the cut, {LEAST_RANGE:.0f} dB needed"


def _mean(reports: Sequence[BandReport]) -> BandReport:
    def average(get: Callable[[BandReport], float]) -> float:
        return float(np.mean([get(report) for report in reports]))

    return BandReport(
        label=reports[0].label,
        centre=reports[0].centre,
        edt=_mean_time([report.edt for report in reports]),
        t20=_mean_time([report.t20 for report in reports]),
        t30=_mean_time([report.t30 for report in reports]),
        c50=average(lambda report: report.c50),
        c80=average(lambda report: report.c80),
        d50=average(lambda report: report.d50),
        ts=average(lambda report: report.ts),
        curvature=average(lambda report: report.curvature),
        noise_floor=average(lambda report: report.noise_floor),
        dynamic_range=min(report.dynamic_range for report in reports),
        strength=average(lambda report: report.strength),
        reason=next((report.reason for report in reports if report.reason), ""),
    )


def _mean_time(times: Sequence[DecayTime]) -> DecayTime:
    """Mean of the valid decay times; without any, of all, with the first one's reason."""
    trusted = [time for time in times if time.valid]
    counted = trusted or times
    seconds = float(np.mean([time.seconds for time in counted]))
    nonlinearity = float(np.mean([time.nonlinearity for time in counted]))
    return DecayTime(seconds, nonlinearity, "" if trusted else times[0].reason)


def _decibels(energy: float, reference: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * (np.log10(energy) - np.log10(reference)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        flag = {"valid": not value["reason"]} if "reason" in value else {}
        return {**{key: _plain(item) for key, item in value.items()}, **flag}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
