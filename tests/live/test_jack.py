"""Sessions on a real JACK server: the samples of real streams and callbacks are compared."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from reverb.live.play_record import measure_latency
from reverb.live.session import Session
from tests.live.jackd import RATE, JackServer, Rig, Sound, delay_of
from tests.nulls import null_db

pytestmark = pytest.mark.sound_server


def noise(seconds: float, channels: int = 2) -> Sound:
    return np.random.default_rng(1).uniform(-0.2, 0.2, (int(seconds * RATE), channels)).astype(np.float32)


def tone(seconds: float, hz: float = 440.0) -> Sound:
    n = np.arange(int(seconds * RATE))
    wave = 0.2 * np.sin(2 * np.pi * hz * n / RATE) * np.minimum(1.0, n / (0.2 * RATE))
    return np.column_stack([wave, wave]).astype(np.float32)


def synthetic(seconds: float, seed: int, name: str) -> reverb.ImpulseResponse:
    """A decaying noise with a direct sound in front, at the server's rate."""
    rng = np.random.default_rng(seed)
    n = np.arange(int(seconds * RATE))
    samples = rng.standard_normal((len(n), 2)) * np.exp(-6.9 * n / len(n))[:, np.newaxis]
    samples[0] = 4.0
    return reverb.ImpulseResponse(samples.astype(np.float32), RATE, name)


ROOMS = [synthetic(1.0 + 0.3 * k, k, f"room {k}") for k in range(3)]


def assert_renders(heard: Sound, expected: Sound) -> int:
    """Fail unless the heard sound is the offline render at a constant delay; return the delay."""
    delay = delay_of(heard[:RATE, 0], expected[:RATE, 0])
    found = null_db(heard[delay:], expected[: len(expected) - delay])
    assert found <= -100.0, f"null {found:.1f} dB at a delay of {delay}"
    return delay


@pytest.fixture(params=[128, 64])
def period(request: pytest.FixtureRequest, rig: Rig) -> Iterator[int]:
    """The server's block size."""
    rig.client.blocksize = request.param
    yield request.param
    rig.client.blocksize = 128


def test_live_is_the_offline_render_with_no_latency_of_its_own(rig: Rig, period: int) -> None:
    effect = reverb.Reverb(ROOMS[0], mix=0.4, predelay=0.01)
    x = noise(3.0)
    with Session(effect) as session:
        rig.wire()
        heard = rig.play(x, freewheel=True)
        assert session.stats().block_size == period
    # The server's own way through a client takes a period; nothing comes on top.
    assert assert_renders(heard, effect(x, RATE)[: len(x)]) == period


def test_at_the_pace_of_the_card_no_sample_is_lost(rig: Rig, period: int) -> None:
    """A synchronous server waits for late clients, so the samples are exact on any machine.

    scripts/bench_live.py compares the xruns with those of a bare stream.
    """
    effect = reverb.Reverb(synthetic(4.0, 7, "long"), wet=-6.0, dry=0.0)
    x = noise(2.0)
    with Session(effect) as session:
        rig.wire()
        heard = rig.play(x)
        stats = session.stats()
    assert assert_renders(heard, effect(x, RATE)[: len(x)]) == period
    assert stats.bad_blocks == stats.limited == 0


