"""The feedback guard: a growing howl is ducked, music is left alone."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from reverb.levels import from_db
from reverb.live.feedback import INTERVAL_SECONDS, FeedbackGuard, find_tone
from reverb.live.levels import PathLevels
from reverb.live.prepare import prepare
from reverb.live.processor import ChannelMap, LiveProcessor

RATE, BLOCK = 48_000, 128
EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"
CHANNELS = ChannelMap(inputs=(0,), outputs=(0,), mono=False, channels=1)


def make_processor(effect: reverb.Reverb | reverb.Gain) -> LiveProcessor:
    prepared = prepare(effect, RATE, 1, 1)
    return LiveProcessor(prepared, PathLevels(prepared.dry, prepared.wet), CHANNELS, RATE, BLOCK)


def watch(processor: LiveProcessor, guard: FeedbackGuard, blocks: int) -> list[str]:
    """Look as often as a session does."""
    if blocks % round(INTERVAL_SECONDS * RATE / BLOCK):
        return []
    message = guard.decide(find_tone(processor.tap.read(), RATE))
    processor.duck = from_db(guard.gain_db)
    return [message] if message else []


def play(
    sound: np.ndarray, loop_gain: float = 0.0, loop_blocks: int = 1, guarded: bool = True
) -> tuple[np.ndarray, list[str], FeedbackGuard]:
    """Play sound (frames,) through a room whose speaker the microphone hears, some blocks late, at some gain."""
    processor, guard = make_processor(reverb.Reverb("room", mix=0.3)), FeedbackGuard()
    heard = [np.zeros((BLOCK, 1), np.float32)] * loop_blocks
    messages = []
    for n in range(len(sound) // BLOCK):
        microphone = sound[n * BLOCK : (n + 1) * BLOCK, np.newaxis] + loop_gain * heard[-loop_blocks]
        out = np.empty((BLOCK, 1), np.float32)
        processor.process(np.clip(microphone, -1, 1).astype(np.float32), out)
        heard.append(out)
        if guarded:
            messages += watch(processor, guard, n)
    return np.concatenate(heard[loop_blocks:])[:, 0], messages, guard


@pytest.mark.parametrize(("loop_gain", "loop_blocks"), [(1.15, 1), (0.75, 8), (0.85, 16)])
def test_a_howl_is_ducked_and_named(loop_gain: float, loop_blocks: int) -> None:
    quiet = 0.001 * np.random.default_rng(0).standard_normal(10 * RATE).astype(np.float32)
    howling, _, _ = play(quiet, loop_gain, loop_blocks, guarded=False)
    ducked, messages, guard = play(quiet, loop_gain, loop_blocks)
    assert np.abs(howling[-RATE:]).max() > 0.9
    assert guard.howls >= 1
    assert "feedback at" in messages[0]
    # In the end it has found a level at which it stays quiet.
    assert np.abs(ducked[-RATE:]).max() < 0.1 * np.abs(howling[-RATE:]).max()


@pytest.mark.parametrize("name", ["guitar.flac", "drum-roll.flac"])
def test_music_is_left_alone(name: str) -> None:
    path = EXAMPLES / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    _, messages, guard = play(sound[: 8 * rate, 0])
    assert messages == []
    assert guard.gain_db == 0.0


def test_steady_and_fading_tones_are_left_alone() -> None:
    n = np.arange(3 * RATE)
    tone = np.sin(2 * np.pi * 660 * n / RATE).astype(np.float32)
    for envelope in (np.full(len(n), 0.4), 0.6 * np.exp(-n / RATE), 0.02 + 0.3 * (n > RATE)):
        _, messages, _ = play((tone * envelope).astype(np.float32))
        assert messages == []


def test_the_look_finds_frequency_and_level() -> None:
    n = np.arange(4096)
    found = find_tone((0.5 * np.sin(2 * np.pi * 1000 * n / RATE)).astype(np.float32), RATE)
    assert found.frequency == pytest.approx(1000, abs=RATE / 4096)
    assert found.level_db == pytest.approx(-6.0, abs=0.3)
    assert found.pure
    square = 0.5 * np.sign(np.sin(2 * np.pi * 1000 * n / RATE))
    assert not find_tone(square.astype(np.float32), RATE).pure
    assert find_tone(square.astype(np.float32), RATE).tonal
    noise = np.random.default_rng(0).standard_normal(4096).astype(np.float32)
    assert not find_tone(noise, RATE).tonal
    assert not find_tone(np.zeros(4096, np.float32), RATE).pure


def test_calming_forgets_howls() -> None:
    _, _, guard = play(0.003 * np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32), 1.15)
    assert guard.howls
    guard.reset()
    assert (guard.howls, guard.gain_db) == (0, 0.0)
