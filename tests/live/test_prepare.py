"""Preparation of effects for a session: the mix in closed form, and the removal of a resampler's latency."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reverb
from reverb.effects.effect import response_of
from reverb.errors import InvalidAudioError, ParameterError
from reverb.live.loader import room_of, with_room
from reverb.live.prepare import prepare
from reverb.responses.level import loudness_ratio
from reverb.responses.response import unit

RATE = 48_000
quick = settings(deadline=None, derandomize=True, max_examples=12)


def decaying(rate: int = RATE, seed: int = 0, channels: int = 2) -> reverb.ImpulseResponse:
    n = np.arange(rate // 4)
    samples = (
        np.random.default_rng(seed).standard_normal((len(n), channels))
        * np.exp(-30 * n / rate)[:, np.newaxis]
    )
    samples[0] += 3.0
    return reverb.ImpulseResponse(samples, rate, "decaying")


@quick
@given(st.floats(0.0, 1.0), st.sampled_from(["loudness", "energy", "peak", "none"]), st.integers(0, 5))
def test_the_mix_law_is_what_the_reverb_measures(mix: float, level: str, seed: int) -> None:
    effect = reverb.Reverb(decaying(seed=seed), mix=0.5, level=level)  # type: ignore[arg-type]
    prepared = prepare(effect, RATE, 2, 2)
    dry, wet = prepared.levels(mix)
    live = (unit(RATE) * dry + prepared.response * wet).samples
    offline = reverb.Reverb(decaying(seed=seed), mix=mix, level=level).response(RATE).samples  # type: ignore[arg-type]
    assert np.abs(live - offline).max() <= 1e-6 * np.abs(offline).max()


def test_the_mix_keeps_the_loudness() -> None:
    prepared = prepare(reverb.Reverb("hall"), RATE, 2, 2)
    for mix in (0.0, 0.1, 0.5, 0.9, 1.0):
        dry, wet = prepared.levels(mix)
        assert loudness_ratio(unit(RATE) * dry + prepared.response * wet) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("mix", [-0.1, 1.1, float("nan")])
def test_a_mix_out_of_range_is_refused(mix: float) -> None:
    with pytest.raises(ParameterError, match="mix"):
        prepare(reverb.Gain(0), RATE, 2, 2).levels(mix)


def test_a_resampled_room_starts_at_once() -> None:
    room = decaying(44_100)
    assert room.response(RATE).latency > 0
    for effect in (room, reverb.Reverb(room), reverb.Gain(0) >> reverb.Reverb(room), reverb.Gain(0) + room):
        assert response_of(effect, RATE, causal=True).latency == 0
        assert prepare(effect, RATE, 2, 2).latency == 0


@pytest.mark.parametrize(("rate", "within"), [(44_100, (0.1, 0.1)), (96_000, (0.2, 0.8))])
def test_what_a_room_loses_by_starting_at_once(rate: int, within: tuple[float, float]) -> None:
    """The bundled hall at another rate: octave levels with and without what lies before time zero, in dB."""
    hall = reverb.impulse("hall")
    whole, cut = hall.response(rate), hall.response(rate, causal=True)
    assert cut.latency == 0
    size = 1 << 20
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    power = [np.abs(np.fft.rfft(r.samples[:, 0].astype(np.float64), size)) ** 2 for r in (whole, cut)]
    for octave in (125, 250, 500, 1000, 2000, 4000, 8000, 16_000):
        band = (frequencies > octave / 2**0.5) & (frequencies < min(octave * 2**0.5, 20_000))
        change = 10 * np.log10(power[1][band].sum() / power[0][band].sum())
        assert abs(change) <= within[octave > 8000]


def test_a_predelay_makes_room_for_the_ringing() -> None:
    room = decaying(44_100)
    effect = reverb.Reverb(room, wet=0.0, dry=float("-inf"), predelay=0.02)
    whole = effect.response(RATE)
    np.testing.assert_allclose(
        prepare(effect, RATE, 2, 2).response.samples, whole.samples[whole.latency :], atol=1e-6
    )


def test_a_leveled_chain_starts_at_once_and_can_change_its_room() -> None:
    effect = reverb.Leveled(reverb.Gain(6) >> reverb.Reverb(decaying(44_100)))
    wet = response_of(effect, RATE, causal=True)
    assert wet.latency == 0
    assert loudness_ratio(wet) == pytest.approx(1, rel=1e-5)
    other = decaying(seed=3)
    changed = with_room(effect, other)
    assert room_of(changed) == other
    assert changed == reverb.Leveled(reverb.Gain(6) >> reverb.Reverb(other))


def test_linear_phase_keeps_its_latency() -> None:
    low = reverb.LowPass(2000, transition=1000)
    late = low.response(RATE).latency
    assert late > 0
    assert prepare(low >> reverb.Reverb(decaying(44_100)), RATE, 2, 2).latency == late


@pytest.mark.parametrize(("inputs", "outputs", "scale"), [(1, 2, 0.5**0.5), (2, 2, 1.0), (1, 1, 1.0)])
def test_mono_is_spread_at_equal_power(inputs: int, outputs: int, scale: float) -> None:
    prepared = prepare(reverb.Reverb(decaying()), RATE, inputs, outputs)
    assert prepared.dry_scale == pytest.approx(scale)
    assert (prepared.response.wiring.inputs, prepared.response.wiring.outputs) == (inputs, outputs)


def test_too_many_outputs_are_refused() -> None:
    wide = reverb.ImpulseResponse(np.ones((10, 6)), RATE, "wide", "2x3")
    with pytest.raises(InvalidAudioError, match="3 channels"):
        prepare(wide, RATE, 2, 2)
