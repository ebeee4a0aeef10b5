"""Filters, weightings and crossovers against their standards, measured from the taps by SciPy or a Fourier sum."""

import itertools
from typing import Any

import numpy as np
from scipy.signal import freqs, freqz, sosfreqz

import reverb
from checks.check import Group, at_least, at_most
from checks.signals import RATE, Signal, decibels, spectrum
from reverb.choices import BandSet, Phase
from reverb.effects.effect import HasResponse
from reverb.effects.filters import Filter
from reverb.responses.bands import Band, band_set

RATES = (44_100, 48_000, 96_000)

measuring = Group("Filter masks: measuring bands", "The filters that analyze responses, at 44.1, 48, 96 kHz.")
weightings = Group(
    "Filter masks: weightings", "The taps at 48 and 96 kHz, compared with the tables of the standards."
)
designs = Group(
    "Filters to a specification", "48 and 96 kHz, linear and minimum phase, measured from the taps."
)
equalizers = Group("Equalizers and crossovers", "Compared with the analog prototypes and the exact sum.")

# IEC 61260-1:2014, table 1, class 1: octaves from the center, minimum and maximum attenuation in dB. Between these
# points, the limits are linear in the logarithm of frequency; from the fourth octave on, the last limit applies.
_INNER = np.array([0, 1 / 8, 1 / 4, 3 / 8, 1 / 2])
_GREATEST = np.array([0.4, 0.5, 0.7, 1.4, 5.3])
_OUTER = np.array([1 / 2, 1, 2, 3, 4])
_LEAST = np.array([2.0, 16.6, 40.5, 60.0, 70.0])
_INNER_LEAST = -0.4


def _margin(band: Band) -> float:
    """Return the margin in dB of a band's filter within the mask, negative outside."""
    assert band.centre is not None
    octaves = np.linspace(0, 5, 2001)
    ratios = 10 ** (0.3 * octaves)
    if band.per_octave == 3:  # equation (9): the mask of a third octave is narrower around its center
        ratios = 1 + (10**0.05 - 1) / (10**0.15 - 1) * (ratios - 1)
    margins = []
    for frequencies in (band.centre * ratios, band.centre / ratios):
        seen = (frequencies < 0.49 * band.sample_rate) & (frequencies > 1)
        gain = sosfreqz(band.sections, frequencies[seen], fs=band.sample_rate)[1]
        loss, where = -decibels(gain), octaves[seen]
        inner = where < 0.5
        least = np.where(inner, _INNER_LEAST, np.interp(where, _OUTER, _LEAST))
        greatest = np.interp(where[inner], _INNER, _GREATEST)
        margins += [(loss - least).min(), (greatest - loss[inner]).min()]
    return float(min(margins))


def _least_margin(kind: BandSet) -> float:
    return min(_margin(band) for rate in RATES for band in band_set(kind, rate))


@measuring.check(
    "octaves, 63 Hz to 16 kHz: smallest distance to the mask", "IEC 61260-1:2014, class 1", at_least(0, "dB")
)
def _() -> float:
    return _least_margin("octave")


@measuring.check(
    "third octaves, 50 Hz to 20 kHz: smallest distance to the mask",
    "IEC 61260-1:2014, class 1",
    at_least(0, "dB"),
)
def _() -> float:
    return _least_margin("third")


# IEC 61672-1:2013, table 3, at 10^(n/10) Hz for n = 10 ... 43, in dB.
_A = (
    *(-70.4, -63.4, -56.7, -50.5, -44.7, -39.4, -34.6, -30.2, -26.2, -22.5, -19.1, -16.1, -13.4, -10.9, -8.6),
    *(
        -6.6,
        -4.8,
        -3.2,
        -1.9,
        -0.8,
        0.0,
        0.6,
        1.0,
        1.2,
        1.3,
        1.2,
        1.0,
        0.5,
        -0.1,
        -1.1,
        -2.5,
        -4.3,
        -6.6,
        -9.3,
    ),
)
_C = (
    *(
        -14.3,
        -11.2,
        -8.5,
        -6.2,
        -4.4,
        -3.0,
        -2.0,
        -1.3,
        -0.8,
        -0.5,
        -0.3,
        -0.2,
        -0.1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ),
    *(-0.1, -0.2, -0.3, -0.5, -0.8, -1.3, -2.0, -3.0, -4.4, -6.2, -8.5, -11.2),
)
# ITU-R BS.1770-5, annex 1, tables 1 and 2.
_SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585])
_HIGH_PASS = ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621])


