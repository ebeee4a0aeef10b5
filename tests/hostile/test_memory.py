"""Algebra with the largest responses needs little more memory than the responses."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from reverb.effects import crossover as crossovers
from reverb.effects.crossover import crossover
from reverb.effects.echoes import Delay, Echoes
from reverb.effects.effect import Chain, Effect, Parallel
from reverb.effects.filters import LowPass
from reverb.effects.fold import trim
from reverb.effects.gain import Gain, Leveled
from reverb.effects.stereo import MidSide
from reverb.effects.tree import explain
from reverb.engine.convolve import convolve
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses import level, spectra
from reverb.responses.response import ImpulseResponse, unit
from tests.nulls import null_db
from tests.signals import decaying, noise

RATE = 96_000
WIDE = ImpulseResponse(decaying(1 << 20, 4).astype(np.float32), RATE)
LATE = Delay(3.0) >> LowPass(8000)


def _peak(make: Callable[[], object]) -> int:
    """Return the peak of bytes allocated by a call."""
    make()  # imports and caches do not count
    tracemalloc.start()
    make()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    ("make", "times"),
    [
        (lambda: trim(WIDE), 1.5),
        (lambda: Leveled(WIDE, "peak").response(RATE), 1.1),
        (lambda: Leveled(WIDE, "energy").response(RATE), 1.1),
        (lambda: WIDE.response(88_200), 2.0),
        (lambda: MidSide(LATE).response(RATE), 2.0),
    ],
    ids=["trim", "peak", "energy", "resample", "mid-side"],
)
def test_what_is_made_takes_few_times_its_size(make: Callable[[], ImpulseResponse], times: float) -> None:
    assert _peak(make) < times * make().samples.nbytes


class _Spy(Effect):
    """An effect that changes nothing, and records the memory in use when its response is requested."""

    def __init__(self) -> None:
        self.seen = 0

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:  # noqa: ARG002
        self.seen = tracemalloc.get_traced_memory()[0]
        return unit(sample_rate, np.float32)


@pytest.mark.parametrize("kind", [Chain, Parallel])
def test_one_response_is_held_while_the_next_is_made(kind: type[Chain] | type[Parallel]) -> None:
    first, spy = Echoes(0.1, 0.8, ping_pong=True), _Spy()
    effect = kind((first, Gain(-1.0), spy))
    _peak(lambda: effect.response(RATE))
    assert spy.seen < 1.1 * first.response(RATE).samples.nbytes


def test_the_loudness_of_a_long_response_takes_less_than_the_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mono = ImpulseResponse(decaying(1 << 20), RATE)
    whole = _peak(lambda: level.loudness_ratio(mono))
    monkeypatch.setattr(spectra, "LONG", 0)
    monkeypatch.setattr(spectra, "_PART", 1 << 14)
    assert _peak(lambda: level.loudness_ratio(mono)) < mono.samples.nbytes / 2 < whole / 2


def test_explaining_a_long_chain_takes_little_more_than_its_response(monkeypatch: pytest.MonkeyPatch) -> None:
    mono = ImpulseResponse(decaying(1 << 20), RATE)
    whole, expected = _peak(lambda: explain(mono, RATE)), explain(mono, RATE)
    monkeypatch.setattr(spectra, "LONG", 0)
    monkeypatch.setattr(spectra, "_PART", 1 << 14)
    assert _peak(lambda: explain(mono, RATE)) < 1.2 * mono.samples.nbytes < whole / 1.5
    assert explain(mono, RATE).whole.gains == pytest.approx(expected.whole.gains, abs=0.05)


def test_a_convolution_takes_less_memory_where_it_is_bounded() -> None:
    x, h = (noise(1 << 18, 1, seed).astype(np.float32) for seed in (1, 2))
    free = convolve(x, h, workers=1)
    assert null_db(convolve(x, h, workers=1, memory=3 << 20), free) < -120
    peaks = [
        _peak(lambda memory=memory: convolve(x, h, workers=1, memory=memory)) - free.nbytes  # type: ignore[misc]
        for memory in (3 << 20, None)
    ]
    assert peaks[0] < 4 << 20 < peaks[1]


def test_a_whole_convolution_need_not_be_copied_to_be_kept() -> None:
    assert convolve(WIDE.samples, np.ones(2)).flags.owndata


def test_middle_and_side_of_too_many_samples_are_refused() -> None:
    with pytest.raises(InvalidAudioError, match=r"mid/side would have 4800001 frames × 4 channels"):
        MidSide(Delay(50)).response(RATE)


def test_a_crossover_of_too_many_taps_is_refused_and_none_is_made_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    make = LowPass.response

    def response(self: LowPass, sample_rate: int) -> ImpulseResponse:
        asked.append(self.cutoff)
        return make(self, sample_rate)

    monkeypatch.setattr(LowPass, "response", response)
    edges = [100.0 * n for n in range(1, 4)]
    Parallel(crossover(*edges, slope=None, transition=40)).response(RATE)
    assert asked == edges
    monkeypatch.setattr(crossovers, "_MAX_TAPS", 50_000)
    with pytest.raises(
        ParameterError, match=r"3 crossover frequencies take more than 50000 taps at 96000 Hz"
    ):
        Parallel(crossover(*edges, slope=None, transition=20)).response(RATE)
