"""A file in place of the card's input."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from reverb.errors import AudioFileError
from reverb.live.player import Player

RATE = 48_000


def play_out(player: Player, block: int = 128, longest: int = 10 * RATE) -> npt.NDArray[Any]:
    """Play all there is, at the pace of the disk."""
    out = np.empty((block, player.channels), np.float32)
    blocks = [np.zeros((0, player.channels), np.float32)]
    while not player.finished and len(blocks) * block < longest:
        while player._ring.waiting < block and not player._read_all:
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
