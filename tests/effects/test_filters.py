"""Filters, against their specification: on the taps by direct transform, and on tones."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from reverb.choices import Phase
from reverb.effects.filters import BandPass, BandStop, Filter, HighPass, LowPass
from reverb.effects.fold import apply
from reverb.errors import ParameterError
from tests.effects.transforms import gain_at
from tests.signals import Signal, tone

KINDS: dict[str, Callable[..., Filter]] = {
    "lowpass": lambda rate, **more: LowPass(0.21 * rate, **more),
    "highpass": lambda rate, **more: HighPass(0.013 * rate, **more),
    "bandpass": lambda rate, **more: BandPass(0.04 * rate, 0.13 * rate, **more),
    "bandstop": lambda rate, **more: BandStop(0.04 * rate, 0.13 * rate, **more),
}
RATES = (8000, 44_100, 192_000)


def _edges(spec: Filter) -> list[float]:
    return [spec.cutoff] if isinstance(spec, LowPass | HighPass) else [spec.low, spec.high]  # type: ignore[attr-defined]


def _bands(spec: Filter, width: float, rate: int) -> tuple[Signal, Signal]:
    """Frequencies of the pass band and of the stop band, their borders among them."""
    bounds = [0.0]
    for edge in _edges(spec):
        bounds += [edge - width / 2, edge + width / 2]
    bounds.append(rate / 2)
    spans = [np.linspace(low, high, 701) for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
    passing = {LowPass: [0], HighPass: [1], BandPass: [1], BandStop: [0, 2]}[type(spec)]
    stopping = [n for n in range(len(spans)) if n not in passing]
    return np.concatenate([spans[n] for n in passing]), np.concatenate([spans[n] for n in stopping])


@pytest.mark.parametrize("phase", ["linear", "minimum"])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("attenuation", [30, 80, 140])
@pytest.mark.parametrize("kind", KINDS)
def test_the_specification_is_met(kind: str, attenuation: float, rate: int, phase: Phase) -> None:
    width = 0.02 * rate
    spec = KINDS[kind](rate, transition=width, attenuation=attenuation, phase=phase)
    taps = spec.response(rate).samples[:, 0]
    passing, stopping = _bands(spec, width, rate)
    reached = -20 * np.log10(gain_at(taps, stopping, rate).max())
    assert reached >= attenuation - 0.01
    ripple = np.abs(gain_at(taps, passing, rate) - 1).max()
    # Linear phase has the ripple of the stop band in the pass band, too; turning it costs some.
    assert 20 * math.log10(ripple) <= -(attenuation - 0.01 if phase == "linear" else min(attenuation - 4, 90))


@pytest.mark.parametrize("phase", ["linear", "minimum"])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_cutoff_is_the_6_db_point(kind: str, rate: int, phase: Phase) -> None:
    spec = KINDS[kind](rate, phase=phase)
    taps = spec.response(rate).samples[:, 0]
    at_edges = 20 * np.log10(gain_at(taps, np.array(_edges(spec)), rate))
    assert at_edges == pytest.approx(20 * math.log10(0.5), abs=0.05)


@pytest.mark.parametrize("cutoff", [20, 100, 1000, 8000, 20_000, 22_000])
def test_the_default_transition_suits_any_cutoff(cutoff: float) -> None:
    for spec in (LowPass(cutoff), HighPass(cutoff)):
        taps = spec.response(44_100).samples[:, 0]
        width = min(0.2 * cutoff, 2 * (22_050 - cutoff))
        _, stopping = _bands(spec, width, 44_100)
        # The border of the stop band stands for it all here: the taps of a 20 Hz filter are many.
        borders = np.array([cutoff - width / 2, cutoff + width / 2])
        border = borders[1:] if isinstance(spec, LowPass) else borders[:1]
        assert -20 * np.log10(gain_at(taps, np.append(border, stopping[::100]), 44_100).max()) >= 79.9


@pytest.mark.parametrize("kind", KINDS)
def test_linear_phase_is_symmetric_about_its_latency(kind: str) -> None:
    response = KINDS[kind](48_000).response(48_000)
    taps = response.samples[:, 0]
    assert len(taps) % 2 == 1
    assert np.abs(taps - taps[::-1]).max() < 1e-15
    assert response.latency == len(taps) // 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attenuation", [30, 80, 140])
def test_minimum_phase_has_the_same_magnitude_and_comes_at_once(kind: str, attenuation: float) -> None:
    rate = 48_000
    linear, minimum = (
        KINDS[kind](rate, transition=1200, attenuation=attenuation, phase=phase).response(rate)
        for phase in ("linear", "minimum")
    )
    frequencies = np.linspace(0, rate / 2, 2001)
    difference = gain_at(linear.samples[:, 0], frequencies, rate) - gain_at(
        minimum.samples[:, 0], frequencies, rate
    )
    assert 20 * np.log10(np.abs(difference).max()) < -60
    assert minimum.latency == 0
    # Of all filters of a magnitude, the minimum-phase one has gathered the most energy at every moment.
    gathered = [np.cumsum(r.samples[:, 0] ** 2) for r in (minimum, linear)]
    assert (gathered[0] >= gathered[1] - 1e-4).all()


def test_minimum_phase_has_no_zero_outside_the_unit_circle() -> None:
    taps = LowPass(12_000, transition=6000, phase="minimum").response(48_000).samples[:, 0]
    assert len(taps) < 60  # few enough for their roots to be found
    assert np.abs(np.roots(taps)).max() < 1.02  # those of the stop band lie on it


def test_a_long_minimum_phase_filter_keeps_its_specification() -> None:
    rate = 44_100
    taps = HighPass(20, phase="minimum").response(rate).samples[:, 0]
    size = 1 << 20
    gain = np.abs(np.fft.rfft(taps, size))
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    assert -20 * np.log10(gain[frequencies <= 18].max()) > 79.5
    assert 20 * np.log10(np.abs(gain[frequencies >= 22] - 1).max()) < -76


@pytest.mark.parametrize("phase", ["linear", "minimum"])
@pytest.mark.parametrize(
    ("spec", "kept", "killed"),
    [
        (LowPass, [100, 1800], [2250, 9000]),
        (HighPass, [2250, 9000], [100, 1750]),
        (BandPass, [2250, 2750], [100, 1700, 3300, 9000]),
        (BandStop, [100, 1700, 3300, 9000], [2300, 2700]),
    ],
)
def test_tones_are_kept_or_killed(
    spec: type[Filter], kept: list[int], killed: list[int], phase: Phase
) -> None:
    rate = 32_000
    edges = (2000,) if spec in (LowPass, HighPass) else (2000, 3000)
    effect = spec(*edges, phase=phase)
    for frequency in kept:
        x = tone(frequency, rate)
        y = apply(effect, x, rate)[: len(x)]
        middle = slice(rate // 4, -rate // 4)
        assert 20 * np.log10(y[middle].std() / x[middle].std()) == pytest.approx(0, abs=0.01)
        if phase == "linear":  # aligned: nothing but rounding is left
            assert np.abs(y[middle] - x[middle]).max() < 1e-3
    for frequency in killed:
        x = tone(frequency, rate)
        y = apply(effect, x, rate)[: len(x)]
        assert 20 * np.log10(y[rate // 4 : -rate // 4].std() / x.std()) < -79


def test_a_low_and_a_high_pass_complement_each_other() -> None:
    rate = 48_000
    both = LowPass(1000).response(rate) + HighPass(1000).response(rate)
    dry = np.zeros(both.frames)
    dry[both.latency] = 1
    assert np.abs(both.samples[:, 0] - dry).max() < 2e-4  # 80 dB


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LowPass(0), "cutoff is 0 Hz; expected more than 0 Hz"),
        (lambda: HighPass(-10), "cutoff is -10 Hz; expected more than 0 Hz"),
        (lambda: LowPass(math.nan), "cutoff is nan Hz"),
        (lambda: LowPass(math.inf), "cutoff is inf Hz"),
        (lambda: BandPass(0, 100), "cutoff is 0 Hz"),
        (lambda: BandPass(300, 200), "low 300 Hz, high 200 Hz; expected low below high"),
        (lambda: BandStop(300, 300), "expected low below high"),
        (lambda: LowPass(100, transition=-1), "transition is -1 Hz; expected more than 0 Hz"),
        (lambda: LowPass(100, transition=0), "transition is 0 Hz"),
        (lambda: LowPass(100, transition=math.nan), "transition is nan Hz"),
        (lambda: LowPass(100, attenuation=20), "attenuation is 20; expected a number from 21 to 180 dB"),
        (lambda: LowPass(100, attenuation=181), "expected a number from 21 to 180 dB"),
        (lambda: LowPass(100, attenuation=math.nan), "expected a number from 21 to 180 dB"),
        (lambda: LowPass(100, phase="zero"), "phase is 'zero'; expected 'linear' or 'minimum'"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_refused_at_once(make: Callable[[], Filter], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            LowPass(24_000),
            "cutoff 24000 Hz; expected more than 0 and less than 24000 Hz, half the sample rate",
        ),
        (BandPass(100, 30_000), "cutoff 30000 Hz; expected more than 0 and less than 24000 Hz"),
        (
            LowPass(1000, transition=2001),
            "transition 2001 Hz; at a sample rate of 48000 Hz at most 2000 Hz fit",
        ),
        (BandStop(1000, 1400, transition=500), "at most 400 Hz fit around 1000 and 1400 Hz"),
        (LowPass(20_000, transition=9000), "at most 8000 Hz fit"),
        (HighPass(1, transition=0.01), "needs .* taps; at most 1048576 are built. Choose a wider transition"),
    ],
)
def test_what_does_not_fit_the_sample_rate_names_the_allowed_range(spec: Filter, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        spec.response(48_000)


def test_filters_are_values() -> None:
    assert LowPass(100) == LowPass(100)
    assert len({LowPass(100), LowPass(100), HighPass(100)}) == 2
    assert LowPass(100).response(48_000) == LowPass(100).response(48_000)
    assert "cutoff=100" in repr(LowPass(100))
