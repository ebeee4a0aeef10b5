"""Sessions on a card that is a thread: their sound, their controls, and errors while they run."""

# ruff: noqa: PT012  # what a session raises, it raises where its block ends

import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import reverb
from reverb.errors import InvalidAudioError, NotRunningError, ParameterError
from reverb.live.session import Session
from tests.live.fakes import RATE, FakeCard, eventually, noise, open_session, room, settle, then
from tests.nulls import null_db


@pytest.mark.parametrize("size", [64, 100, 441])
def test_it_plays_the_offline_render(size: int) -> None:
    card, effect, x = FakeCard(then(size)), reverb.Reverb(room(), mix=0.6, predelay=0.003), noise()
    with open_session(card, effect) as session:
        settle(session)
        heard = card.stream.play(x)
        assert session.stats().block_size == size
    want = effect(x, RATE)
    assert null_db(heard[: len(want)], want) <= -100


@pytest.mark.parametrize(
    ("inputs", "outputs", "channels"), [(1, 2, 1), (1, 2, 2), (1, 2, 4), (2, 2, 1), (2, 2, 4), (1, 1, 1)]
)
def test_channels_are_those_of_the_offline_render(inputs: int, outputs: int, channels: int) -> None:
    card = FakeCard(inputs=inputs, outputs=outputs)
    effect, x = reverb.Reverb(room(channels=channels), mix=0.5), noise(channels=inputs)
    with open_session(card, effect) as session:
        settle(session)
        heard = card.stream.play(x)
    want = effect(x, RATE)
    assert null_db(heard[: len(want)], np.broadcast_to(want, (len(want), outputs))) <= -100


def test_a_mono_output_hears_both_sides_of_a_room() -> None:
    card, x, hall = FakeCard(inputs=1, outputs=1), noise(channels=1), room()
    effect = reverb.Reverb(hall, wet=0.0, dry=float("-inf"), level="none")
    with open_session(card, effect) as session:
        settle(session)
        heard = card.stream.play(0.05 * x)[:, 0]
    left, right = (np.convolve(0.05 * x[:, 0], hall.samples[:, side]) for side in (0, 1))
    both = (left + right) / 2
    assert null_db(heard[: len(both)], both) <= -100


@pytest.mark.parametrize("mix", [0.0, 0.25, 0.8, 1.0])
def test_a_moved_mix_is_the_reverb_of_that_mix(mix: float) -> None:
    card, hall, x = FakeCard(), room(), noise()
    with open_session(card, reverb.Reverb(hall, mix=0.5)) as session:
        session.mix = mix
        settle(session)
        heard = card.stream.play(x)
    want = reverb.Reverb(hall, mix=mix)(x, RATE)
    assert null_db(heard[: len(want)], want) <= -100


def test_wet_dry_gain_bypass_and_mute() -> None:
    card, hall, x = FakeCard(), room(), noise()
    with open_session(card, reverb.Reverb(hall)) as session:
        session.wet, session.dry, session.gain = -12.0, -3.0, 2.0
        assert session.mix is None
        settle(session)
        heard = card.stream.play(x)
        want = reverb.Reverb(hall, wet=-12.0, dry=-3.0)(x, RATE) * 10 ** (2 / 20)
        assert null_db(heard[: len(want)], want) <= -100
        session.bypass = True
        settle(session)
        np.testing.assert_array_equal(card.stream.play(x)[: len(x)], x)
        session.mute = True
        settle(session)
        assert not card.stream.play(x).any()


def test_a_bypassed_mono_input_keeps_its_level() -> None:
    card, x = FakeCard(inputs=1), noise(channels=1)
    with open_session(card, reverb.Reverb(room(), mix=0.0)) as session:
        settle(session)
        dry = card.stream.play(x)
        session.bypass = True
        settle(session)
        bypassed = card.stream.play(x)
    assert null_db(bypassed, dry) <= -100