def _gain(effect: HasResponse, frequencies: Signal, rate: int) -> Signal:
    """Return the gain of an effect's taps in dB."""
    response = effect.response(rate)
    return decibels(spectrum(response.samples, frequencies, rate, response.latency))


def _off(effect: HasResponse, frequencies: Signal, expected: Signal) -> float:
    """Return the largest deviation from the expected dB at 48 and 96 kHz."""
    return max(float(np.abs(_gain(effect, frequencies, rate) - expected).max()) for rate in (RATE, 2 * RATE))


@weightings.check(
    "A, 10 Hz to 20 kHz: deviation from the table (rounded to 0.1 dB)",
    "IEC 61672-1:2013, table 3",
    at_most(0.1, "dB"),
)
def _() -> float:
    return _off(reverb.Weighting("A"), 10 ** (np.arange(10, 44) / 10), np.array(_A))


@weightings.check(
    "C, 10 Hz to 20 kHz: deviation from the table (rounded to 0.1 dB)",
    "IEC 61672-1:2013, table 3",
    at_most(0.1, "dB"),
)
def _() -> float:
    return _off(reverb.Weighting("C"), 10 ** (np.arange(10, 44) / 10), np.array(_C))


@weightings.check(
    "K, 20 Hz to 20 kHz: deviation from the two biquads",
    "ITU-R BS.1770-5, tables 1 and 2",
    at_most(0.1, "dB"),
)
def _() -> float:
    f = np.geomspace(20, 20_000, 400)
    shelf, high_pass = (decibels(freqz(b, a, f, fs=48_000)[1]) for b, a in (_SHELF, _HIGH_PASS))
    return _off(reverb.Weighting("K"), f, shelf + high_pass)


@weightings.check(
    "RIAA playback, 20 Hz to 20 kHz: deviation from the time constants",
    "IEC 60098: 3180, 318, 75 µs",
    at_most(0.1, "dB"),
)
def _() -> float:
    f = np.geomspace(20, 20_000, 400)
    curve = freqs([318e-6, 1], np.polymul([3180e-6, 1], [75e-6, 1]), 2 * np.pi * np.append(f, 1000.0))[1]
    return _off(reverb.RiaaCurve(), f, decibels(curve[:-1] / curve[-1]))


def _spec(phase: Phase) -> dict[str, Any]:
    return {"transition": 200, "attenuation": 80, "ripple": 0.001, "phase": phase}


def _filters() -> list[tuple[Filter, list[tuple[float, float]], list[tuple[float, float]]]]:
    """Return filters with their pass and stop bands in Hz; the transitions are 200 Hz wide."""
    return [
        (filter_, passed, stopped)
        for settings in (_spec("linear"), _spec("minimum"))
        for filter_, passed, stopped in (
            (reverb.LowPass(1000, **settings), [(0.0, 900.0)], [(1100.0, 22_000.0)]),
            (reverb.HighPass(1000, **settings), [(1100.0, 22_000.0)], [(0.0, 900.0)]),
            (
                reverb.BandPass(300, 3400, **settings),
                [(400.0, 3300.0)],
                [(0.0, 200.0), (3500.0, 22_000.0)],
            ),
            (
                reverb.BandStop(300, 3400, **settings),
                [(0.0, 200.0), (3500.0, 22_000.0)],
                [(400.0, 3300.0)],
            ),
        )
    ]


