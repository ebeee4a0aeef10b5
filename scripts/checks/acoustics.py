"""ISO 3382 for decays with known figures, and edited rooms, measured by an independent Schroeder integration."""

import warnings

import numpy as np
from scipy.signal import butter, sosfiltfilt

import reverb
from checks.check import Group, at_most
from checks.signals import RATE, Signal, convolved, decibels, room, spectrum
from reverb.responses.acoustics import BandReport, measure
from reverb.responses.decay.shaping import with_rt60
from reverb.responses.measure.sweep import Sweep, signal
from reverb.responses.measure.sweep_deconvolution import deconvolve

SECONDS = 1.2
K = 6 * np.log(10) / SECONDS  # of the energy, exp(−K t)
ISO = "closed form of the decay, ISO 3382-1"
OCTAVES = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)

figures = Group(
    "ISO 3382: figures of a room", f"Exponential decays; broadband ones decay by 60 dB in {SECONDS} s."
)
making = Group(
    "Rooms made and measured", "Decay times by backward integration of filtered responses, with SciPy."
)


def _decay(seconds: float, length: float = 2.0) -> Signal:
    return np.asarray(10 ** (-3 * np.arange(round(length * seconds * RATE)) / (seconds * RATE)))


def _broadband() -> BandReport:
    return measure(_decay(SECONDS), RATE, bands="broadband").mean[0]


def _percent(found: float, expected: float) -> float:
    return float(abs(found / expected - 1) * 100)


@figures.check("EDT, T20, T30: largest deviation", ISO, at_most(1, "%"))
def _() -> float:
    band = _broadband()
    return max(_percent(time.seconds, SECONDS) for time in (band.edt, band.t20, band.t30))


@figures.check("C50, C80: largest deviation", ISO, at_most(0.1, "dB"))
def _() -> float:
    band = _broadband()
    return max(
        float(abs(found - 10 * np.log10(np.expm1(K * split))))
        for found, split in ((band.c50, 0.05), (band.c80, 0.08))
    )


@figures.check("D50: deviation", ISO, at_most(0.5, "%"))
def _() -> float:
    return float(100 * abs(_broadband().d50 + np.expm1(-K * 0.05)))


@figures.check("center time: deviation", ISO, at_most(1, "%"))
def _() -> float:
    return _percent(_broadband().ts, 1 / K)


def _tones(seconds: dict[float, float]) -> Signal:
    """Return a tone at the center of each octave, each with its own decay time."""
    length = 2 * max(seconds.values())
    frames = np.arange(round(length * RATE))
    centers = {octave: 1000 * 10 ** (0.3 * round(np.log2(octave / 1000))) for octave in seconds}
    parts = (
        np.cos(2 * np.pi * centers[octave] * frames / RATE) * 10 ** (-3 * frames / (time * RATE))
        for octave, time in seconds.items()
    )
    return np.asarray(sum(parts))


def _worst_t(samples: Signal, wanted: dict[float, float], which: str) -> float:
    bands = {band.centre: getattr(band, which).seconds for band in measure(samples, RATE).mean}
    return max(_percent(bands[octave], time) for octave, time in wanted.items())


@figures.check(
    "T30 per octave, seven decays from 2.4 to 0.6 s at once: largest deviation", ISO, at_most(1, "%")
)
def _() -> float:
    wanted = dict(zip(OCTAVES, np.linspace(2.4, 0.6, len(OCTAVES)).tolist(), strict=True))
    return _worst_t(_tones(wanted), wanted, "t30")


@figures.check("T20 per octave with noise 45 dB below the start: largest deviation", ISO, at_most(1, "%"))
def _() -> float:
    wanted = dict.fromkeys(OCTAVES[2:], 1.0)
    decays = _tones(wanted)
    hiss = np.random.default_rng(5).standard_normal(len(decays)) * 10 ** (-45 / 20)
    return _worst_t(decays + hiss, wanted, "t20")


@figures.check(
    "figures marked valid for two slopes, too short a decay, noise alone", "ISO 3382-2, annex B", at_most(0)
)
def _() -> float:
    two = np.sqrt(_decay(0.4, 8) ** 2 + 10**-2.5 * _decay(3.2, 1) ** 2)
    cut = _decay(1.0)[: RATE // 3]
    hiss = np.random.default_rng(6).standard_normal(RATE)
    reports = [measure(x, RATE, bands="broadband").mean[0] for x in (two, cut, hiss)]
    return float(sum(report.t30.valid for report in reports))


@figures.check(
    "IACC of one sound at both ears, 0.3 ms apart: deviation from 1",
    "its definition, ISO 3382-1, annex B",
    at_most(0.02),
)
def _() -> float:
    sound = room(RATE, 1)[:, 0]
    ears = np.stack([np.pad(sound, (480, 494)), np.pad(sound, (494, 480))], axis=1)
    return max(abs(1 - band.all) for band in measure(ears, RATE).iacc)


def _t30(samples: Signal, rate: int, octave: float | None) -> float:
    """Return the decay time for 60 dB, from a line fitted from −5 to −35 dB, of one octave or of the whole range."""
    if octave:
        sections = butter(3, [octave / np.sqrt(2), octave * np.sqrt(2)], "bandpass", fs=rate, output="sos")
        samples = sosfiltfilt(sections, np.pad(samples, rate // 2))
    left = np.cumsum(samples[::-1] ** 2)[::-1]
    level = 10 * np.log10(np.maximum(left / left[0], 1e-30))
    first, last = np.argmax(level <= -5), np.argmax(level <= -35)
    slope = np.polyfit(np.arange(first, last) / rate, level[first:last], 1)[0]
    return float(-60 / slope)


@making.check(
    "T30 of church, hall and plate, 500 Hz to 4 kHz: deviation from the plain integral",
    "Schroeder 1965; ISO 3382-1",
    at_most(5, "%"),
)
def _() -> float:
    worst = 0.0
    for name in ("church", "hall", "plate"):
        response = reverb.impulse(name)
        channel = np.asarray(response.samples[:, 0], np.float64)
        bands = {band.centre: band.t30.seconds for band in measure(channel, response.sample_rate).mean}
        for octave in (500.0, 1000.0, 2000.0, 4000.0):
            worst = max(worst, _percent(bands[octave], _t30(channel, response.sample_rate, octave)))
    return worst


@making.check(
    "the hall shortened to 1.5 s: deviation from the target", "Schroeder 1965; ISO 3382-1", at_most(5, "%")
)
def _() -> float:
    with warnings.catch_warnings(action="ignore"):
        made = with_rt60(reverb.impulse("hall"), 1.5)
    return max(
        _percent(_t30(np.asarray(side, np.float64), made.sample_rate, None), 1.5) for side in made.samples.T
    )


@making.check(
    "a room measured with a sweep, 100 Hz to 15 kHz: null", "the room's own spectrum", at_most(-60, "dB")
)
def _() -> float:
    sweep = Sweep(seconds=2.0, pause=0.6)
    true = room(RATE // 2, 1)[:, 0]
    true[0] = 1  # the direct sound, which sets time zero
    found = deconvolve(convolved(signal(sweep)[:, 0], true), RATE, sweep, lead=0.2).response
    frequencies = np.geomspace(100, 15_000, 300)
    ours = spectrum(found.samples, frequencies, RATE, found.latency)
    theirs = spectrum(true, frequencies, RATE)
    return float(decibels(np.abs(ours - theirs).max() / np.abs(theirs).max()))
