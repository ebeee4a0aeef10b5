"""What each step of a chain does: its length, its latency, its gain in octave bands."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reverb.arrays import Audio
from reverb.effects.effect import HasResponse, steps_of
from reverb.effects.fold import FLOOR_DB, trim
from reverb.engine import fft
from reverb.responses import spectra
from reverb.responses.response import ImpulseResponse

OCTAVES = (31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
"""Middles of the bands, in Hz."""


@dataclass(frozen=True)
class StepReport:
    """One step of a chain, or the whole.

    Attributes
    ----------
    text : str
        The step as it is written in Python.
    layout : str
    frames, latency : int
        Of its own response.
    folded : int
        Frames of the chain up to here.
    gains : tuple of float
        Power gain in dB for pink noise in each of the bands, per input.
    """

    text: str
    layout: str
    frames: int
    latency: int
    folded: int
    gains: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """A chain at a sample rate.

    Attributes
    ----------
    sample_rate : int
    bands : tuple of float
        The middles of the octaves below half the sample rate, in Hz.
    steps : tuple of StepReport
    whole : StepReport
    trimmed : int
        Frames that are left above −120 dB of the peak (`reverb.effects.fold.trim`).
    """

    sample_rate: int
    bands: tuple[float, ...]
    steps: tuple[StepReport, ...]
    whole: StepReport
    trimmed: int


def explain(effect: HasResponse, sample_rate: int) -> Explanation:
    """Return what each step of an effect does at `sample_rate` Hz; an effect that is no chain is one step."""
    bands = tuple(band for band in OCTAVES if band * math.sqrt(2) <= sample_rate / 2)
    steps: list[StepReport] = []
    folded: ImpulseResponse | None = None
    for text, response in steps_of(effect, sample_rate):
        folded = response if folded is None else folded >> response
        steps.append(_report(text, response, folded.frames, bands))
    assert folded is not None
    whole = _report("folded", folded, folded.frames, bands)
    return Explanation(sample_rate, bands, tuple(steps), whole, trim(folded, FLOOR_DB).frames)


def _report(text: str, response: ImpulseResponse, folded: int, bands: tuple[float, ...]) -> StepReport:
    gains = tuple(band_gains(response, bands))
    return StepReport(text, response.layout, response.frames, response.latency, folded, gains)


def band_gains(response: ImpulseResponse, bands: tuple[float, ...]) -> Iterator[float]:
    """Give the power gain in dB of pink noise in octaves, summed over the outputs and per input."""
    powers, weights = np.zeros(len(bands)), np.zeros(len(bands))
    for frequencies, power in _powers(response):
        for number, band in enumerate(bands):
            inside = slice(*np.searchsorted(frequencies, (band / math.sqrt(2), band * math.sqrt(2))))
            weight = 1 / frequencies[inside]
            powers[number] += float(power[inside] @ weight)
            weights[number] += float(weight.sum())
    for mean in powers / weights / response.wiring.inputs:
        yield 10 * math.log10(mean) if mean > 0 else -math.inf


def _powers(response: ImpulseResponse) -> Iterator[tuple[Audio, Audio]]:
    """Give frequencies in Hz, rising, and the power gain there, summed over all paths."""
    rows = [response.samples[:, path.response] for path in response.wiring.paths]
    if rows[0].nbytes > spectra.LONG:
        parts = (spectra.audible_spectra(row, response.sample_rate) for row in rows)
        for together in zip(*parts, strict=True):
            yield together[0][0], sum((np.abs(part) ** 2 for _, part in together), np.zeros(1))
        return
    size = fft.good_size(max(response.frames, response.sample_rate))
    power = np.zeros(size // 2 + 1)
    for row in rows:
        power += np.abs(np.fft.rfft(row, size)) ** 2
    yield np.fft.rfftfreq(size, 1 / response.sample_rate), power