def test_nothing_that_moves_makes_a_click(rig: Rig) -> None:
    """Ten new responses a second, bypass on and off, and a thousand OSC messages a second, over a sustained tone."""
    pytest.importorskip("pythonosc")
    from tests.live.moving import jump_bound, largest_jump, restless

    x = tone(3.0)
    # The guard would take a lone rising tone for a howl.
    with Session(reverb.Reverb(ROOMS[0], mix=0.5), responses=ROOMS, feedback_guard=False) as session:
        rig.wire()
        with restless(session, session.responses) as osc:
            heard = rig.play(x)
        stats = session.stats()
    assert largest_jump(heard) <= jump_bound(x, heard, ROOMS, RATE)
    assert np.abs(heard[RATE // 2 :]).max() > 0.05
    assert osc.received > 0
    assert osc.refused == stats.bad_blocks == 0


def test_recordings_hold_what_was_heard_and_what_came_in(rig: Rig, tmp_path: Path) -> None:
    x = noise(2.0)
    with Session(reverb.Reverb(ROOMS[1], mix=0.5)) as session:
        session.record(tmp_path / "wet.wav", tmp_path / "dry.wav")
        rig.wire()
        heard = rig.play(x, freewheel=True)
        assert session.stats().lost == 0
    wet, rate = soundfile.read(tmp_path / "wet.wav", dtype="float32")
    dry, _ = soundfile.read(tmp_path / "dry.wav", dtype="float32")
    assert rate == RATE
    begun = int(np.argmax(dry[:, 0] != 0))
    np.testing.assert_array_equal(dry[begun : begun + len(x)], x)
    # What the rig heard is a period later than what went in.
    np.testing.assert_array_equal(wet[begun : begun + len(x) - 128], heard[128:])


def test_a_block_of_nan_never_reaches_the_speaker(rig: Rig) -> None:
    x = noise(1.0)
    x[20_000:20_003] = np.nan
    x[30_000, 1] = np.inf
    with Session(reverb.Reverb(ROOMS[0])) as session:
        rig.wire()
        heard = rig.play(x, freewheel=True)
        assert session.stats().bad_blocks == 2
    assert np.isfinite(heard).all()
    assert np.abs(heard[-4000:]).max() > 0.01


def test_the_round_trip_is_measured_to_the_frame(rig: Rig) -> None:
    report = measure_latency(ready=rig.loop)
    assert (report.frames, report.spread) == (128, 0)
    assert report.milliseconds == pytest.approx(2.667, abs=0.001)


def test_a_new_block_size_is_followed(rig: Rig) -> None:
    effect = reverb.Reverb(ROOMS[0], mix=1.0)
    x = noise(2.0)
    with Session(effect) as session:
        rig.client.blocksize = 256
        try:
            deadline = time.monotonic() + 5
            while session.stats().block_size != 256 and time.monotonic() < deadline:
                time.sleep(0.02)
            rig.wire()
            heard = rig.play(x, freewheel=True)
        finally:
            rig.client.blocksize = 128
        assert any("blocks of 256" in message for message in session.messages)
    assert assert_renders(heard, effect(x, RATE)[: len(x)]) == 256


def test_a_file_is_played_to_its_end_with_its_tail(rig: Rig, tmp_path: Path) -> None:
    x = noise(1.0)
    soundfile.write(tmp_path / "in.wav", x, RATE, "FLOAT")
    effect = reverb.Reverb(ROOMS[0], mix=0.5)
    with Session(effect, input_file=tmp_path / "in.wav", record=tmp_path / "out.wav") as session:
        rig.wire()
        assert session.wait(20)
    y, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    want = effect(x, RATE)
    delay = delay_of(y[:RATE, 0], want[:RATE, 0])
    # It begins when the fade-in is over, and not a sample of it is missing.
    assert delay >= 0.02 * RATE
    assert null_db(y[delay : delay + len(want)], want) <= -100.0


def test_a_rate_that_the_card_refuses_is_named(jackd: JackServer) -> None:  # noqa: ARG001
    with (
        pytest.raises(reverb.ReverbError, match=r"refuses 12345 Hz; it supports 48000"),
        Session(reverb.Gain(0.0), sample_rate=12345),
    ):
        pass


def test_midi_over_jack_moves_the_faders(jackd: JackServer) -> None:  # noqa: ARG001
    mido = pytest.importorskip("mido")
    pytest.importorskip("rtmidi")
    from reverb.live.cards import rescan
    from reverb.live.control.midi import MidiControl

    rescan()
    backend = "mido.backends.rtmidi/UNIX_JACK"
    session = Session(reverb.Reverb(ROOMS[0]), responses=ROOMS)
    # Outside the session: rtmidi holds the interpreter while it opens and closes JACK clients, and the callback waits.
    sender = mido.Backend(backend).open_output("out", virtual=True, client_name="keys")
    control = MidiControl(session, "keys", backend=backend)
    sender.send(mido.Message("control_change", control=91, value=0))  # too early, hence ignored
    with session:
        assert session.mix == 0.3
        sender.send(mido.Message("control_change", control=91, value=127))
        sender.send(mido.Message("program_change", program=2))
        deadline = time.monotonic() + 5
        while (session.mix, session.response.name) != (1.0, "room 2") and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (session.mix, session.response.name) == (1.0, "room 2")
    control.close()
    sender.close()
