"""Decay times as targets, against synthetic decays and real rooms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb.arrays import Array
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.decay import shaping
from reverb.responses.decay.shaping import scale_decay, with_rt60
from reverb.responses.response import ImpulseResponse
from reverb.responses.tail import extend_tail
from reverb.store.library import impulse
from reverb.store.response_files import load_response
from tests.responses.decays import RATE, broadband_t30, decay, t30


@pytest.mark.parametrize("target", [0.5, 2.0])
def test_one_number_is_the_whole_ranges_t30_and_scales_all_bands(target: float) -> None:
    before = decay(1.5, 1.0, 2)
    after = with_rt60(before, target)
    assert broadband_t30(after) == pytest.approx(target, rel=0.03)
    for centre, seconds in t30(after).items():
        if centre >= 250:
            assert seconds == pytest.approx(t30(before)[centre] * target, rel=0.08), centre


def test_each_octave_reaches_its_own_target() -> None:
    targets = {125.0: 1.6, 250.0: 1.4, 500.0: 1.2, 1000.0: 1.0, 2000.0: 0.8, 4000.0: 0.6, 8000.0: 0.45}
    found = t30(with_rt60(decay(1.5, 1.0), targets))
    for centre, seconds in targets.items():
        assert found[centre] == pytest.approx(seconds, rel=0.03), centre


def test_a_real_room_reaches_its_targets_and_keeps_its_direct_sound() -> None:
    room = impulse("room")
    targets = {125.0: 0.8, 1000.0: 0.6, 8000.0: 0.3}
    shaped = with_rt60(room, targets)
    found = t30(shaped)
    for centre, seconds in targets.items():
        assert found[centre] == pytest.approx(seconds, rel=0.03), centre
    np.testing.assert_allclose(shaped.samples[0], room.samples[0], rtol=1e-3)
    assert shaped.samples.dtype == room.samples.dtype
    assert with_rt60(room, targets) == shaped


@pytest.mark.parametrize("targets", [{1000.0: 1.0, 2000.0: 0.4, 4000.0: 1.0}, {2000.0: 1.5, 4000.0: 0.5}])
def test_octaves_that_shall_differ_much_reach_their_targets(targets: dict[float, float]) -> None:
    found = t30(with_rt60(decay(1.5, 1.0), targets))
    assert {centre: found[centre] for centre in targets} == pytest.approx(targets, rel=0.03)


@pytest.mark.parametrize("factors", [(1.5, 1.5), (1.5, 0.6)])
def test_octaves_that_are_not_straight_do_not_lead_the_others_astray(
    factors: tuple[float, float], audio_folder: Path
) -> None:
    real = load_response(audio_folder / "ir" / "gh_audiomentations_rir48000_quiet.wav")
    before = t30(real)
    change = np.geomspace(*factors, 8)
    octaves = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
    targets = {c: before[c] * f for c, f in zip(octaves, change, strict=True) if c not in (1000.0, 2000.0)}
    found = t30(with_rt60(real, targets))
    assert {centre: found[centre] for centre in targets} == pytest.approx(targets, rel=0.03)


def test_where_no_common_factor_serves_each_channel_goes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    iterate = shaping._iterate

    def in_vain(samples: Array, *others: Any, **settings: Any) -> tuple[Array, float]:
        return (samples, 1.0) if samples.shape[1] == 2 else iterate(samples, *others, **settings)

    monkeypatch.setattr(shaping, "_iterate", in_vain)
    pair = [decay(1.5, seconds, seed=n).samples[:, 0] for n, seconds in enumerate((0.6, 0.9))]
    targets = {500.0: 0.7, 1000.0: 0.7, 2000.0: 0.7}
    shaped = with_rt60(ImpulseResponse(np.column_stack(pair), RATE, "two rooms"), targets)
    for channel in shaped.samples.T:
        found = t30(ImpulseResponse(channel, RATE, "one of them"))
        assert {centre: found[centre] for centre in targets} == pytest.approx(targets, rel=0.03)
    left, right = shaped.samples[-RATE // 4 :].T
    assert abs(left @ right) < 0.2 * np.linalg.norm(left) * np.linalg.norm(right)


def test_noise_is_not_lifted() -> None:
    noisy = decay(2.0, 1.0, floor_db=-45)
    longer = with_rt60(noisy, 2.0)
    assert broadband_t30(longer) == pytest.approx(2.0, rel=0.03)
    tail = longer.samples[-RATE // 2 :, 0].astype(float)
    assert 10 * np.log10(np.mean(tail**2)) < -60


@pytest.mark.parametrize("wrong", [0.001, 100.0, float("nan"), {}, {700.0: 1.0}, {1000.0: -1.0}])
def test_impossible_targets(wrong: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        with_rt60(decay(1.0, 0.8), wrong)  # type: ignore[arg-type]


def test_too_much_change_is_said() -> None:
    with pytest.raises(ParameterError, match="at most 8 times"):
        with_rt60(decay(1.0, 0.5), 9.0)


def test_what_does_not_decay_has_no_decay_time() -> None:
    steady = ImpulseResponse(np.random.default_rng(1).standard_normal(RATE), RATE)
    edits: tuple[Callable[[ImpulseResponse], ImpulseResponse], ...] = (
        lambda h: with_rt60(h, 1.0),
        extend_tail,
    )
    for edit in edits:
        with pytest.raises(InvalidAudioError, match="no decay"):
            edit(steady)


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_a_factor_scales_the_decay_of_all_bands(factor: float) -> None:
    before = decay(1.5, 1.0, 2)
    after = scale_decay(before, factor)
    for centre, seconds in t30(after).items():
        if centre >= 250:
            assert seconds == pytest.approx(t30(before)[centre] * factor, rel=0.1), centre
    assert scale_decay(before, 1.0) is before
    with pytest.raises(ParameterError, match=r"decay is 9; expected a number from 0\.125 to 8"):
        scale_decay(before, 9)
