"""Loudness and true peak, against the signals of EBU Tech 3341 and an independent meter; rendering to a level."""

import math
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects.filters import BandPass
from reverb.effects.gain import Gain
from reverb.effects.reverb import Reverb
from reverb.render.files import process_file
from reverb.render.loudness import LoudnessMeter, TruePeakMeter, k_filter
from tests.conftest import MakeSound
from tests.signals import Signal, noise, pink, tone


def _loudness(x: Signal, rate: int, blocks: int = 5000) -> float:
    meter = LoudnessMeter(rate, x.shape[1])
    for start in range(0, len(x), blocks):
        meter.push(x[start : start + blocks])
    return meter.integrated


def _true_peak(x: Signal, blocks: int = 5000) -> float:
    meter = TruePeakMeter(x.shape[1])
    for start in range(0, len(x), blocks):
        meter.push(x[start : start + blocks])
    return 20 * math.log10(meter.flush())


def _sines(rate: int, *parts: tuple[float, float]) -> Signal:
    """Stereo sines of 1 kHz, of levels in dBFS and lengths in seconds."""
    return np.concatenate([np.stack([tone(1000, rate, s, 10 ** (db / 20))] * 2, axis=1) for db, s in parts])


def test_the_filter_at_48_khz_is_the_standards() -> None:
    # ITU-R BS.1770-5, annex 1, tables 1 and 2.
    expected = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
        [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
    ]
    assert k_filter(48_000) == pytest.approx(np.array(expected), abs=1e-7)


# EBU Tech 3341, table 1, cases 1 to 5.
CASES: dict[str, tuple[list[tuple[float, float]], float]] = {
    "1": ([(-23, 20)], -23),
    "2": ([(-33, 20)], -33),
    "3": ([(-36, 5), (-23, 30), (-36, 5)], -23),
    "4": ([(-72, 5), (-36, 5), (-23, 30), (-36, 5), (-72, 5)], -23),
    "5": ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_ebus_signals_read_as_they_must(case: str, rate: int) -> None:
    parts, expected = CASES[case]
    assert _loudness(_sines(rate, *parts), rate, 1 << 16) == pytest.approx(expected, abs=0.1)


def test_surround_channels_weigh_more_and_the_lfe_nothing() -> None:
    # EBU Tech 3341, case 6: L and R −28, C −24, Ls and Rs −30 dBFS read −23 LUFS.
    levels = [-28, -28, -24, None, -30, -30]
    x = np.stack(
        [tone(1000, 48_000, 20, 10 ** (db / 20)) if db else noise(960_000, 1)[:, 0] for db in levels], axis=1
    )
    assert _loudness(x, 48_000, 1 << 16) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000, 96_000])
def test_an_independent_meter_agrees(rate: int) -> None:
    x = pink(rate, 3, 2) * np.repeat([1.0, 0.02, 0.5], rate)[:, np.newaxis]
    expected = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(x)
    assert _loudness(x, rate) == pytest.approx(expected, abs=0.02)


@settings(deadline=None, derandomize=True, max_examples=12)
@given(st.integers(300, 20_000), st.sampled_from([11_025, 44_100]))
def test_the_cut_into_blocks_changes_nothing(blocks: int, rate: int) -> None:
    x = pink(rate, 1.3, 2)
    assert _loudness(x, rate, blocks) == pytest.approx(_loudness(x, rate, len(x)), abs=1e-9)
    assert _true_peak(x, blocks) == pytest.approx(_true_peak(x, len(x)), abs=1e-9)


def test_silence_and_snippets() -> None:
    assert _loudness(np.zeros((48_000, 2)), 48_000) == -math.inf
    assert _loudness(_sines(48_000, (-23, 0.1)), 48_000) == pytest.approx(-23, abs=0.7)  # the filter's start
    assert LoudnessMeter(48_000, 1).integrated == -math.inf


# EBU Tech 3341, cases 15 to 19: a sine's period in frames, its phase in degrees, its amplitude, the true peak in dBTP.
PEAKS = [(4, 0, 0.5, -6), (4, 45, 0.5, -6), (6, 60, 0.5, -6), (8, 67.5, 0.5, -6), (4, 45, 1.41, 3)]


