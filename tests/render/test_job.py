"""One pass of a file: length, alignment, progress, and damaged sources."""

import os

import numpy as np
import pytest
import soundfile

from reverb import LowPass, process_file
from reverb.errors import InvalidAudioError
from tests.conftest import MakeSound
from tests.render.responses import UNIT, room
from tests.signals import noise


@pytest.mark.parametrize("frames", [1, 2, 100, 65_536, 100_003])
@pytest.mark.parametrize("tail", [True, False])
def test_the_length_is_exact(make_sound: MakeSound, frames: int, tail: bool) -> None:
    source = make_sound("in.wav", noise(frames), subtype="FLOAT")
    for effect in (room(777), LowPass(5000), room(777, sample_rate=44_100)):
        response = effect.response(48_000)
        destination = source.with_name("out.wav")
        report = process_file(source, destination, effect, tail=tail, overwrite=True)
        extra = response.frames - 1 - response.latency if tail else 0
        assert soundfile.info(destination).frames == report.frames == frames + extra


def test_a_filtered_file_stays_aligned(make_sound: MakeSound) -> None:
    x = np.zeros((20_000, 2))
    x[12_345] = 0.5
    source = make_sound("in.wav", x, subtype="FLOAT")
    process_file(source, source.with_name("out.wav"), LowPass(4000))
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert np.abs(y).argmax(axis=0).tolist() == [12_345, 12_345]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_same_bytes_every_time_and_with_any_number_of_workers(
    make_sound: MakeSound, subtype: str
) -> None:
    source = make_sound("in.wav", noise(150_000), subtype="PCM_24")
    results = []
    for workers in (1, 2, 3, None):
        destination = source.with_name("out.wav")
        process_file(source, destination, room(9000, 4), subtype=subtype, workers=workers, overwrite=True)
        results.append(destination.read_bytes())
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("normalize", ["none", "peak"])
def test_progress_rises_to_the_whole(make_sound: MakeSound, normalize: str) -> None:
    source = make_sound("in.wav", noise(400_000, 1))
    seen: list[tuple[int, int]] = []
    process_file(
        source,
        source.with_name("out.wav"),
        room(500, 1),
        normalize=normalize,  # type: ignore[arg-type]
        progress=lambda done, total: seen.append((done, total)),
    )
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert shares[0] < 0.9


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_nan_late_in_a_file_leaves_nothing(make_sound: MakeSound, bad: float, subtype: str) -> None:
    x = noise(600_000)
    x[580_000, 1] = bad
    source = make_sound("in.wav", x, subtype=subtype)
    with pytest.raises(InvalidAudioError, match=r"in\.wav: NaN or infinity at frame 580000 \(12\.083 s\)"):
        process_file(source, source.with_name("out.wav"), room())
    assert os.listdir(source.parent) == ["in.wav"]


@pytest.mark.parametrize("name", ["in.wav", "in.aiff", "in.flac"])
def test_a_truncated_source_is_rendered_as_far_as_it_goes(make_sound: MakeSound, name: str) -> None:
    x = noise(200_000)
    source = make_sound(name, x, subtype="PCM_16")
    data = source.read_bytes()
    source.write_bytes(data[: int(0.6 * len(data))])
    destination = source.with_name("out.wav")
    with pytest.warns(UserWarning, match="truncated|damaged"):
        report = process_file(source, destination, UNIT, dither=False)
    assert 0.55 * 200_000 < report.frames < 0.61 * 200_000
    assert soundfile.info(destination).frames == report.frames
    assert np.abs(soundfile.read(destination)[0] - x[: report.frames]).max() < 2**-15


def test_a_truncated_source_warns_once_when_rendered_twice(make_sound: MakeSound) -> None:
    source = make_sound("in.flac", noise(200_000), subtype="PCM_16")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match="damaged at frame") as caught:
        report = process_file(source, source.with_name("out.wav"), UNIT, normalize="peak", subtype="FLOAT")
    assert len(caught) == 1
    assert report.peak_db == pytest.approx(-1, abs=1e-3)
