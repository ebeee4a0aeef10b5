"""Folding with all kinds of effects: exact, bounded, and written as what makes it."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reverb
from reverb import (
    Band,
    BandPass,
    Chain,
    Curve,
    Delay,
    Echoes,
    Effect,
    Gain,
    HighCut,
    HighPass,
    HighShelf,
    ImpulseResponse,
    LowCut,
    LowPass,
    LowShelf,
    MidSide,
    Notch,
    Parallel,
    Peak,
    Reverb,
    RiaaCurve,
    Tilt,
    Weighting,
    Width,
    impulse,
)
from reverb.effects.fold import FLOOR_DB, fold, trim
from tests.nulls import null_db
from tests.signals import decaying, noise

Array = npt.NDArray[np.float64]
RATE = 8000

LEAVES = st.one_of(
    st.builds(Gain, st.floats(-20, 6)),
    st.just(Gain(-math.inf)),
    st.builds(Delay, st.floats(0, 0.02)),
    st.builds(Peak, st.floats(200, 3000), st.floats(-9, 9), st.floats(0.5, 3)),
    st.builds(
        LowShelf, st.sampled_from([300, 500]), st.floats(-6, 6), phase=st.sampled_from(["linear", "mixed"])
    ),
    st.builds(HighShelf, st.just(2000), st.floats(-6, 6)),
    st.builds(Tilt, st.floats(-3, 3)),
    st.builds(LowCut, st.just(100), st.sampled_from([6, 12])),
    st.builds(HighCut, st.just(3000), st.just(24)),
    st.builds(
        HighPass, st.just(700), transition=st.just(600), phase=st.sampled_from(["linear", "minimum", "mixed"])
    ),
    st.builds(
        BandPass, st.just(500), st.just(2000), transition=st.just(600), method=st.sampled_from(["equiripple"])
    ),
    st.builds(Band, st.just((400.0, 1500.0)), st.integers(0, 2)),
    st.builds(
        Echoes,
        st.floats(0.001, 0.02),
        st.floats(0, 0.6),
        floor=st.just(-60.0),
        damping=st.none() | st.just(800.0),
    ),
    st.builds(Width, st.floats(0, 2)),
    st.builds(MidSide, mid=st.just(Peak(1000, 3)), side=st.just(LowPass(1500, transition=900))),
    st.builds(lambda mix: Reverb("living-room", mix=mix), st.sampled_from([0.2, 0.5])),
)
GROUPS = st.lists(LEAVES, min_size=1, max_size=3).flatmap(
    lambda e: st.sampled_from([Chain(tuple(e)), Parallel(tuple(e))])
)
CHAINS = st.lists(st.one_of(LEAVES, GROUPS), min_size=1, max_size=4).map(lambda e: Chain(tuple(e)))


def _applied(effect: object, x: Array, zero: int) -> tuple[Array, int]:
    """The effect's parts one after the other by direct convolution in float64; the frame of time zero."""
    if isinstance(effect, Chain):
        for part in effect.effects:
            x, zero = _applied(part, x, zero)
        return x, zero
    if isinstance(effect, Parallel):
        branches = [_applied(part, x, zero) for part in effect.effects]
        latest = max(z for _, z in branches)
        y = np.zeros((max(len(b) + latest - z for b, z in branches), 2))
        for branch, z in branches:
            y[latest - z : latest - z + len(branch)] += branch
        return y, latest
    response = effect.response(RATE).for_channels(2)  # type: ignore[attr-defined]
    y = np.zeros((len(x) + response.frames - 1, 2))
    for i, o, row in response.wiring.paths:
        y[:, o] += np.convolve(x[:, i], response.samples[:, row].astype(np.float64))
    return y, zero + response.latency


@settings(deadline=None, derandomize=True, max_examples=25)
@given(CHAINS)
def test_folding_is_sequential_application(effect: Effect) -> None:
    x = noise(300, 2, seed=4)
    expected, zero = _applied(effect, x, 0)
    response = fold(effect, RATE, 2)
    assert response.latency == zero
    assert response.frames == len(expected) - len(x) + 1  # the sum of the tails
    actual = effect(x, RATE)
    if not expected.any():
        assert not actual.any()
        return
    assert null_db(actual, expected[zero:]) <= -120
    trimmed = fold(effect, RATE, 2, floor_db=FLOOR_DB)
    cut = Chain((trimmed,))(x, RATE)
    padded = np.zeros_like(expected[zero:])
    padded[: len(cut)] = cut
    assert null_db(padded, expected[zero:]) <= -120


