"""Sounds and pictures for the page: a recording, the folded response of the settings, and both results."""

import io
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from reverb.arrays import Audio, Real, as_audio
from reverb.audiofiles.files import open_sound
from reverb.effects.effect import Effect
from reverb.effects.fold import FLOOR_DB, apply, fold, portable
from reverb.levels import to_db
from reverb.plots.outlines import decay_line, outline, spectrum
from reverb.render.loudness import LoudnessMeter
from reverb.responses.acoustics import measure
from reverb.responses.response import ImpulseResponse

PREVIEW_SECONDS = 180.0
"""The part of a recording that the page plays and draws; a render takes all of it."""
_COLUMNS = 900  # of a waveform
_SMOOTHING = 1 / 6  # octave
_FREQUENCIES = np.geomspace(20, 20_000, 200)
_DECAY_POINTS, _DECAY_FLOOR_DB = 120, -70.0
_SILENT_LUFS = -120.0


@lru_cache(maxsize=4)
def beginning(path: Path) -> tuple[Audio, int]:
    """Return the first `PREVIEW_SECONDS` of a recording, float32 of shape (frames, channels), and its sample rate."""
    with open_sound(path) as sound:
        frames = min(sound.frames, round(PREVIEW_SECONDS * sound.samplerate))
        samples = as_audio(sound.read(frames, "float32", always_2d=True), "the recording")
        samples.setflags(write=False)
        return samples, sound.samplerate


@lru_cache(maxsize=8)
def folded(effect: Effect, sample_rate: int, channels: int) -> ImpulseResponse:
    """Return the response of an effect as a render applies it to a recording, in float32."""
    return portable(fold(effect, sample_rate, channels, floor_db=FLOOR_DB), "audition", None)


def wav(samples: Audio, sample_rate: int) -> bytes:
    """Return sound as the bytes of a WAV file in float32."""
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, "FLOAT", format="WAV")
    return file.getvalue()


def pictures(path: Path, effect: Effect) -> dict[str, Any]:
    """Return the pictures of a recording before and after an effect, for JSON.

    They hold waveforms (minimum and maximum in equal parts of the whole time, tail included), spectra in sixths of an
    octave, loudness in LUFS, peaks, and the gain in dB that makes the recording as loud as the result.
    """
    before, rate = beginning(path)
    after = apply(folded(effect, rate, before.shape[1]), before, rate)
    seconds = len(after) / rate
    drawn: dict[str, Any] = {
        "seconds": seconds,
        "hz": [round(float(hz), 1) for hz in _FREQUENCIES[rate / 2 > _FREQUENCIES]],
        "before": _picture(before, rate, seconds),
        "after": _picture(after, rate, seconds),
    }
    # The loudness of a mono sound counts one channel, but two loudspeakers play it.
    sides = 10 * math.log10(after.shape[1] / before.shape[1])
    return {**drawn, "match_db": drawn["after"]["lufs"] - drawn["before"]["lufs"] - sides}


def _picture(sound: Audio, rate: int, seconds: float) -> dict[str, Any]:
    meter = LoudnessMeter(rate, sound.shape[1])
    meter.push(sound)
    shape = outline(sound, _COLUMNS, seconds, rate)
    return {
        "low": _rounded(shape.low),
        "high": _rounded(shape.high),
        "spectrum": _rounded(spectrum(sound, rate, _FREQUENCIES, _SMOOTHING).y),
        "lufs": max(meter.integrated, _SILENT_LUFS),
        "peak_db": max(to_db(float(np.abs(sound).max())), _SILENT_LUFS),
    }


@lru_cache(maxsize=128)
def decay(room: ImpulseResponse) -> dict[str, Any]:
    """Return the decay of a room's loudest channel and its T30 in seconds (None if undefined), for JSON."""
    loudest = int(np.argmax(np.square(room.samples, dtype=np.float64).sum(axis=0)))
    samples = room.samples[:, loudest]
    line = decay_line(samples, room.sample_rate, _DECAY_FLOOR_DB, _DECAY_POINTS)
    (band,) = measure(samples, room.sample_rate, bands="broadband").mean
    seconds = next((t.seconds for t in (band.t30, band.t20) if math.isfinite(t.seconds)), None)
    return {"seconds": _rounded(line.x), "level": _rounded(line.y), "t30": seconds}


def _rounded(values: Real) -> list[float]:
    return [round(float(value), 4) for value in values]
