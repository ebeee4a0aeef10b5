"""Room acoustic figures of ISO 3382-1: decay times, clarity, center time, strength, interaural correlation.

Pure functions from arrays to frozen reports. Noise is estimated and subtracted per band, and each decay time states
whether it is reliable.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, as_sample_rate
from reverb.checks import instance
from reverb.choices import BandSet
from reverb.errors import InvalidAudioError
from reverb.responses.bands import Band, band_set
from reverb.responses.decay.decay import DecayTime, EnergyDecay, decay_time, energy_decay, onset
from reverb.responses.layouts import as_columns

EARLY_SPEECH_SECONDS = 0.050
"""The end of early sound after the onset, for speech."""
EARLY_MUSIC_SECONDS = 0.080
"""The end of early sound after the onset, for music."""
MAX_CURVATURE_PERCENT = 10.0
"""Largest allowed excess of T30 over T20 (ISO 3382-2, annex B.3)."""
MIN_RANGE_DB = 20.0
"""Decay needed for clarity, definition and center time: the part hidden by noise then changes them by 0.05 dB."""
DIRECT_SECONDS = 0.005
"""Length of the direct sound after the onset."""
_DIRECT_LEAD_SECONDS = 0.001
MAX_EAR_DELAY_SECONDS = 0.001
"""Longest delay between the ears (ISO 3382-1, annex B)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandReport:
    """Figures of one channel in one band.

    Attributes
    ----------
    label : str
        `125 Hz`, `1 kHz`, `broadband`.
    centre : float or None
        Nominal center in Hz.
    edt, t20, t30 : DecayTime
        Early decay time and reverberation times.
    c50, c80 : float
        Clarity in dB: early over late energy, split at 50 and 80 ms; NaN if noise or the end comes earlier.
    d50 : float
        Definition: share of the energy up to 50 ms, 0 to 1.
    ts : float
        Center time in seconds; NaN if noise hides the decay.
    curvature : float
        Percent by which T30 exceeds T20; large if the decay has two slopes.
    noise_floor : float
        Level of the noise in dB re full scale; −inf if none is visible.
    dynamic_range : float
        dB from the start of the decay curve down to the noise.
    strength : float
        G re direct: level in dB of the whole energy re the direct sound; G of ISO 3382-1 is this plus
        20 lg(10 m ÷ distance). NaN if the direct sound is not the loudest part, or the band is too narrow for it.
    reason : str
        Why clarity, definition and center time are not reliable; empty if they are.
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
        """Whether clarity, definition and center time are reliable."""
        return not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """One channel: onset in frames, largest absolute sample (1 = full scale), and bands from low to high."""

    onset: int
    peak: float
    bands: tuple[BandReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationReport:
    """Interaural cross-correlation coefficients, 0 to 1, of one band of a stereo response."""

    label: str
    centre: float | None
    early: float
    late: float
    all: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AcousticReport:
    """All figures of a response.

    Attributes
    ----------
    sample_rate, frames : int
        Sample rate in Hz and length of the response.
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
        """Return the report as plain dicts, lists, numbers, and None for undefined figures, ready for JSON."""
        plain = _plain(asdict(self))
        assert isinstance(plain, dict)
        return plain


