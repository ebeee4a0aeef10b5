"""Look inside an effect: walk its tree, exchange a part, compute its fingerprint, explain its steps.

An effect names its parts (`Effect.parts`); an impulse response, and an object of another type with a response, are the
leaves.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TypeVar

import numpy as np

from reverb.arrays import Audio, as_sample_rate
from reverb.effects.effect import Effect, HasResponse, check_effect, steps_of
from reverb.effects.fold import FLOOR_DB, trim
from reverb.engine import fft
from reverb.responses import spectra
from reverb.responses.response import ImpulseResponse

Kind = TypeVar("Kind")

OCTAVES = (31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
"""Centers of the bands of an explanation, in Hz."""

_FINGERPRINT_RATE = 48_000  # of the response that identifies an object of another type
_HALF_OCTAVE = math.sqrt(2)


def walk(effect: HasResponse) -> Iterator[HasResponse]:
    """Yield an effect and everything inside it, each before its parts."""
    yield effect
    if isinstance(effect, Effect):
        for part in effect.parts():
            yield from walk(part)


def first(effect: HasResponse, kind: type[Kind]) -> Kind | None:
    """Return the first effect or response of a type, in the order of `walk`, or None."""
    return next((found for found in walk(effect) if isinstance(found, kind)), None)


def replace_first(
    effect: HasResponse, kind: type[Kind], change: Callable[[Kind], HasResponse]
) -> HasResponse:
    """Return a copy of an effect with its first part of a type changed, or the effect itself if there is none."""
    if isinstance(effect, kind):
        return change(effect)
    if not isinstance(effect, Effect):
        return effect
    parts = effect.parts()
    for index, part in enumerate(parts):
        if first(part, kind) is not None:
            return effect.with_parts((*parts[:index], replace_first(part, kind, change), *parts[index + 1 :]))
    return effect


def fingerprint(effect: HasResponse) -> str:
    """Return 32 hexadecimal digits that are the same for equal effects, on all machines and in all sessions.

    They depend on the samples of a response, not on its name.

    Examples
    --------
    >>> from reverb import Gain
    >>> fingerprint(Gain(-6.0)) == fingerprint(Gain(-6.0)) != fingerprint(Gain(-3.0))
    True
    """
    digest = hashlib.sha256()
    for fact in _facts(effect):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()[:32]


def _facts(value: object) -> Iterator[str]:
    """Yield the texts that identify a setting's value."""
    if isinstance(value, ImpulseResponse):
        yield value.digest
    elif is_dataclass(value):
        yield type(value).__qualname__
        for field in fields(value):
            yield field.name
            yield from _facts(getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}"
        yield hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
    elif isinstance(value, Mapping):
        yield from _facts(tuple(value.items()))
    elif isinstance(value, tuple | list):
        yield f"{len(value)} items"
        for item in value:
            yield from _facts(item)
    elif isinstance(value, HasResponse):
        yield value.response(_FINGERPRINT_RATE).digest
    else:
        yield repr(value)


@dataclass(frozen=True)
class StepReport:
    """One step of a chain, or the chain as a whole.

    Attributes
    ----------
    text : str
        The step's expression in Python.
    layout : str
    frames, latency : int
        Of the step's response.
    folded : int
        Length of the chain up to and including this step, in frames.
    gains : tuple of float
        Power gain for pink noise in each of the bands, per input, in dB.
    """

    text: str
    layout: str
    frames: int
    latency: int
    folded: int
    gains: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """A chain at a sample rate, step by step.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    bands : tuple of float
        Centers of the octaves below half the sample rate, in Hz.
    steps : tuple of StepReport
    whole : StepReport
    trimmed : int
        Frames left after trimming at −120 dB of the peak (`reverb.effects.fold.trim`).
    """

    sample_rate: int
    bands: tuple[float, ...]
    steps: tuple[StepReport, ...]
    whole: StepReport
    trimmed: int


def explain(effect: HasResponse, sample_rate: int) -> Explanation:
    """Return length, latency and gains of each step of an effect at `sample_rate` Hz.

    An effect that is not a chain is one step.

    Examples
    --------
    >>> from reverb import Delay, Gain
    >>> [(step.text, step.folded) for step in explain(Gain(-6) >> Delay(0.5), 8000).steps]
    [('Gain(db=-6)', 1), ('Delay(seconds=0.5)', 4001)]
    """
    check_effect("effect", effect)
    sample_rate = as_sample_rate(sample_rate)
    bands = tuple(band for band in OCTAVES if band * _HALF_OCTAVE <= sample_rate / 2)
    steps: list[StepReport] = []
    folded: ImpulseResponse | None = None
    for text, response in steps_of(effect, sample_rate):
        folded = response if folded is None else folded >> response
        steps.append(_report(text, response, folded.frames, bands))
    assert folded is not None  # an effect has at least one step
    whole = _report("folded", folded, folded.frames, bands)
    return Explanation(sample_rate, bands, tuple(steps), whole, trim(folded, FLOOR_DB).frames)


def _report(text: str, response: ImpulseResponse, folded: int, bands: tuple[float, ...]) -> StepReport:
    gains = tuple(_band_gains(response, bands))
    return StepReport(text, response.layout, response.frames, response.latency, folded, gains)


def _band_gains(response: ImpulseResponse, bands: tuple[float, ...]) -> Iterator[float]:
    """Yield the power gain for pink noise in each octave, summed over the outputs and per input, in dB."""
    powers, weights = np.zeros(len(bands)), np.zeros(len(bands))
    for frequencies, power in _powers(response):
        for number, band in enumerate(bands):
            inside = slice(*np.searchsorted(frequencies, (band / _HALF_OCTAVE, band * _HALF_OCTAVE)))
            weight = 1 / frequencies[inside]
            powers[number] += float(power[inside] @ weight)
            weights[number] += float(weight.sum())
    for mean in powers / weights / response.wiring.inputs:
        yield 10 * math.log10(mean) if mean > 0 else -math.inf


def _powers(response: ImpulseResponse) -> Iterator[tuple[Audio, Audio]]:
    """Yield rising frequencies in Hz, and the power gain there summed over all paths; in parts if it is long."""
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
