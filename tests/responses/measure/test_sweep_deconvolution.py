"""Measuring simulated rooms whose response is known: distortion, noise, drift, repetitions, sources, and real ones."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.acoustics import measure
from reverb.responses.measure.sweep import Sweep, signal
from reverb.responses.measure.sweep_deconvolution import Measurement, deconvolve

RATE = 48_000
Array = npt.NDArray[np.float64]


def room(seed: int = 0, rt60: float = 0.6, late: float = 0.05) -> Array:
    """A direct sound and a decay of noise, (frames,)."""
    n = np.arange(RATE)
    h = late * np.random.default_rng(seed).standard_normal(RATE) * 10 ** (-3 * n / RATE / rt60)
    h[0] = 1.0
    return np.asarray(h)


def distorted(x: Array, second: float, third: float) -> Array:
    """The 2nd and 3rd harmonic of a full-scale sine alone (Chebyshev polynomials), without aliases."""
    peak = float(np.abs(x).max())
    u = np.asarray(soxr.resample(x / peak, RATE, 4 * RATE, quality="VHQ"))
    y = u + 2 * second * u**2 + third * (4 * u**3 - 3 * u)
    return np.asarray(soxr.resample(y, 4 * RATE, RATE, quality="VHQ")) * peak


def in_band(x: Array, low: float = 50, high: float = 15_000) -> Array:
    """What lies well inside the sweep's band, without a shift in time."""
    size = 1 << (2 * len(x)).bit_length()
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1))
    edge = np.interp(octaves, np.log2([low / 2, low, high, high * 1.2]), [0, 1, 1, 0])
    window = np.sin(0.5 * np.pi * edge) ** 2
    return np.asarray(np.fft.irfft(np.fft.rfft(x, size, axis=0).T * window, size).T[: len(x) + RATE // 10])


def null_in_band(measured: Measurement, truth: Array, start: int | None = None) -> float:
    """Peak of the difference ÷ peak of the truth, both band-limited, in dB; truth is (frames, channels).

    It begins at frame `start` of the response, by default at its time zero.
    """
    response = measured.response
    start = response.latency if start is None else start
    expected = np.zeros(response.samples.shape)
    seen = truth[max(-start, 0) : len(expected) - start]
    expected[max(start, 0) : max(start, 0) + len(seen)] = seen
    a, b = in_band(np.asarray(response.samples, np.float64)), in_band(expected)
    return float(20 * np.log10(np.abs(a - b).max() / np.abs(b).max()))


def beginning(measured: Measurement, truth: Array) -> int:
    """The frame of the measured response at which the true one (frames,) begins, where they agree best."""
    agreement = fftconvolve(measured.response.samples[:, 0], truth[::-1])
    return int(np.argmax(agreement)) - (len(truth) - 1)


def recorded(played: Array, h: Array, signal_to_noise: float | None = None, ahead: int = 7001) -> Array:
    """A recording that begins `ahead` frames early, (frames,)."""
    y = np.concatenate([np.zeros(ahead), fftconvolve(played, h)])
    if signal_to_noise is not None:
        power = np.mean(y[ahead + RATE : ahead + 2 * RATE] ** 2)
        y += np.random.default_rng(9).standard_normal(len(y)) * np.sqrt(power) * 10 ** (-signal_to_noise / 20)
    return np.asarray(y)


@pytest.mark.parametrize(("seconds", "repetitions"), [(10.0, 1), (5.0, 2)])
def test_noise_and_distortion_stay_out_of_the_response(seconds: float, repetitions: int) -> None:
    sweep = Sweep(seconds=seconds, repetitions=repetitions, pause=2.0)
    h = room()
    played = distorted(signal(sweep)[:, 0], second=0.05, third=0.03)
    measured = deconvolve(recorded(played, h, signal_to_noise=60.0), RATE, sweep)
    null = null_in_band(measured, h[:, np.newaxis])
    assert null <= -60.0, f"null {null:.1f} dB"
    assert measured.signal_to_noise == pytest.approx(60.0, abs=1.0)
    # The levels of the harmonics that were put in, and no others.
    assert measured.harmonics[0] == pytest.approx(20 * np.log10(0.05), abs=1.5)
    assert measured.harmonics[1] == pytest.approx(20 * np.log10(0.03), abs=1.5)
    assert max(measured.harmonics[2:]) < -60
    assert measured.drift == (None if repetitions == 1 else pytest.approx(0.0, abs=0.01))
    assert measured.objections == ()


@pytest.mark.parametrize(
    "name",
    [
        "gh_bbc_brir_M+030.wav",
        "gh_emt140_bright_1.wav",
        "gh_openair_st_andrews_church.wav",
        "gh_openair_tyndall_bruce_monument.wav",
    ],
)
def test_real_rooms_come_back(name: str, audio_folder: Path) -> None:
    samples, rate = soundfile.read(audio_folder / "ir" / name, always_2d=True)
    assert rate == RATE
    h = samples[:, 0]
    sweep = Sweep(seconds=10.0, pause=len(h) / RATE + 0.3)
    played = distorted(signal(sweep)[:, 0], second=0.05, third=0.03)
    measured = deconvolve(recorded(played, h, signal_to_noise=60.0), RATE, sweep)
    null = null_in_band(measured, samples[:, :1], beginning(measured, h))
    assert null <= -60.0, f"null {null:.1f} dB"


def test_distortion_would_be_seen_if_it_were_left_in() -> None:
    """The same recording cut where the third harmonic lies: the test above can fail."""
    sweep = Sweep(seconds=5.0, pause=2.0)
    h = room()
    measured = deconvolve(recorded(distorted(signal(sweep)[:, 0], 0.05, 0.03), h), RATE, sweep, lead=0.9)
    assert null_in_band(measured, h[:, np.newaxis]) > -40.0


@pytest.mark.parametrize("drift", [37.0, -120.0])
def test_repetitions_tell_the_drift_and_it_is_undone(drift: float) -> None:
    sweep = Sweep(seconds=3.0, repetitions=3, pause=1.0)
    h = room(rt60=0.3)
    y = soxr.resample(recorded(signal(sweep)[:, 0], h), RATE, RATE * (1 + 1e-6 * drift), quality="VHQ")
    measured = deconvolve(y, RATE, sweep)
    assert measured.drift == pytest.approx(drift, abs=0.05)
    null = null_in_band(measured, h[:, np.newaxis])
    assert null <= -60.0, f"null {null:.1f} dB"
    smeared = deconvolve(y, RATE, sweep, correct_drift=False)
    assert smeared.drift is None
    assert np.abs(smeared.response.samples).max() < 0.8 * np.abs(measured.response.samples).max()


def test_a_loudspeakers_phase_is_not_taken_for_a_drift() -> None:
    """Bass that comes later than treble smears as a drift does: one sweep cannot tell the two apart."""
    sweep = Sweep(seconds=5.0, pause=1.0)
    loudspeaker = butter(4, [40, 15_000], "bandpass", fs=RATE, output="sos")
    h = np.asarray(sosfilt(loudspeaker, room(rt60=0.3)))
    measured = deconvolve(recorded(signal(sweep)[:, 0], h), RATE, sweep)
    assert measured.drift is None
    null = null_in_band(measured, h[:, np.newaxis], beginning(measured, h))
    assert null <= -60.0, f"null {null:.1f} dB"


def test_averaging_lowers_the_noise() -> None:
    h = room(rt60=0.3)

    def residual(repetitions: int) -> float:
        sweep = Sweep(seconds=2.0, repetitions=repetitions, pause=1.0)
        measured = deconvolve(
            recorded(signal(sweep)[:, 0], h, signal_to_noise=30.0), RATE, sweep, correct_drift=False
        )
        return float(np.std(in_band(np.asarray(measured.response.samples, np.float64))[RATE // 2 : RATE]))

    assert 20 * np.log10(residual(1) / residual(4)) == pytest.approx(6.0, abs=1.0)


def test_two_loudspeakers_in_one_recording_give_true_stereo() -> None:
    sweep = Sweep(seconds=3.0, sources=2, pause=1.5, repetitions=2)
    truth = np.stack([room(k) * gain for k, gain in enumerate((1.0, 0.5, 0.4, 0.9))], axis=1)
    truth[:, 2:] = np.roll(truth[:, 2:], 100, axis=0)
    truth[:100, 2:] = 0
    x = signal(sweep)
    ears = [recorded(x[:, 0], truth[:, ear]) + recorded(x[:, 1], truth[:, 2 + ear]) for ear in (0, 1)]
    measured = deconvolve(np.stack(ears, axis=1), RATE, sweep)
    assert measured.response.layout == "true-stereo"
    null = null_in_band(measured, truth)
    assert null <= -65.0, f"null {null:.1f} dB"
    assert measured.agreement is not None
    assert measured.agreement > 60


def test_two_takes_give_true_stereo_with_their_direct_sounds_aligned() -> None:
    sweep = Sweep(seconds=2.0, pause=1.5)
    truth = np.stack([room(k) for k in range(4)], axis=1)
    x = signal(sweep)[:, 0]
    takes = [
        np.stack([recorded(x, truth[:, 2 * n + ear], ahead=3000 + 5000 * n) for ear in (0, 1)], axis=1)
        for n in (0, 1)
    ]
    measured = deconvolve(takes, RATE, sweep)
    assert measured.response.layout == "true-stereo"
    assert null_in_band(measured, truth) <= -65.0


def test_any_broad_band_sound_serves_as_a_sweep() -> None:
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, 4 * RATE)
    h = room(rt60=0.3)
    measured = deconvolve(recorded(noise, h), RATE, noise, seconds=1.0)
    assert (measured.drift, measured.harmonics) == (None, ())
    assert null_in_band(measured, h[:, np.newaxis]) <= -40.0


def test_what_speaks_against_a_measurement_is_said() -> None:
    sweep = Sweep(seconds=1.0, pause=0.5, repetitions=2)
    y = recorded(signal(sweep)[:, 0], room(rt60=2.0), signal_to_noise=0.0)
    y[-RATE:] += 0.3 * np.random.default_rng(4).standard_normal(RATE)
    clipped = np.clip(y, -0.4, 0.4)
    objections = " ".join(deconvolve(clipped, RATE, sweep).objections)
    assert "clips in" in objections
    assert "dB of decay above the noise" in objections
    assert "repetitions differ" in objections


def test_what_is_no_measurement_is_refused() -> None:
    sweep = Sweep(seconds=2.0, repetitions=2)
    noise = np.random.default_rng(0).standard_normal(12 * RATE)
    with pytest.raises(InvalidAudioError, match="does not contain the sweep"):
        deconvolve(noise, RATE, sweep)
    with pytest.raises(InvalidAudioError, match=r"lasts 3.0 s; 2 sweeps take 7.0 s"):
        deconvolve(noise[: 3 * RATE], RATE, sweep)
    with pytest.raises(InvalidAudioError, match="does not contain the sweep"):
        deconvolve(np.zeros(12 * RATE), RATE, sweep)
    with pytest.raises(ParameterError, match="made for 48000 Hz, the recording has 44100 Hz"):
        deconvolve(noise, 44_100, sweep)
    with pytest.raises(InvalidAudioError, match="sweep is silent"):
        deconvolve(noise, RATE, np.zeros(100))
    with pytest.raises(ParameterError, match="several recordings, and a sweep with several sources"):
        deconvolve([noise, noise], RATE, Sweep(sources=2))
    with pytest.raises(ParameterError, match="lead"):
        deconvolve(noise, RATE, sweep, lead=-1)


def test_a_real_recording_of_a_real_sweep(audio_folder: Path) -> None:
    y, rate = soundfile.read(audio_folder / "sweep" / "pypi_scenerir_GrCLab1SSRPos2_sweep_recording.wav")
    x, _ = soundfile.read(audio_folder / "sweep" / "pypi_scenerir_sweep_reference.wav")
    foreign = deconvolve(y, rate, x)
    known = deconvolve(y, rate, Sweep(sample_rate=rate, seconds=10.0, low=10.0, high=22_000.0), seconds=3.0)
    for measured in (foreign, known):
        assert measured.dynamic_range > 45
        report = measure(measured.response.samples[measured.response.latency :], rate)
        decays = {band.label: band.t20 for band in report.mean}
        for label in ("500 Hz", "1 kHz", "2 kHz", "4 kHz"):
            assert 0.4 < decays[label].seconds < 0.6  # a laboratory of usual size