@pytest.mark.parametrize("transition", ["crossfade", "spillover"])
def test_another_effect_takes_over_with_its_own_levels(transition: Any) -> None:
    card, x = FakeCard(), noise()
    first, second = reverb.Reverb(room(), mix=0.2), reverb.Reverb(room(0.4), wet=-6.0, dry=-9.0)
    with open_session(card, first, transition=transition) as session:
        session.swap(second)
        settle(session)
        heard = card.stream.play(x)
        assert session.mix is None
        assert (session.wet, session.dry) == pytest.approx((-6, -9))
    want = second(x, RATE)
    assert null_db(heard[: len(want)], want) <= -100


def test_another_response_leaves_the_faders() -> None:
    card, x = FakeCard(), noise()
    rooms = [room(name="a"), room(0.3, name="b"), room(0.1, name="c")]
    with open_session(card, reverb.Reverb(rooms[0], mix=0.2), responses=rooms) as session:
        session.mix = 0.7
        session.step(-1)
        assert eventually(lambda: session.response.name == "c")
        session.step(2)
        assert eventually(lambda: session.response.name == "b")
        settle(session)
        heard = card.stream.play(x)
    want = reverb.Reverb(rooms[1], mix=0.7)(x, RATE)
    assert null_db(heard[: len(want)], want) <= -100


def test_a_chain_is_wet_only_and_its_room_can_be_exchanged() -> None:
    card, x, other = FakeCard(), noise(), room(0.1, name="other")
    chain = reverb.HighPass(200, transition=200, phase="minimum") >> reverb.Reverb(room(), mix=0.5)
    with open_session(card, chain, responses=[other]) as session:
        assert session.mix is None
        assert session.dry == float("-inf")
        settle(session)
        heard = card.stream.play(x)
        want = chain(x, RATE)
        assert null_db(heard[: len(want)], want) <= -100
        session.choose("other")
        settle(session)
        heard = card.stream.play(x)
        want = reverb.Chain((chain.effects[0], reverb.Reverb(other, mix=0.5)))(x, RATE)
        assert null_db(heard[: len(want)], want) <= -100


def test_a_linear_phase_filter_is_late_and_says_so() -> None:
    card, x = FakeCard(), noise()
    effect = reverb.LowPass(2000, transition=1000)
    late = effect.response(RATE).latency
    with open_session(card, reverb.Gain(0.0)) as session:
        assert session.stats().effect_latency == 0
        session.swap(effect)  # needs more latency than there was: a new processor, faded out and in
        settle(session)
        assert session.stats().effect_latency == late > 0
        heard = card.stream.play(x)
    want = effect(x, RATE)
    assert null_db(heard[late : late + len(want)], want) <= -100


def test_an_effect_without_a_room_has_none_to_exchange() -> None:
    with open_session(FakeCard(), reverb.Gain(0.0)) as session:
        with pytest.raises(
            ParameterError, match="no impulse response that could be exchanged; expected a reverb"
        ):
            session.choose("hall")
        session.request("hall")
        assert eventually(
            lambda: any(
                "no impulse response that could be exchanged" in message for message in session.messages
            )
        )


def test_a_response_of_other_channels_is_refused_and_the_sound_goes_on() -> None:
    card, x, hall = FakeCard(), noise(), room()
    with open_session(card, reverb.Reverb(hall, mix=0.5)) as session:
        with pytest.raises(InvalidAudioError):
            session.swap(reverb.ImpulseResponse(np.ones((10, 6)), RATE, "3x2", "3x2"))
        settle(session)
        heard = card.stream.play(x)
    want = reverb.Reverb(hall, mix=0.5)(x, RATE)
    assert null_db(heard[: len(want)], want) <= -100


