"""Responses between dry and wet music, against those that made the wet: closed cases, hostile cuts, real rooms."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from scipy.signal import fftconvolve

from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import measure
from reverb.responses.decay.decay import onset
from reverb.responses.measure.identify import identify
from tests.nulls import null_db
from tests.signals import noise, pink

RATE = 16_000
Array = npt.NDArray[np.float64]
# Two rooms by default; set this to have every response of the folder.
EVERY = os.environ.get("REVERB_EVERY_RESPONSE") == "1"
ROOMS = ("npm_tunajs_ir_rev_short.wav", "gh_audiomentations_ir0_16k.wav")


def room(frames: int = 4000, seed: int = 5) -> Array:
    h = 0.2 * np.random.default_rng(seed).standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
    h[0] = 1.0
    return np.asarray(h)


def test_a_pair_of_noise_gives_the_response_back() -> None:
    x, h = noise(4 * RATE, 1)[:, 0], room()
    found = identify(x, fftconvolve(x, h), RATE, len(h) / RATE)
    response = found.response
    assert found.delay == 0
    null = null_db(response.samples[response.latency : response.latency + len(h), 0], h)
    assert null <= -60.0, f"null {null:.1f} dB"
    assert min(band.coherence for band in found.coherence) > 0.9999
    assert found.objections == ()


def test_the_old_spelling_still_works() -> None:
    x, h = noise(RATE, 1)[:, 0], room(400)
    wet = fftconvolve(x, h)
    with pytest.deprecated_call(match="regularization"):
        old = identify(x, wet, RATE, 0.025, regularisation=-30.0)
    new = identify(x, wet, RATE, 0.025, regularization=-30.0)
    assert old.response == new.response != identify(x, wet, RATE, 0.025).response


@pytest.mark.parametrize("cut", ["late", "early", "both", "short"])
def test_the_wet_recording_may_be_cut_anywhere(cut: str) -> None:
    x, h = noise(5 * RATE, 1)[:, 0], room()
    wet = fftconvolve(x, h)
    start = {"late": 0, "early": 3000, "both": 3000, "short": -2345}[cut]
    wet = wet[: len(x) - 2 * RATE] if cut != "early" else wet
    wet = wet[start:] if start >= 0 else np.concatenate([np.zeros(-start), wet])
    found = identify(x, wet, RATE, len(h) / RATE)
    assert round(found.delay * RATE) == -start
    response = found.response
    null = null_db(response.samples[response.latency : response.latency + len(h), 0], h)
    assert null <= -55.0, f"null {null:.1f} dB"


def test_a_delay_stays_in_the_response_where_it_is_wanted() -> None:
    x, h = noise(3 * RATE, 1)[:, 0], room(2000)
    wet = np.concatenate([np.zeros(500), fftconvolve(x, h)])
    found = identify(x, wet, RATE, 0.2, align=False, lead=0.01)
    samples = found.response.samples[:, 0]
    assert found.delay == 0
    assert abs(onset(np.asarray(samples, np.float64)) - found.response.latency - 500) <= 1


def test_bass_that_swells_is_not_taken_for_the_direct_sound() -> None:
    """A dark plate: what is loudest comes long after what is first."""
    times = np.arange(RATE) / RATE
    h = np.zeros(RATE)
    h[300] = 1.0
    h[300:] += 0.4 * (np.sin(2 * np.pi * 70 * times) * times / 0.14 * np.exp(1 - times / 0.14))[:-300]
    x = pink(RATE, 8, 1)[:, 0]
    found = identify(x, fftconvolve(x, h)[: len(x)], RATE, 1.0)
    assert found.delay == pytest.approx(300 / RATE, abs=1 / RATE)
    assert found.residual < -50


def test_channels_are_found_one_by_one() -> None:
    x = noise(3 * RATE, 2)
    h = np.stack([room(seed=1), room(seed=2)], axis=1)
    wet = fftconvolve(x, h, axes=0)
    found = identify(x, wet, RATE, 0.25).response
    assert found.layout == "stereo"
    assert null_db(found.samples[found.latency : found.latency + len(h)], h) <= -55.0
    from_mono = identify(x[:, 0], fftconvolve(x[:, :1], h, axes=0), RATE, 0.25).response
    assert null_db(from_mono.samples[from_mono.latency : from_mono.latency + len(h)], h) <= -55.0


def test_noise_shows_in_the_coherence() -> None:
    x, h = noise(8 * RATE, 1)[:, 0], room()
    wet = fftconvolve(x, h)
    for ratio in (30.0, 10.0):
        disturbance = np.random.default_rng(2).standard_normal(len(wet)) * np.std(wet) * 10 ** (-ratio / 20)
        found = identify(x, wet + disturbance, RATE, len(h) / RATE)
        for band in found.coherence[1:]:
            power = 10 ** ((_level(wet, RATE, band.centre) - _level(disturbance, RATE, band.centre)) / 10)
            assert band.coherence == pytest.approx(power / (1 + power), abs=0.02)
    stranger = identify(x, pink(RATE, 8, 1)[:, 0], RATE, len(h) / RATE)
    assert max(band.coherence for band in stranger.coherence[2:]) < 0.3
    assert any("coherence below" in objection for objection in stranger.objections)


def test_bands_without_music_are_left_silent_and_said() -> None:
    x = soxr.resample(noise(2 * RATE, 1)[:, 0], RATE // 4, RATE)
    x *= np.hanning(len(x))  # an abrupt end would hold all frequencies
    h = room()
    found = identify(x, fftconvolve(x, h), RATE, len(h) / RATE, regularization=-40.0)
    assert any("too little energy at 2 kHz, 4 kHz" in objection for objection in found.objections)
    spectrum = np.abs(np.fft.rfft(found.response.samples[:, 0]))
    frequencies = np.fft.rfftfreq(found.response.frames, 1 / RATE)
    assert spectrum[frequencies > 3000].max() < 0.1 * spectrum[frequencies < 1500].max()


def test_what_does_not_fit_is_refused() -> None:
    x = noise(2000, 3)
    with pytest.raises(InvalidAudioError, match="3 channels, the wet one 2"):
        identify(x, x[:, :2], RATE, 0.05)
    with pytest.raises(InvalidAudioError, match="dry recording is silent"):
        identify(np.zeros(2000), x[:, 0], RATE, 0.05)
    with pytest.raises(ParameterError, match=r"expected 16 to 2000"):
        identify(x[:, 0], x[:, 0], RATE, 1.0)
    with pytest.raises(ParameterError, match="regularization is 3 dB; expected a number from -200 to 0 dB"):
        identify(x[:, 0], x[:, 0], RATE, 0.05, regularization=3.0)


def _rooms(folder: Path) -> list[Path]:
    files = sorted((folder / "ir").iterdir())
    return files if EVERY else [file for file in files if file.name in ROOMS]


def test_real_rooms_are_lifted_from_music(audio_folder: Path) -> None:
    """T30 within 5 %, octave levels within 1 dB where the music has sound, over a 24-bit wet recording."""
    song, song_rate = soundfile.read(audio_folder / "dry" / "gh_librosa_karissa_hobbs_mix.ogg")
    for file in _rooms(audio_folder):
        h, rate = soundfile.read(file, always_2d=True)
        h = h[:, 0]
        music = song.mean(axis=1) if rate == song_rate else soxr.resample(song.mean(axis=1), song_rate, rate)
        frames = max(12 * rate, 6 * len(h))
        x = music[20 * rate : 20 * rate + frames]
        wet = fftconvolve(x, h)[:frames]
        scale = 0.9 / np.abs(wet).max()
        wet = np.round(wet * scale * 2**23) / 2**23
        found = identify(x, wet, rate, len(h) / rate + 0.05, lead=0.05)
        got = found.response.samples[:, 0] / scale
        true, lifted = (measure(part, rate, bands="broadband").mean[0].t30 for part in (h, got))
        if true.valid:
            assert lifted.seconds == pytest.approx(true.seconds, rel=0.05), file.name
        for band in found.coherence:
            if band.covered > 0.99:
                levels = [_level(part, rate, band.centre) for part in (h, got)]
                assert levels[1] == pytest.approx(levels[0], abs=1.0), (file.name, band.label)


def _level(h: npt.ArrayLike, rate: int, centre: float) -> float:
    power = np.abs(np.fft.rfft(h, 1 << 19)) ** 2
    frequencies = np.fft.rfftfreq(1 << 19, 1 / rate)
    inside = (frequencies > centre / 2**0.5) & (frequencies < centre * 2**0.5)
    return float(10 * np.log10(power[inside].sum()))