def _within(filter_: Filter, ranges: list[tuple[float, float]], rate: int) -> Signal:
    f = np.concatenate([np.linspace(*ends, 400) for ends in ranges])
    return _gain(filter_, f, rate)


@designs.check(
    "low-, high-, band-pass, band-stop: highest level in the stop band", "80 dB specified", at_most(-80, "dB")
)
def _() -> float:
    return max(
        float(_within(f, stopped, rate).max())
        for (f, _, stopped), rate in itertools.product(_filters(), (RATE, 2 * RATE))
    )


@designs.check("the same: largest deviation in the pass band", "0.001 dB specified", at_most(0.001, "dB"))
def _() -> float:
    return max(
        float(np.abs(_within(f, passed, rate)).max())
        for (f, passed, _), rate in itertools.product(_filters(), (RATE, 2 * RATE))
    )


@designs.check(
    "the same: deviation of the gain at each cutoff from −6.02 dB", "half amplitude", at_most(0.05, "dB")
)
def _() -> float:
    return max(_off(f, np.array(_cutoffs(f)), np.array(-6.0206)) for f, _, _ in _filters())


def _cutoffs(filter_: Filter) -> tuple[float, ...]:
    return filter_.specification(RATE).edges


@designs.check("linear phase: largest difference of the taps from their mirror", "symmetry", at_most(0))
def _() -> float:
    taps = [f.response(RATE).samples for f, _, _ in _filters() if f.phase == "linear"]
    return max(float(np.abs(h - h[::-1]).max()) for h in taps)


@equalizers.check(
    "peaks and shelves, to 0.4 of the rate: deviation from the prototype",
    "Bristow-Johnson's cookbook, in s",
    at_most(0.1, "dB"),
)
def _() -> float:
    worst = 0.0
    for frequency, gain in itertools.product((80.0, 1000.0, 6000.0), (-12.0, 9.0)):
        a = 10 ** (gain / 40)
        root = np.sqrt(a) * np.sqrt(2)  # of a shelf with Butterworth's steepness
        prototypes = (
            (reverb.Peak(frequency, gain_db=gain, q=1.4), [1, a / 1.4, 1], [1, 1 / a / 1.4, 1]),
            (reverb.LowShelf(frequency, gain_db=gain), np.multiply(a, [1, root, a]), [a, root, 1]),
            (reverb.HighShelf(frequency, gain_db=gain), np.multiply(a, [a, root, 1]), [1, root, a]),
        )
        for effect, b, denominator in prototypes:
            f = np.geomspace(20, 0.4 * RATE, 300)
            expected = decibels(freqs(b, denominator, f / frequency)[1])
            worst = max(worst, float(np.abs(_gain(effect, f, RATE) - expected).max()))
    return worst


@equalizers.check(
    "crossover at 200 and 3000 Hz: deviation of the bands' sum from 0 dB", "a pure delay", at_most(0.01, "dB")
)
def _() -> float:
    return _sum_off(24)


@equalizers.check(
    "steep crossover at 200 and 3000 Hz: deviation of the bands' sum from 0 dB",
    "a pure delay",
    at_most(0.01, "dB"),
)
def _() -> float:
    return _sum_off(None)


def _sum_off(slope: int | None) -> float:
    bands = [band.response(RATE) for band in reverb.crossover(200, 3000, slope=slope)]
    f = np.geomspace(10, 23_000, 400)
    total = sum(spectrum(band.samples, f, RATE, band.latency) for band in bands)
    return float(np.abs(decibels(total)).max())


@equalizers.check(
    "crossover of 24 dB per octave: deviation of the magnitude, to −60 dB",
    "Linkwitz 1976",
    at_most(0.1, "dB"),
)
def _() -> float:
    f = np.geomspace(20, 5000, 300)
    return float(np.abs(_gain(reverb.crossover(1000)[0], f, RATE) + decibels(1 + (f / 1000) ** 4)).max())