def test_a_file_is_played_whole_and_recorded_with_its_tail(tmp_path: Path) -> None:
    x, effect = noise(), reverb.Reverb(room(), mix=0.5)
    soundfile.write(tmp_path / "in.wav", x, RATE, "FLOAT")
    settings = {
        "input_file": tmp_path / "in.wav",
        "record": tmp_path / "out.wav",
        "record_dry": tmp_path / "dry.wav",
    }
    with open_session(FakeCard(), effect, **settings) as session:
        assert session.wait(10)
        assert session.ended
    wet, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    dry, _ = soundfile.read(tmp_path / "dry.wav", dtype="float32")
    begun = int(np.argmax(dry[:, 0] != 0))
    np.testing.assert_array_equal(dry[begun : begun + len(x)], x)
    want = effect(x, RATE)
    assert null_db(wet[begun : begun + len(want)], want) <= -100
    assert session.recorded == [tmp_path / "out.wav", tmp_path / "dry.wav"]
    assert session.stats().starved == 0


def test_what_the_callback_raises_is_raised_in_the_main_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    card = FakeCard()
    with pytest.raises(ZeroDivisionError), open_session(card, reverb.Reverb(room())) as session:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(session.engine.processor.convolver, "process", broken)
        heard = card.stream.play(noise(1000))
        assert not heard.any()
        session.wait(5)
        pytest.fail("wait should have raised")


def test_bad_blocks_become_silence() -> None:
    card, x = FakeCard(), noise()
    x[1000] = np.nan
    x[9000] = np.inf
    with open_session(card, reverb.Reverb(room())) as session:
        settle(session)
        heard = card.stream.play(x)
        session.swap(reverb.LowPass(2000, transition=1000))  # a new processor, which goes on counting
        assert session.stats().bad_blocks == 2
        assert session.stats().input.highest == pytest.approx(20 * np.log10(0.2), abs=0.1)
    assert np.isfinite(heard).all()


def test_the_limiter_holds_and_can_be_left_out() -> None:
    x = np.full((RATE // 4, 2), 0.5, np.float32)
    for limiter, highest in ((True, 1.0), (False, 2.0)):
        card = FakeCard()
        with open_session(card, reverb.Gain(0.0), gain=12.0, limiter=limiter) as session:
            settle(session)
            heard = card.stream.play(x)
            assert bool(session.stats().limited) is limiter
        assert np.abs(heard).max() <= highest
        assert np.abs(heard).max() > 0.95 * highest


def test_it_fades_in_and_out() -> None:
    card = FakeCard()
    with open_session(card, reverb.Gain(0.0)) as session:
        processor = session.engine.processor
        settle(session)
        assert not processor.silent
    assert processor.silent


def test_the_interpreter_is_given_back_as_it_was() -> None:
    before = (sys.getswitchinterval(), gc.isenabled())
    with open_session(FakeCard(), reverb.Gain(0.0)):
        assert sys.getswitchinterval() < 0.001
        assert not gc.isenabled()
        with open_session(FakeCard(), reverb.Gain(0.0)):
            pass
        assert not gc.isenabled()
    assert (sys.getswitchinterval(), gc.isenabled()) == before


def test_before_it_has_begun_it_says_how_to_begin() -> None:
    session = Session(reverb.Gain(0.0))
    for use in (session.stats, session.wait, lambda: session.mix, lambda: session.request("hall")):
        with pytest.raises(NotRunningError, match="with Session"):
            use()
    assert not session.started


def test_nothing_of_it_goes_on_after_its_end() -> None:
    before = set(threading.enumerate())
    with open_session(FakeCard(), reverb.Gain(0.0)):
        assert set(threading.enumerate()) > before
    assert eventually(lambda: set(threading.enumerate()) <= before)


def test_recording_started_by_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    card = FakeCard()
    with open_session(card, reverb.Gain(0.0)) as session:
        session.toggle_recording()
        path = session.recording
        assert path is not None
        settle(session)
        card.stream.play(noise())
        session.toggle_recording()
        assert session.recording is None
        assert any("recorded" in message for message in session.messages)
    assert soundfile.info(path).frames >= RATE // 2


@pytest.fixture(autouse=True)
def _collector_stays_on() -> Iterator[None]:
    yield
    assert gc.isenabled()
