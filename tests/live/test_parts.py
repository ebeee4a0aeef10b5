"""The parts of a session, each by itself: ring, recorder, player, meters, timing, limiter."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.effects.effect import Gain
from reverb.errors import AudioFileError, ParameterError
from reverb.live.limiter import Limiter
from reverb.live.meters import LevelMeter
from reverb.live.player import Player
from reverb.live.prepare import prepare
from reverb.live.processor import Levels, Strip
from reverb.live.recorder import Recorder
from reverb.live.ring import Ring
from reverb.live.timing import Timing
from reverb.live.wires import Wires

RATE = 48_000
quick = settings(deadline=None, derandomize=True, max_examples=50)


@quick
@given(st.integers(1, 50), st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_a_ring_gives_what_was_pushed_in_order(capacity: int, steps: list[tuple[bool, int]]) -> None:
    ring, expected, value = Ring(capacity, 2), [], 0.0
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
    monkeypatch.setattr("reverb.live.recorder._BYTES_LIMIT", 4 * 2 * 1000)
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


def play_out(player: Player, block: int = 128, longest: int = 10 * RATE) -> np.ndarray:
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


def test_the_limiter_is_exactly_transparent_below_its_threshold() -> None:
    limiter = Limiter(256, 2, threshold_db=-3.0)
    x = np.random.default_rng(0).uniform(-0.7, 0.7, (256, 2)).astype(np.float32)
    y = x.copy()
    limiter.process(y)
    np.testing.assert_array_equal(y, x)
    assert limiter.limited == 0


@quick
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=64))
def test_nothing_leaves_the_limiter_beyond_full_scale(values: list[float]) -> None:
    limiter = Limiter(len(values), 1)
    x = np.array(values, np.float32)[:, np.newaxis]
    y = x.copy()
    limiter.process(y)
    threshold = float(limiter.threshold)
    assert np.abs(y).max() <= 1.0
    assert (np.sign(y) == np.sign(x)).all()
    quiet = np.abs(x) <= threshold
    np.testing.assert_array_equal(y[quiet], x[quiet])
    over = np.abs(x.astype(np.float64)) - threshold
    curve = threshold + (1 - threshold) * np.tanh(over / (1 - threshold))
    np.testing.assert_allclose(np.abs(y[~quiet]), curve[~quiet], rtol=1e-5)


def test_the_limiter_bends_without_a_corner() -> None:
    limiter = Limiter(20_001, 1)
    x = np.linspace(0.8, 1.2, 20_001, dtype=np.float32)[:, np.newaxis]
    y = x.copy()
    limiter.process(y)
    slope = np.diff(y[:, 0].astype(np.float64)) / np.diff(x[:, 0].astype(np.float64))
    assert slope.max() < 1.01
    assert np.abs(np.diff(slope)).max() < 0.02


@pytest.mark.parametrize("threshold", [0.0, -30.0, float("nan")])
def test_a_limiter_of_no_use_is_refused(threshold: float) -> None:
    with pytest.raises(ParameterError, match="threshold"):
        Limiter(64, 2, threshold)


def feed(meter: LevelMeter, sound: np.ndarray, block: int = 480) -> None:
    for start in range(0, len(sound), block):
        meter.push(sound[start : start + block])


def test_meters_read_a_sine_as_they_should() -> None:
    meter = LevelMeter(2, RATE, 480)
    n = np.arange(2 * RATE)
    wave = np.sin(2 * np.pi * 1000 * n / RATE)
    feed(meter, np.column_stack([0.5 * wave, 0.25 * wave]).astype(np.float32))
    level = meter.read()
    assert level.peak == pytest.approx((-6.02, -12.04), abs=0.1)
    assert level.hold == pytest.approx((-6.02, -12.04), abs=0.1)
    assert level.rms == pytest.approx((-9.03, -15.05), abs=0.1)
    assert level.highest == pytest.approx(-6.02, abs=0.01)
    assert level.clipped == 0


def test_peaks_fall_and_are_held() -> None:
    meter = LevelMeter(1, RATE, 480)
    burst = np.ones((480, 1), np.float32)
    feed(meter, burst)
    feed(meter, np.zeros((RATE, 1), np.float32))
    level = meter.read()
    assert level.peak[0] == pytest.approx(-20 / 1.7, abs=0.2)
    assert level.hold[0] == pytest.approx(0.0, abs=0.01)
    feed(meter, np.zeros((RATE, 1), np.float32))
    assert meter.read().hold[0] < -15.0
    assert meter.read().clipped == 1
    meter.calm()
    assert meter.read().clipped == 0
    assert meter.read().highest == 0.0


def test_a_meter_takes_in_every_block_however_late_it_is_read() -> None:
    seen, late = LevelMeter(2, RATE, 64), LevelMeter(2, RATE, 64)
    sound = np.random.default_rng(0).uniform(-1, 1, (3 * RATE // 128 * 64, 2)).astype(np.float32)
    sound[64 * 1000 + 5, 1] = -1.5
    for start in range(0, len(sound), 64):
        seen.push(sound[start : start + 64])
        late.push(sound[start : start + 64])
        seen.follow()
    assert seen.read() == late.read()
    assert late.read().highest == pytest.approx(20 * np.log10(1.5))
    assert late.read().clipped == 1


def test_a_meter_that_is_not_read_for_long_goes_on_with_the_latest() -> None:
    meter = LevelMeter(1, RATE, 480)
    feed(meter, np.ones((RATE, 1), np.float32))
    feed(meter, np.full((6 * RATE, 1), 0.5, np.float32))
    level = meter.read()
    assert (level.peak[0], level.highest, level.clipped) == pytest.approx((-6.02, -6.02, 0), abs=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e20])
@pytest.mark.parametrize("comes_in", [True, False])
def test_a_broken_block_leaves_the_strip_as_silence(
    bad: float, comes_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare(Gain(0), RATE, 1, 1)
    wires = Wires(inputs=(0,), outputs=(0,), mono=False, channels=1)
    strip = Strip(prepared, Levels(prepared.dry, prepared.wet), wires, RATE, 64)
    block, out = np.full((64, 1), 0.1, np.float32), np.zeros((64, 1), np.float32)
    for _ in range(40):  # until it has faded in
        strip.process(block, out)
    np.testing.assert_allclose(out, block, rtol=1e-5)
    broken = block.copy()
    broken[1] = bad
    with monkeypatch.context() as patch:
        if not comes_in:  # the engine itself gives it
            patch.setattr(strip.convolver, "process", lambda _block, given: np.copyto(given, broken))
        strip.process(broken if comes_in else block, out)
    assert np.abs(out).max() < 1e-7  # the engine's rounding of the block before
    assert strip.bad_blocks == 1
    strip.process(block, out)
    np.testing.assert_allclose(out, block, rtol=1e-5)
    assert np.isfinite(strip.output_meter.read().rms[0])


def test_timing_gives_percentiles_of_the_period() -> None:
    timing = Timing(RATE)
    assert timing.read().callbacks == 0
    period = 128 / RATE * 1e9
    for percent in range(1, 101):
        timing.note(int(period * percent / 100), 128)
    timing.note(int(period * 7.0), 128)
    load = timing.read()
    assert load.callbacks == 101
    assert load.p50 == pytest.approx(0.51, abs=0.01)
    assert load.p99 == pytest.approx(1.0, abs=0.01)
    assert load.worst == pytest.approx(7.0, abs=0.01)
    assert load.late == pytest.approx(1, abs=1)
    timing.reset()
    assert timing.read().worst == 0.0
