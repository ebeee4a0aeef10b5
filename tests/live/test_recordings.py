"""The recordings of a session: none of their frames are missed or counted twice, whatever thread reads."""

from pathlib import Path

import numpy as np

from reverb.live.recordings import Recordings
from tests.interleaving import interrupted

RATE = 48_000


def started(tmp_path: Path) -> Recordings:
    recordings = Recordings(RATE, 1, 1)
    recordings.start(tmp_path / "take.wav", tmp_path / "dry.wav", overwrite=True)
    assert recordings.current is not None
    recordings.current.wet.push(np.ones((480, 1), np.float32))
    recordings.current.wet.lost = 7
    return recordings


def test_a_recording_may_stop_at_any_step_of_reading_its_figures(tmp_path: Path) -> None:
    step, stopped = 0, [True]
    while stopped:
        step, stopped = step + 1, []
        recordings = started(tmp_path)
        path, frames, lost, failures = interrupted(
            lambda r=recordings: (r.path, r.frames, r.lost, r.failures),  # type: ignore[misc]
            step,
            lambda r=recordings, s=stopped: s.append(bool(r.stop())),  # type: ignore[misc]
        )
        assert path in (None, tmp_path / "take.wav")
        assert frames in (0, 480)
        assert (lost, failures) == (7, [])
        recordings.stop()
        assert (recordings.path, recordings.frames, recordings.lost) == (None, 480, 7)
        assert recordings.paths == [tmp_path / "take.wav", tmp_path / "dry.wav"]
    assert step > 20


def test_figures_may_be_read_at_any_step_of_stopping(tmp_path: Path) -> None:
    step, read = 0, [7]
    while read:
        step, read = step + 1, []
        recordings = started(tmp_path)
        interrupted(recordings.stop, step, lambda r=recordings, seen=read: seen.append(r.lost))  # type: ignore[misc]
        assert read in ([], [7])  # neither twice nor not at all
        assert (recordings.frames, recordings.lost) == (480, 7)
    assert step > 20
