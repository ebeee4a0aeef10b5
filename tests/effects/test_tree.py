"""An effect names its parts, and everything that looks inside one follows: proved with composites made here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

import reverb
from reverb import Chain, Effect, Gain, ImpulseResponse, Leveled, LowPass, MidSide, Parallel, Reverb
from reverb.effects.effect import HasResponse, response_of
from reverb.effects.fold import FLOOR_DB, fold
from reverb.effects.tree import explain, fingerprint, first, replace_first, walk
from reverb.errors import ParameterError, PresetError
from reverb.live.loader import room_of, with_room
from reverb.live.prepare import prepare
from reverb.render.batch.tasks import Draw, Treatment
from reverb.store.presets import load_chain, names, read_preset
from tests.nulls import null_db
from tests.signals import decaying, noise

RATE = 48_000


@dataclass(frozen=True, repr=False)
class Upside(Effect):
    """An effect whose output is inverted."""

    inside: HasResponse

    def parts(self) -> tuple[HasResponse, ...]:
        return (self.inside,)

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        return replace(self, inside=parts[0])

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        return response_of(self.inside, sample_rate, causal=causal) * -1.0


@dataclass(frozen=True, repr=False)
class Older(Upside):
    """The same by an author who knows of no `causal`."""

    def response(self, sample_rate: int) -> ImpulseResponse:  # type: ignore[override]
        assert isinstance(self.inside, HasResponse)
        return self.inside.response(sample_rate) * -1.0


class Foreign:
    """No effect of this package, but something with a response."""

    def response(self, sample_rate: int) -> ImpulseResponse:
        return ImpulseResponse(np.array([0.5, 0.25]), sample_rate, "foreign")


def room(seed: int = 0, rate: int = 44_100, channels: int = 1) -> ImpulseResponse:
    return ImpulseResponse(decaying(rate // 8, channels, seed=seed), rate, f"room {seed}")


Make = Callable[[HasResponse], Effect]
COMPOSITES: list[Make] = [
    Upside,
    Older,
    lambda inside: MidSide(mid=inside),
    lambda inside: Gain(0) + Upside(inside),
    Leveled,
]


@pytest.mark.parametrize("make", COMPOSITES)
@pytest.mark.parametrize("inside", [room(), Gain(-3) >> Foreign() >> room(), Reverb(room(), mix=0.5)])
def test_a_composite_is_live_without_latency(make: Make, inside: HasResponse) -> None:
    effect = make(inside)
    assert effect.response(RATE).latency > 0  # the resampler's ringing
    assert prepare(effect, RATE, 2, 2).latency == 0
    linear = make(Chain((LowPass(2000, transition=1000), inside)))
    assert prepare(linear, RATE, 2, 2).latency == LowPass(2000, transition=1000).response(RATE).latency


@pytest.mark.parametrize("make", COMPOSITES)
def test_the_room_of_a_composite_can_be_exchanged(make: Make) -> None:
    for effect in (make(room()), make(Gain(-3) >> room()), make(Reverb(room(), mix=0.5))):
        assert room_of(effect) == room()
        changed = with_room(effect, room(7))
        assert room_of(changed) == room(7)
        assert with_room(changed, room()) == effect
    with pytest.raises(ParameterError, match="no impulse response that could be exchanged"):
        with_room(make(Gain(0)), room())


def test_a_composite_is_explained_folded_and_trimmed() -> None:
    effect = Upside(Gain(-6) >> room(rate=RATE))
    explained = explain(Gain(0) >> effect >> Foreign(), RATE)
    assert [step.text for step in explained.steps][:2] == ["Gain(db=0)", repr(effect)]
    assert [step.frames for step in explained.steps] == [1, RATE // 8, 2]
    x = noise(500).ravel()
    expected = np.convolve(x, -(10 ** (-6 / 20)) * room(rate=RATE).samples[:, 0])
    folded = fold(effect, RATE, 1).samples[:, 0]
    assert null_db(np.convolve(x, folded), expected) < -250
    assert null_db(effect(x, RATE), expected) < -250
    padded = Upside(ImpulseResponse(np.append(np.ones(10), np.zeros(500)), RATE))
    assert fold(padded, RATE, 1, floor_db=FLOOR_DB).frames == 10


def test_a_composite_is_told_from_others_by_its_inside() -> None:
    effects = [Upside(room()), Upside(room(1)), Older(room()), Upside(Foreign()), Upside(Gain(-1) >> room())]
    assert len({fingerprint(effect) for effect in effects}) == len(effects)
    assert fingerprint(Upside(room())) == fingerprint(Upside(replace(room(), name="another name")))


def test_augmentation_reaches_the_reverb_inside() -> None:
    draw = Draw(seed=1, variant=1, mix=0.25, predelay=0.01)
    for make in (Upside, Leveled, lambda inside: Gain(0) + (Gain(-3) >> inside)):
        applied = draw.apply(Treatment("t", make(Reverb(room(), mix=0.5))))
        assert applied.effect == make(Reverb(room(), mix=0.25, predelay=0.01))
    assert draw.apply(Treatment("t", Upside(room()))).effect == Upside(room())
    levels = Upside(Reverb(room(), wet=-6.0, dry=-3.0))  # a drawn mix takes their place
    assert draw.apply(Treatment("t", levels)).effect == Upside(Reverb(room(), mix=0.25, predelay=0.01))


def test_a_preset_refuses_a_type_that_it_does_not_know() -> None:
    with pytest.raises(PresetError, match="unknown type 'upside'"):
        read_preset('format = 1\n[[step]]\ntype = "upside"\n', "some.toml")


@pytest.mark.parametrize("name", sorted(names()))
def test_every_bundled_preset_with_a_room_can_step_through_rooms_live(name: str) -> None:
    effect = load_chain(name)
    own = room_of(effect)
    if own is None:
        assert first(effect, Reverb) is None
        assert "ir =" not in names()[name].read_text()
        return
    other = reverb.impulse("plate" if own.name != "plate" else "hall")
    changed = with_room(effect, other)
    assert room_of(changed) == other
    prepared = prepare(changed, RATE, 2, 2)
    assert prepared.response.frames > 1


def test_walking_and_replacing() -> None:
    effect = Gain(1) >> (Gain(2) + Upside(Gain(3)))
    assert [node.db for node in walk(effect) if isinstance(node, Gain)] == [1, 2, 3]
    assert first(effect, Upside) == Upside(Gain(3))
    assert first(effect, Reverb) is None
    assert replace_first(effect, Upside, lambda node: node.inside) == Gain(1) >> (Gain(2) + Gain(3))
    assert replace_first(effect, Reverb, lambda node: node) is effect
    for node in (*walk(effect), MidSide(), Reverb(room()), Leveled(Gain(0))):
        assert isinstance(node, Effect)
        assert node.with_parts(node.parts()) == node
        with pytest.raises(ParameterError, match="parts for"):
            Parallel.with_parts(Parallel((Gain(0), Gain(1))), ())
