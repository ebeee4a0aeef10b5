"""Files beside the audio thread: the ring buffer, the player and the recorder."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.errors import AudioFileError, ParameterError
from reverb.live.files import Player, Recorder, Ring

RATE = 48_000

# ---- the ring ----


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(1, 50), st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_a_ring_gives_what_was_pushed_in_order(capacity: int, steps: list[tuple[bool, int]]) -> None:
    ring, value = Ring(capacity, 2), 0.0
    expected: list[float] = []
    for pushing, count in steps:
        if pushing:
            block = np.arange(value, value + count, dtype=np.float32).repeat(2).reshape(-1, 2)
            taken = ring.push(block)
            assert taken is (count <= capacity - len(expected))
            if taken:
                expected += list(block[:, 0])
                value += count
        else:
            out = np.full((count, 2), -1, np.float32)
            got = ring.pull(out)
            assert got == min(count, len(expected))
            assert out[:got, 0].tolist() == expected[:got]
            assert (out[:got, 0] == out[:got, 1]).all()
            del expected[:got]
        assert ring.waiting == len(expected)


# ---- the player ----


def play_out(player: Player, block: int = 128, longest: int = 10 * RATE) -> npt.NDArray[Any]:
    """Play all there is, at the pace of the disk."""
    out = np.empty((block, player.channels), np.float32)
    blocks = [np.zeros((0, player.channels), np.float32)]
    while not player.finished and len(blocks) * block < longest:
        while player.waiting < block and not player.read_all:
            time.sleep(0.001)
        player.pull(out)
        blocks.append(out.copy())
    assert player.starved == 0
    return np.concatenate(blocks)


def test_a_player_gives_the_file_and_then_silence(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (6 * RATE + 17, 2)).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", x, RATE, "FLOAT")
    player = Player(tmp_path / "in.wav", RATE)
    heard = play_out(player)
    player.close()
    np.testing.assert_array_equal(heard[: len(x)], x)
    assert not heard[len(x) :].any()


def test_a_looped_file_goes_on_without_a_gap(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (1000, 1)).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", x, RATE, "FLOAT")
    player = Player(tmp_path / "in.wav", RATE, loop=True)
    heard = play_out(player, longest=RATE)
    assert not player.finished
    player.close()
    np.testing.assert_array_equal(heard[:RATE], np.tile(x, (60, 1))[: len(heard[:RATE])])


def test_a_file_of_another_rate_is_resampled(tmp_path: Path) -> None:
    n = np.arange(44_100)
    soundfile.write(tmp_path / "in.wav", 0.5 * np.sin(2 * np.pi * 1000 * n / 44_100), 44_100, "FLOAT")
    player = Player(tmp_path / "in.wav", RATE)
    heard = play_out(player)[:, 0]
    player.close()
    want = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(heard[2000 : RATE - 2000], want[2000 : RATE - 2000], atol=1e-5)


def test_a_player_says_what_is_wrong_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file"):
        Player(tmp_path / "missing.wav", RATE)
    soundfile.write(tmp_path / "bad.wav", np.full(100, np.nan, np.float32), RATE, "FLOAT")
    player = Player(tmp_path / "bad.wav", RATE)
    play_out(player)
    player.close()
    assert player.failure is not None
    assert "NaN" in player.failure


# ---- the recorder ----


@pytest.mark.parametrize("ending", ["wav", "w64", "rf64", "aiff", "caf", "au"])
def test_a_recording_is_exact_and_readable_while_it_is_made(tmp_path: Path, ending: str) -> None:
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (RATE // 4, 2)).astype(np.float32)
    recorder = Recorder(tmp_path / f"take.{ending}", RATE, 2)
    for start in range(0, len(x), 1000):
        recorder.push(x[start : start + 1000])
    deadline = time.monotonic() + 5
    while recorder.frames < len(x) and time.monotonic() < deadline:
        time.sleep(0.01)
    # As if the process died now: the header has to be right already.
    early, _ = soundfile.read(tmp_path / f"take.{ending}", dtype="float32")
    np.testing.assert_array_equal(early, x)
    recorder.close()
    whole, rate = soundfile.read(tmp_path / f"take.{ending}", dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(whole, x)
    assert recorder.lost == 0


def test_a_slow_disk_costs_counted_frames_and_never_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled = threading.Event()
    write = soundfile.SoundFile.write
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda *a: (stalled.wait(10), write(*a))[1])
    recorder = Recorder(tmp_path / "take.wav", RATE, 1, seconds=0.1)
    block = np.ones((480, 1), np.float32)
    for _ in range(30):
        recorder.push(block)
        time.sleep(0.01)
    assert 0 < recorder.lost < 30 * 480
    stalled.set()
    recorder.close()
    assert soundfile.info(tmp_path / "take.wav").frames == 30 * 480 - recorder.lost


def test_a_full_disk_ends_the_recording_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise soundfile.LibsndfileError(2, "no space left")

    recorder = Recorder(tmp_path / "take.wav", RATE, 1)
    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    recorder.push(np.ones((480, 1), np.float32))
    recorder.close()
    assert recorder.failure is not None
    assert "take.wav" in recorder.failure


def test_a_full_file_is_continued_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverb.live.files._MAX_BYTES", 4 * 2 * 1000)
    x = np.random.default_rng(0).uniform(-1, 1, (2500, 2)).astype(np.float32)
    recorder = Recorder(tmp_path / "take.wav", RATE, 2)
    recorder.push(x)
    recorder.close()
    assert [path.name for path in recorder.paths] == ["take.wav", "take-2.wav", "take-3.wav"]
    parts = [soundfile.read(path, dtype="float32")[0] for path in recorder.paths]
    np.testing.assert_array_equal(np.concatenate(parts), x)


def test_a_recording_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(b"mine")
    with pytest.raises(AudioFileError, match="exists already"):
        Recorder(path, RATE, 2)
    assert path.read_bytes() == b"mine"
    Recorder(path, RATE, 2, overwrite=True).close()
    assert soundfile.info(path).channels == 2


@pytest.mark.parametrize("name", ["take.flac", "take.ogg", "take.mp3", "take.txt", "take"])
def test_formats_that_a_crash_would_break_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError):
        Recorder(tmp_path / name, RATE, 2)