def measure(samples: npt.ArrayLike, sample_rate: int, *, bands: BandSet = "octave") -> AcousticReport:
    """Return the acoustic figures of an impulse response.

    Parameters
    ----------
    samples : array_like, shape (frames,) or (frames, channels)
    sample_rate : int
        In Hz.
    bands : {"octave", "third", "broadband"}
        Bands to measure; those that reach above the Nyquist frequency are left out.

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
    columns = as_columns(samples, "impulse response")
    rate = as_sample_rate(sample_rate)
    for number, column in enumerate(columns.T):
        if not column.any():
            raise InvalidAudioError(
                f"channel {number + 1} of the impulse response is silent; measure the others"
            )
    cut = band_set(bands, rate)
    stereo = columns.shape[1] == 2
    with np.errstate(over="ignore", invalid="ignore"):  # figures of an almost silent band are undefined
        channels = tuple(_channel(np.ascontiguousarray(column), rate, cut) for column in columns.T)
        mean = tuple(_mean([channel.bands[b] for channel in channels]) for b in range(len(cut)))
        iacc = tuple(correlation(columns, rate, band) for band in cut) if stereo else ()
    return AcousticReport(sample_rate=rate, frames=len(columns), channels=channels, mean=mean, iacc=iacc)


def with_broadband(report: AcousticReport, samples: npt.ArrayLike) -> AcousticReport:
    """Return a report with the figures of the whole range added as the last band.

    Raises
    ------
    ParameterError
        If `report` is not an AcousticReport.
    InvalidAudioError
        If the samples are not sound, or have another number of channels than the report.
    """
    instance("report", report, AcousticReport, "an AcousticReport")
    whole = measure(samples, report.sample_rate, bands="broadband")
    if len(whole.channels) != len(report.channels):
        raise InvalidAudioError(
            f"the samples have {len(whole.channels)} channels, the report {len(report.channels)}; expected the same"
        )
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
    if curvature > MAX_CURVATURE_PERCENT and t30.valid:
        t30 = DecayTime(t30.seconds, t30.nonlinearity, f"two slopes: T30 exceeds T20 by {curvature:.0f} %")
    speech, music = round(EARLY_SPEECH_SECONDS * sample_rate), round(EARLY_MUSIC_SECONDS * sample_rate)
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


def direct_energy(samples: Array, sample_rate: int, band: Band) -> float:
    """Return the energy of the direct sound in a band.

    NaN if the peak of the channel comes later, or if the band is too narrow.
    """
    start = onset(samples)
    first = max(start - round(_DIRECT_LEAD_SECONDS * sample_rate), 0)
    stop = start + round(DIRECT_SECONDS * sample_rate)
    if band.width * DIRECT_SECONDS < 1 or int(np.abs(samples).argmax()) >= stop:
        return float("nan")
    from scipy.fft import next_fast_len, rfft

    direct = samples[first:stop]
    length = next_fast_len(len(direct) + band.settling, real=True)
    power = np.abs(rfft(direct, length)) ** 2
    power[1 : (length + 1) // 2] *= 2  # these bins represent the negative frequencies, too
    frequencies = np.asarray(np.arange(len(power)) * (sample_rate / length), np.float64)
    return float(power @ band.power_response(frequencies)) / length


def correlation(samples: Array, sample_rate: int, band: Band) -> CorrelationReport:
    """Return the interaural correlation of a stereo response, `(frames, 2)`, in a band: early, late, and all."""
    start = onset(samples)
    split = start + round(EARLY_MUSIC_SECONDS * sample_rate)
    pieces = {"early": samples[start:split], "late": samples[split:], "all": samples[start:]}
    values = {name: _iacc(piece, sample_rate, band) for name, piece in pieces.items()}
    return CorrelationReport(label=band.label, centre=band.nominal, **values)


def _iacc(samples: Array, sample_rate: int, band: Band) -> float:
    """Return the largest normalized cross-correlation of two channels within ±1 ms (ISO 3382-1, annex B)."""
    if len(samples) == 0:
        return float("nan")
    from scipy.fft import irfft, next_fast_len, rfft

    reach = round(MAX_EAR_DELAY_SECONDS * sample_rate)
    length = next_fast_len(len(samples) + max(band.settling, reach), real=True)
    left, right = rfft(samples, length, axis=0).T
    weight = band.power_response(np.asarray(np.arange(len(left)) * (sample_rate / length), np.float64))
    energies = [irfft(np.abs(side) ** 2 * weight, length)[0] for side in (left, right)]
    cross = irfft(left * right.conj() * weight, length)
    norm = float(np.sqrt(energies[0] * energies[1]))
    largest = max(np.abs(cross[: reach + 1]).max(), np.abs(cross[-reach:]).max())
    return float(largest / norm) if norm > 0 else float("nan")


def _clarity(decay: EnergyDecay, frame: int) -> float:
    """Return early over late energy in dB; NaN if noise or a cut hides the late part."""
    hidden = frame >= decay.floor.knee and (decay.floor.power > 0 or decay.beyond > 0)
    return np.nan if hidden else _decibels(*decay.split(frame))


def _range_objection(dynamic_range: float) -> str:
    if dynamic_range >= MIN_RANGE_DB:
        return ""
    return f"{dynamic_range:.0f} dB of decay above the noise or the cut, {MIN_RANGE_DB:.0f} dB needed"


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
    """Return the mean of the valid decay times, or else of all of them with the reason of the first."""
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