@pytest.mark.parametrize(("period", "phase", "amplitude", "expected"), PEAKS)
def test_true_peaks_lie_between_the_samples(
    period: int, phase: float, amplitude: float, expected: float
) -> None:
    n = np.arange(4800)
    fade = np.minimum(1, np.minimum(n, n[::-1]) / 500)
    x = amplitude * fade * np.sin(2 * np.pi * n / period + np.radians(phase))
    assert -0.4 <= _true_peak(x[:, np.newaxis], 777) - expected <= 0.2


def test_the_true_peak_of_the_last_sample_counts() -> None:
    x = np.zeros((100, 1))
    x[-2:] = 0.9
    n = np.arange(-60, 60) + 0.5
    expected = 20 * math.log10(0.9 * (np.sinc(n) + np.sinc(n - 1)).max())
    assert _true_peak(x) == pytest.approx(expected, abs=0.5)
    assert _true_peak(x) > 20 * math.log10(0.9) + 1


def _file_loudness(path: Path) -> float:
    x, rate = soundfile.read(path, always_2d=True)
    return float(pyloudnorm.Meter(rate).integrated_loudness(x))


def test_the_output_is_as_loud_as_the_input(make_sound: MakeSound, tmp_path: Path) -> None:
    source = make_sound("in.wav", pink(44_100, 4, 2), 44_100, "PCM_24")
    report = process_file(source, tmp_path / "out.wav", BandPass(300, 3400), match_loudness=True)
    before, after = _file_loudness(source), _file_loudness(tmp_path / "out.wav")
    assert after == pytest.approx(before, abs=0.05)
    assert report.input_loudness == pytest.approx(before, abs=0.05)
    assert report.loudness == pytest.approx(after, abs=0.05)
    assert report.reduction_db == 0
    louder = process_file(source, tmp_path / "more.wav", BandPass(300, 3400), match_loudness=True, gain=-4)
    assert _file_loudness(tmp_path / "more.wav") == pytest.approx(before - 4, abs=0.05)
    assert louder.loudness == pytest.approx(before - 4, abs=0.05)


def test_a_target_and_a_ceiling_are_kept(make_sound: MakeSound, tmp_path: Path) -> None:
    source = make_sound("in.wav", pink(48_000, 3, 1), 48_000, "PCM_24")
    report = process_file(source, tmp_path / "out.wav", Reverb("room"), loudness=-30)
    assert _file_loudness(tmp_path / "out.wav") == pytest.approx(-30, abs=0.1)
    assert report.true_peak is not None
    assert report.true_peak >= report.peak_db - 0.01
    held = process_file(source, tmp_path / "held.wav", Reverb("room"), loudness=-6, ceiling=-1)
    assert held.true_peak == pytest.approx(-1, abs=1e-6)
    assert held.reduction_db > 3
    assert held.loudness == pytest.approx(-6 - held.reduction_db, abs=0.01)
    x, _ = soundfile.read(tmp_path / "held.wav", always_2d=True)
    assert _true_peak(x) == pytest.approx(-1, abs=0.01)
    # Without a ceiling, full scale holds.
    full = process_file(source, tmp_path / "full.wav", Reverb("room"), loudness=-6)
    assert full.clipped == 0
    assert full.peak == pytest.approx(1, abs=1e-3)


def test_a_ceiling_alone_only_lowers(make_sound: MakeSound, tmp_path: Path) -> None:
    source = make_sound("in.wav", 0.1 * pink(48_000, 1, 1), 48_000, "FLOAT")
    quiet = process_file(source, tmp_path / "a.wav", Gain(0), ceiling=-1)
    assert quiet.peak == pytest.approx(quiet.input_peak)
    loud = process_file(source, tmp_path / "b.wav", Gain(0), gain=60, ceiling=-3)
    assert loud.true_peak == pytest.approx(-3)
    assert loud.clipped == 0


def test_silence_stays_silence(make_sound: MakeSound, tmp_path: Path) -> None:
    source = make_sound("in.wav", np.zeros((5000, 2)))
    for n, settings_ in enumerate(({"match_loudness": True}, {"loudness": -16.0}, {"ceiling": -1.0})):
        report = process_file(source, tmp_path / f"{n}.wav", Gain(3), **settings_)  # type: ignore[arg-type]
        assert report.peak == 0
        assert report.loudness == -math.inf
