"""Recordings: exact, valid at any time, and none of their frames lost or counted twice."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverb.errors import AudioFileError, ParameterError
from reverb.live.recorder import Recorder, Recordings
from tests.interleaving import interrupted

RATE = 48_000


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
    monkeypatch.setattr("reverb.live.recorder._MAX_BYTES", 4 * 2 * 1000)
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
