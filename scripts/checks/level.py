"""Loudness and level: BS.1770 and EBU Tech 3341 against closed forms, everything else against pyloudnorm."""

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly

import reverb
from checks.check import Group, NotMeasuredError, at_most
from checks.signals import RATE, Signal, decibels, noise, pink, sine
from reverb.render.loudness import LoudnessMeter, TruePeakMeter
from reverb.store.library import bundled_folder, names

RECORDINGS = Path(__file__).resolve().parents[2] / "examples" / "audio"

meters = Group("Level: the meters", "Loudness and true peak as measured by `reverb`.")
levels = Group("Level: loudness is kept", "Loudness before and after, measured by pyloudnorm.")


def _loudness(x: Signal, rate: int = RATE) -> float:
    meter = LoudnessMeter(rate, x.shape[1])
    meter.push(x)
    return meter.integrated


def _pyloudnorm(x: npt.NDArray[Any], rate: int = RATE) -> float:
    if not find_spec("pyloudnorm"):
        raise NotMeasuredError("pyloudnorm is not installed")
    import pyloudnorm

    return float(pyloudnorm.Meter(rate).integrated_loudness(x))


def _stereo(tone: Signal) -> Signal:
    return np.stack([tone, tone], axis=1)


@meters.check(
    "997 Hz at full scale in one channel reads −3.01 LUFS: deviation", "ITU-R BS.1770-5", at_most(0.1, "LU")
)
def _() -> float:
    return abs(_loudness(sine(997, 5, peak=1)[:, np.newaxis]) + 3.01)


@meters.check(
    "stereo 1 kHz at −23 and −33 dBFS, four rates: deviation", "EBU Tech 3341, cases 1, 2", at_most(0.1, "LU")
)
def _() -> float:
    return max(
        abs(_loudness(_stereo(sine(1000, 20, rate, peak=10 ** (level / 20))), rate) - level)
        for level in (-23, -33)
        for rate in (32_000, 44_100, 48_000, 96_000)
    )


@meters.check(
    "−36, −23, −36 dBFS: the gate keeps −23: deviation", "EBU Tech 3341, case 3", at_most(0.1, "LU")
)
def _() -> float:
    steps = [(10, -36), (60, -23), (10, -36)]
    return abs(
        _loudness(_stereo(np.concatenate([sine(1000, s, peak=10 ** (db / 20)) for s, db in steps]))) + 23
    )


@meters.check("the bundled recordings: deviation", "pyloudnorm", at_most(0.1, "LU"))
def _() -> float:
    read = [soundfile.read(path, always_2d=True) for path in sorted(RECORDINGS.glob("*.flac"))]
    return max(abs(_loudness(x, rate) - _pyloudnorm(x, rate)) for x, rate in read)


@meters.check(
    "a tone at a quarter of the rate, at 45°: true peak too high by",
    "EBU Tech 3341, case 16",
    at_most(0.2, "dB"),
)
def _() -> float:
    return _true_peak_error()


@meters.check("the same: true peak too low by", "EBU Tech 3341, case 16", at_most(0.4, "dB"))
def _() -> float:
    return -_true_peak_error()


def _true_peak_error() -> float:
    meter = TruePeakMeter(1)
    times = np.arange(RATE)
    ramp = np.minimum(1, np.minimum(times, times[::-1]) / 1000)
    meter.push((0.5 * ramp * np.sin(np.pi / 2 * times + np.pi / 4))[:, np.newaxis])
    return float(20 * np.log10(meter.flush() / 0.5))


@levels.check("every bundled response at mix 0.3, pink noise: change", "pyloudnorm", at_most(1.5, "LU"))
def _() -> float:
    x = pink(6)
    return max(
        abs(_pyloudnorm(reverb.Reverb(name, mix=0.3)(x, RATE)) - _pyloudnorm(x)) for name in _bundled()
    )


def _bundled() -> list[str]:
    return [name for name, path in names().items() if path.parent == bundled_folder()]


@levels.check("church and hall at mix 0.3, the bundled recordings: change", "pyloudnorm", at_most(1.5, "LU"))
def _() -> float:
    changes = []
    for path in sorted(RECORDINGS.glob("*.flac")):
        x, rate = soundfile.read(path, always_2d=True)
        for name in ("church", "hall"):
            wet = reverb.Reverb(name, mix=0.3)(x, rate)
            changes.append(abs(_pyloudnorm(wet, rate) - _pyloudnorm(x, rate)))
    return max(changes)


@levels.check(
    "the hall at 44.1 and 96 kHz as at 48 kHz: change", "K-weighted power of pink noise", at_most(0.1, "LU")
)
def _() -> float:
    def change(rate: int) -> float:
        x = pink(4, rate=rate)
        return _pyloudnorm(reverb.Reverb("hall", mix=1.0)(x, rate, tail=False), rate) - _pyloudnorm(x, rate)

    expected = change(RATE)
    return max(abs(change(rate) - expected) for rate in (44_100, 96_000))


def _rendered(**settings: Any) -> tuple[Signal, Signal, int]:
    """Return a recording before and after the hall, rendered as files."""
    source = RECORDINGS / "drum-roll.flac"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "out.wav")
        reverb.process_file(source, output, reverb.Reverb("hall", mix=0.5), subtype="FLOAT", **settings)
        x, rate = soundfile.read(source, always_2d=True)
        return x, soundfile.read(output, always_2d=True)[0], rate


@levels.check("loudness matched to the input: deviation", "pyloudnorm", at_most(0.1, "LU"))
def _() -> float:
    x, y, rate = _rendered(match_loudness=True, gain=-6)
    return abs(_pyloudnorm(y, rate) - _pyloudnorm(x, rate) + 6)


@levels.check("loudness set to −23 LUFS: deviation", "pyloudnorm", at_most(0.1, "LU"))
def _() -> float:
    _, y, rate = _rendered(loudness=-23)
    return abs(_pyloudnorm(y, rate) + 23)


@levels.check("true peak above a ceiling of −3 dBTP", "16 × oversampling by SciPy", at_most(0.2, "dB"))
def _() -> float:
    _, y, _ = _rendered(loudness=-10, ceiling=-3)
    return float(decibels(np.abs(resample_poly(y, 16, 1, window=("kaiser", 12.0))).max())) + 3


@levels.check(
    "TPDF dither to 16 bits: deviation of the error's variance from LSB²/4",
    "Lipshitz, Wannamaker, Vanderkooy 1992",
    at_most(2, "%"),
)
def _() -> float:
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "in.wav"), Path(folder, "out.wav")
        soundfile.write(source, noise(4 * RATE) / 1000, RATE, "DOUBLE")
        reverb.process_file(source, output, reverb.Gain(0), subtype="PCM_16")
        error = (soundfile.read(output)[0] - soundfile.read(source)[0]) * 2**15
    return float(abs(error.var() / 0.25 - 1) * 100)
