"""Rounding to integers: dither, clipping, and full scale."""

import math

import numpy as np
import pytest
import soundfile

from reverb import Gain, process_file
from tests.conftest import MakeSound
from tests.render.responses import UNIT
from tests.signals import Signal, tone


def _rounding_error(make_sound: MakeSound, x: Signal, dither: bool | None, subtype: str = "PCM_16") -> Signal:
    """Return the error of writing, in steps of the subtype."""
    source = make_sound("in.wav", x, subtype="DOUBLE")
    destination = source.with_name("out.wav")
    process_file(source, destination, UNIT, subtype=subtype, dither=dither, overwrite=True)
    bits = {"PCM_U8": 8, "PCM_16": 16}[subtype]
    error: Signal = (soundfile.read(destination)[0] - x) * 2 ** (bits - 1)
    return error


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_full_scale_stays_full_scale(make_sound: MakeSound, subtype: str) -> None:
    x = np.tile([[-1.0], [1.0], [0.0]], (500, 2))
    source = make_sound("in.wav", x, subtype=subtype)
    process_file(source, source.with_name("out.wav"), UNIT, dither=False)
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert np.abs(y - soundfile.read(source)[0]).max() <= 2**-15


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16"])
def test_dither_is_triangular(make_sound: MakeSound, subtype: str) -> None:
    # Below a step, where rounding alone is nothing but distortion.
    step = 2.0**-7 if subtype == "PCM_U8" else 2.0**-15
    x = np.stack([tone(1000, 48_000, 4, 0.4 * step), tone(50, 48_000, 4, 20 * step)], axis=1)
    error = _rounding_error(make_sound, x, None, subtype)
    # Triangular dither of ±1 step and rounding: 1/6 + 1/12 of a step squared, whatever the sound.
    assert error.var(axis=0) == pytest.approx(0.25, rel=0.03)
    assert np.abs(error.mean(axis=0)).max() < 0.01
    assert np.abs(error).max() <= 1.5 + 1e-6
    for channel in range(2):
        assert abs(np.corrcoef(error[:, channel], x[:, channel])[0, 1]) < 0.01
    assert abs(np.corrcoef(error[:, 0], error[:, 1])[0, 1]) < 0.01
    # White: no correlation from one frame to the next; and the variance does not follow the sound.
    assert abs(np.corrcoef(error[1:, 0], error[:-1, 0])[0, 1]) < 0.01
    assert abs(np.corrcoef(error[:, 0] ** 2, x[:, 0])[0, 1]) < 0.01


def test_without_dither_a_whisper_is_lost_and_with_it_not(make_sound: MakeSound) -> None:
    x = np.stack([tone(1000, 48_000, 2, 0.4 * 2**-15)] * 2, axis=1)
    plain = _rounding_error(make_sound, x, False) / 2**15 + x
    assert not plain.any()
    dithered = _rounding_error(make_sound, x, True) / 2**15 + x
    assert (dithered * x).sum() / (x * x).sum() == pytest.approx(1, abs=0.1)


def test_dither_is_for_16_bits_and_fewer(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", np.zeros((5000, 2)), subtype="PCM_24")
    for subtype, dithered in (("PCM_24", False), ("FLOAT", False), ("PCM_16", True), ("PCM_U8", True)):
        process_file(source, source.with_name("out.wav"), UNIT, subtype=subtype, overwrite=True)
        assert bool(soundfile.read(source.with_name("out.wav"))[0].any()) is dithered
    process_file(source, source.with_name("out.wav"), UNIT, dither=True, overwrite=True)
    assert soundfile.read(source.with_name("out.wav"))[0].any()


@pytest.mark.parametrize(
    ("subtype", "kept"), [("PCM_16", 1.0), ("PCM_24", 1.0), ("PCM_32", 1.0), ("FLOAT", 2.0)]
)
def test_what_does_not_fit_is_counted_and_held(make_sound: MakeSound, subtype: str, kept: float) -> None:
    x = np.zeros((1000, 2))
    x[10], x[20, 0], x[30, 1] = 0.9, -0.7, 0.4
    source = make_sound("in.wav", x, subtype="FLOAT")
    report = process_file(
        source, source.with_name("out.wav"), Gain(20 * math.log10(2 / 0.9)), subtype=subtype, dither=False
    )
    assert report.clipped == 3
    assert report.peak == pytest.approx(2, rel=1e-5)
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert y[10].tolist() == pytest.approx([kept, kept], abs=1e-4)
    assert y[20, 0] == pytest.approx(-min(kept, 0.7 * 2 / 0.9), abs=1e-4)
    assert y[30, 1] == pytest.approx(0.4 * 2 / 0.9, abs=1e-4)
