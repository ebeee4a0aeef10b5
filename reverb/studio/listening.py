"""What the page hears and sees: a recording, the folded response of the knobs, and pictures before and after."""

import io
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from reverb.arrays import Audio, as_audio
from reverb.audiofiles.files import open_sound
from reverb.effects.effect import Effect, apply, fold
from reverb.effects.folding import FLOOR_DB, portable
from reverb.levels import to_db
from reverb.plots.outlines import decay_line, outline, spectrum
from reverb.render.loudness import LoudnessMeter
from reverb.responses.acoustics import measure
from reverb.responses.response import ImpulseResponse

HEARD_SECONDS = 180.0
"""So much of a recording is auditioned and drawn; a render takes all of it."""
_MOMENTS = 900
_OCTAVES = 1 / 6
_POINTS = np.geomspace(20, 20_000, 200)
_DECAY_POINTS, _DECAY_FLOOR_DB = 120, -70.0
_SILENT_LUFS = -120.0


@lru_cache(maxsize=4)
def heard(path: Path) -> tuple[Audio, int]:
    """Return what is auditioned of a recording, float32 of shape (frames, channels), and its sample rate."""
    with open_sound(path) as sound:
        frames = min(sound.frames, round(HEARD_SECONDS * sound.samplerate))
        samples = as_audio(sound.read(frames, "float32", always_2d=True), "the recording")
        samples.setflags(write=False)
        return samples, sound.samplerate


@lru_cache(maxsize=8)
def folded(effect: Effect, sample_rate: int, channels: int) -> ImpulseResponse:
    """Return the one response that a render applies to a recording, in float32."""
    return portable(fold(effect, sample_rate, channels, floor_db=FLOOR_DB), "audition", None)


def wav(samples: Audio, sample_rate: int) -> bytes:
    """Return sound as the bytes of a WAV file in float32."""
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, "FLOAT", format="WAV")
    return file.getvalue()


def pictures(path: Path, effect: Effect) -> dict[str, Any]:
    """Return what is drawn of a recording before and after an effect, ready for JSON.

    Waveforms (their range in equal moments of the whole time, tail included), spectra in sixths of an octave, loudness
    in LUFS, peaks, and by how many dB the recording is to be louder to be as loud as the result.
    """
    before, rate = heard(path)
    after = apply(folded(effect, rate, before.shape[1]), before, rate)
    seconds = len(after) / rate
    seen: dict[str, Any] = {
        "seconds": seconds,
        "hz": [round(float(hz), 1) for hz in _POINTS[rate / 2 > _POINTS]],
        "before": _seen(before, rate, seconds),
        "after": _seen(after, rate, seconds),
    }
    # Of a mono sound loudness counts one channel, but two loudspeakers play it.
    sides = 10 * math.log10(after.shape[1] / before.shape[1])
    return {**seen, "match_db": seen["after"]["lufs"] - seen["before"]["lufs"] - sides}


def _seen(sound: Audio, rate: int, seconds: float) -> dict[str, Any]:
    meter = LoudnessMeter(rate, sound.shape[1])
    meter.watch(sound)
    shape = outline(sound, _MOMENTS, seconds, rate)
    return {
        "low": _rounded(shape.low),
        "high": _rounded(shape.high),
        "spectrum": _rounded(spectrum(sound, rate, _POINTS, _OCTAVES).y),
        "lufs": max(meter.integrated, _SILENT_LUFS),
        "peak_db": max(to_db(float(np.abs(sound).max())), _SILENT_LUFS),
    }


@lru_cache(maxsize=128)
def decay(room: ImpulseResponse) -> dict[str, Any]:
    """Return the decay of a room's loudest channel and its T30 in seconds, None without one, ready for JSON."""
    loudest = int(np.argmax(np.square(room.samples, dtype=np.float64).sum(axis=0)))
    samples = room.samples[:, loudest]
    line = decay_line(samples, room.sample_rate, _DECAY_FLOOR_DB, _DECAY_POINTS)
    (band,) = measure(samples, room.sample_rate, bands="broadband").mean
    seconds = next((t.seconds for t in (band.t30, band.t20) if math.isfinite(t.seconds)), None)
    return {"seconds": _rounded(line.x), "level": _rounded(line.y), "t30": seconds}


def _rounded(values: npt.NDArray[np.float64]) -> list[float]:
    return [round(float(value), 4) for value in values]