@settings(deadline=None, derandomize=True, max_examples=60)
@given(CHAINS)
def test_repr_makes_the_effect_again(effect: Effect) -> None:
    again = eval(repr(effect), vars(reverb) | {name: getattr(reverb, name) for name in reverb.__all__})
    assert again == effect
    assert hash(again) == hash(effect)
    assert repr(again) == repr(effect)


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (
            HighPass(120) >> Reverb("church", mix=0.25, predelay=0.03) >> Peak(3000, gain_db=2, q=1.4),
            "HighPass(cutoff=120) >> Reverb(impulse_response='church', mix=0.25, predelay=0.03) >> "
            "Peak(frequency=3000, gain_db=2, q=1.4)",
        ),
        ((Gain(1) >> Gain(2)) + Gain(3), "(Gain(db=1) >> Gain(db=2)) + Gain(db=3)"),
        (Gain(1) >> (Gain(2) + Gain(3)), "Gain(db=1) >> (Gain(db=2) + Gain(db=3))"),
        (Chain((Gain(np.float64(1.5)),)), "Chain((Gain(db=1.5),))"),
        (Chain((impulse("hall"), impulse("plate"))), "Chain((impulse('hall'), impulse('plate')))"),
        (impulse("hall") >> Gain(-math.inf), "impulse('hall') >> Gain(db=float('-inf'))"),
        (Reverb(impulse("hall", "stereo")), "Reverb(impulse_response=impulse('hall', 'stereo'), mix=0.3)"),
        (Weighting("A", phase="linear"), "Weighting(curve='A', phase='linear')"),
        (Curve([(100, 1), (200, 2)]), "Curve(points=((100.0, 1.0), (200.0, 2.0)))"),
        (RiaaCurve(), "RiaaCurve()"),
        (MidSide(side=Notch(50)), "MidSide(side=Notch(frequency=50))"),
        (MidSide(side=Gain(1) >> Notch(50)), "MidSide(side=Gain(db=1) >> Notch(frequency=50))"),
    ],
)
def test_repr_reads_like_the_sentence(effect: Effect, text: str) -> None:
    assert repr(effect) == text
    assert eval(text, {name: getattr(reverb, name) for name in reverb.__all__}) == effect


def test_a_reverb_of_a_file_is_written_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reverb.save_response(ImpulseResponse(decaying(100, 2), RATE), "it's mine.wav")
    effect = Reverb("it's mine.wav", wet=-3)
    assert repr(effect) == 'Reverb(impulse_response="it\'s mine.wav", wet=-3)'
    assert eval(repr(effect), {"Reverb": Reverb}) == effect
    # What is made of a response comes from no file any more.
    assert impulse("hall").gain(-1).origin is None
    assert impulse("hall").gain(-1) != impulse("hall")
    assert "<ImpulseResponse" in repr(Reverb(impulse("hall").gain(-1)))


def test_trimming_leaves_out_only_what_lies_below_the_floor() -> None:
    samples = np.concatenate(
        [[1e-8, 1e-5, 0.5, 1.0], np.full(200, 2e-7), [0.01], 10.0 ** -np.arange(3.5, 12.0)]
    )
    response = ImpulseResponse(samples, RATE, latency=3)
    cut = trim(response, -120)
    assert cut.samples[:, 0].tolist() == samples[1:-5].tolist()
    assert cut.latency == 2
    assert trim(response, -250) is response
    silent = ImpulseResponse(np.zeros(5), RATE)
    assert trim(silent) is silent
    # Time zero is kept, though nothing sounds there.
    late = ImpulseResponse([1.0, 0, 0, 0, 0], RATE, latency=3)
    assert (trim(late).frames, trim(late).latency) == (4, 3)


def test_mixed_rates_fold_at_the_sessions() -> None:
    room = ImpulseResponse(decaying(900, 2), 44_100)
    effect = LowCut(100) >> room >> Peak(2000, 3)
    for rate in (32_000, 44_100, 96_000):
        assert effect.response(rate).sample_rate == rate


def test_a_dry_path_beside_linear_phase_stays_aligned() -> None:
    click = np.zeros(3000)
    click[1000] = 1.0
    for branch in (LowPass(1000), LowShelf(200, 6, phase="linear"), Peak(500, 3, phase="mixed")):
        y = (Gain(0) + branch)(click, RATE)
        assert int(np.abs(y).argmax()) == 1000
