"""A response at another rate: the same frequency response, level and time zero."""

import numpy as np
import numpy.typing as npt

from checks.check import Group, at_most
from checks.signals import decibels, room, spectrum
from reverb import ImpulseResponse

PAIRS = (
    (44_100, 48_000),
    (48_000, 44_100),
    (96_000, 44_100),
    (44_100, 96_000),
    (192_000, 48_000),
    (48_000, 192_000),
)
DTFT = "Fourier sum of the response at its own rate"

group = Group(
    "Resampling of responses", f"{', '.join(f'{a / 1000:g} → {b / 1000:g}' for a, b in PAIRS)} kHz."
)


_FREQUENCIES = np.geomspace(20, 20_000, 500)


def _ratios() -> npt.NDArray[np.complex128]:
    """Return the spectrum of the resampled response ÷ that of the original, for decaying noise, one row per pair."""
    rows = []
    for source, target in PAIRS:
        before = ImpulseResponse(room(source // 50, 1), source)
        after = before.response(target)
        ours = spectrum(after.samples, _FREQUENCIES, target, after.latency)
        rows.append(ours / spectrum(before.samples, _FREQUENCIES, source))
    return np.array(rows)


@group.check("magnitude, 20 Hz to 20 kHz: largest deviation", DTFT, at_most(0.05, "dB"))
def _() -> float:
    return float(np.abs(decibels(_ratios())).max())


@group.check("phase, 20 Hz to 20 kHz: largest deviation", DTFT, at_most(0.1, "°"))
def _() -> float:
    return float(np.degrees(np.abs(np.angle(_ratios()))).max())


@group.check("to 96 kHz and back, 48 → 96 → 48 kHz, to 20 kHz: largest deviation", DTFT, at_most(0.01, "dB"))
def _() -> float:
    before = ImpulseResponse(room(2000, 1), 48_000)
    after = before.response(96_000).response(48_000)
    ours = spectrum(after.samples, _FREQUENCIES, 48_000, after.latency)
    return float(np.abs(decibels(ours / spectrum(before.samples, _FREQUENCIES, 48_000))).max())


@group.check("96 → 44.1 kHz: residue of a tone at 30 kHz", "its level before", at_most(-120, "dB"))
def _() -> float:
    times = np.arange(9600) / 96_000
    tone = np.sin(2 * np.pi * 30_000 * times) * np.hanning(len(times))
    after = ImpulseResponse(tone, 96_000).response(44_100)
    return float(decibels(np.abs(after.samples).max() / (96_000 / 44_100)))
