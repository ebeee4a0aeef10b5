"""Pops and claps: where they are cut, and that a known colour comes off within what is known."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import measure
from reverb.responses.measure.burst import from_burst

RATE = 48_000
Array = npt.NDArray[np.float64]


def room(seed: int = 3, rt60: float = 0.8) -> Array:
    """A direct sound, 6 ms of nothing, then decaying noise."""
    n = np.arange(RATE)
    h = 0.02 * np.random.default_rng(seed).standard_normal(RATE) * 10 ** (-3 * n / RATE / rt60)
    h[: RATE * 6 // 1000] = 0
    h[0] = 1.0
    return np.asarray(h)


def popped(h: Array, colour: Array, noise: float = 1e-5) -> Array:
    """Half a second of quiet, then the room coloured by the pop."""
    sounded = np.concatenate([np.zeros(RATE // 2), np.asarray(sosfilt(colour, h))])
    return np.asarray(0.5 * sounded + noise * np.random.default_rng(1).standard_normal(len(sounded)))


def tilt(h: npt.ArrayLike) -> Array:
    """Level of the late part per octave, 500 Hz to 8 kHz, in dB re its own mean."""
    power = np.abs(np.fft.rfft(np.asarray(h)[RATE // 50 : RATE // 2], 1 << 16)) ** 2
    f = np.fft.rfftfreq(1 << 16, 1 / RATE)
    levels = [
        10 * np.log10(power[(f > c / 1.41) & (f < c * 1.41)].mean()) for c in (500, 1000, 2000, 4000, 8000)
    ]
    return np.asarray(levels - np.mean(levels))


def test_a_known_colour_comes_off_where_it_is_known() -> None:
    h = room()
    colour = np.asarray(butter(1, [700, 3000], "bandpass", fs=RATE, output="sos"))
    found = from_burst(popped(h, colour), RATE)
    plain = from_burst(popped(h, colour), RATE, flatten=False)
    assert found.flattened is not None
    low, high = found.flattened
    assert 240 <= low <= 300
    assert high > 8000
    true = tilt(h)
    assert np.abs(tilt(plain.response.samples[:, 0]) - true).max() > 5
    assert np.abs(tilt(found.response.samples[:, 0]) - true).max() < 2
    assert 0 < found.correction <= 12.0
    assert plain.flattened is None


def test_it_is_cut_at_the_direct_sound_and_its_decay_stays() -> None:
    h = room(rt60=0.5)
    flat = np.array([[1.0, 0, 0, 1, 0, 0]])
    found = from_burst(popped(h, flat), RATE, seconds=0.9)
    assert found.response.latency == round(0.002 * RATE)
    assert np.abs(found.response.samples).argmax() == found.response.latency
    assert found.response.seconds == pytest.approx(0.902)
    after = found.response.samples[found.response.latency :]
    t20 = measure(after, RATE, bands="broadband").mean[0].t20.seconds
    assert t20 == pytest.approx(measure(h, RATE, bands="broadband").mean[0].t20.seconds, rel=0.02)


def test_a_real_clap(audio_folder: Path) -> None:
    x, rate = soundfile.read(audio_folder / "ir" / "gh_spatialaudio_rir_clap.wav")
    found = from_burst(x, rate)
    raw = {band.label: band.t20 for band in measure(x, rate).mean}
    mended = {
        band.label: band.t20 for band in measure(found.response.samples[found.response.latency :], rate).mean
    }
    for label in ("1 kHz", "2 kHz", "4 kHz"):
        assert mended[label].seconds == pytest.approx(raw[label].seconds, rel=0.05)
    assert any("a sweep gives a better measurement" in objection for objection in found.objections)


def test_what_is_no_burst_is_refused() -> None:
    with pytest.raises(InvalidAudioError, match="no burst that stands out"):
        from_burst(np.random.default_rng(0).uniform(-1, 1, RATE), RATE)
    with pytest.raises(InvalidAudioError, match="no burst that stands out"):
        from_burst(np.zeros(RATE), RATE)
    with pytest.raises(ParameterError, match=r"direct sound is 1 s; expected a number from 0\.001"):
        from_burst(room(), RATE, direct=1.0)
