"""The door to libsndfile: what opens, what is refused and why."""

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from reverb.arrays import Audio
from reverb.audiofiles.files import (
    Sound,
    check_density,
    check_encoder,
    check_peak,
    open_sound,
    output_format,
    output_subtype,
    read_blocks,
    read_tags,
    shortfall,
    write_tags,
)
from reverb.audiofiles.outputs import check_output
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from tests.conftest import MakeSound
from tests.signals import noise

FRAMES = 48_000


def _cut(path: Path, share: float) -> Path:
    """Keep the first part of a file's bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _read(sound: Sound, frames: int) -> Audio:
    block: Audio = sound.read(frames, "float64", always_2d=True)
    return block


def _whole(path: Path, frames: int = 4096) -> Audio:
    with open_sound(path) as sound:
        return np.concatenate(list(read_blocks(sound, frames, _read)))


@pytest.mark.parametrize(
    "name", ["a.wav", "a.aiff", "a.aif", "a.flac", "a.w64", "a.caf", "a.au", "a.ogg", "a.mp3", "a.rf64"]
)
def test_every_format_opens_with_its_facts(make_sound: MakeSound, name: str) -> None:
    path = make_sound(name, noise(FRAMES), 44_100, container=output_format(name))
    with open_sound(path) as sound:
        assert (sound.frames, sound.channels, sound.samplerate) == (FRAMES, 2, 44_100)
        assert sound.name == str(path)
        assert shortfall(sound) is None


def test_blocks_join_to_what_soundfile_reads(make_sound: MakeSound) -> None:
    path = make_sound("a.flac", noise(10_007), subtype="PCM_24")
    assert np.array_equal(_whole(path, 1000), soundfile.read(path)[0])


def test_a_negative_count_reads_all_that_is_left(make_sound: MakeSound) -> None:
    path = make_sound("a.wav", noise(5000))
    with open_sound(path) as sound:
        assert len(sound.read(1000)) == 1000
        assert len(sound.read()) == 4000


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("text.wav", b"no sound at all, only words\n" * 20, "not a readable audio file"),
        ("empty.wav", b"", "not a readable audio file"),
        ("noise.raw", bytes(5000), "raw samples have no header"),
        ("NOISE.RAW", bytes(5000), "raw samples have no header"),
        ("dump.sds", b"\xf0\x7e\0\1" + bytes(200), "a MIDI sample dump; convert it"),
    ],
)
def test_what_is_no_audio_is_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=says):
        open_sound(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file"):
        open_sound(tmp_path / "missing.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        open_sound(tmp_path)


def test_a_name_that_is_too_long_is_an_error_of_ours(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 300 + ".wav")
    with pytest.raises(AudioFileError, match="cannot be opened"):
        open_sound(long)
    with pytest.raises(AudioFileError, match="cannot be written"):
        check_output(long, overwrite=True)


def test_a_name_that_is_no_text_opens(make_sound: MakeSound) -> None:
    path = make_sound("a.wav", noise(100))
    latin = path.rename(Path(os.fsdecode(os.fsencode(path.parent) + b"/caf\xe9.wav")))
    assert len(_whole(latin)) == 100


def test_no_frames_are_refused(make_sound: MakeSound) -> None:
    with pytest.raises(AudioFileError, match="0 frames"):
        open_sound(make_sound("a.wav", np.zeros((0, 2))))


def test_sample_rate_zero_is_refused(make_sound: MakeSound) -> None:
    path = make_sound("a.wav", noise(100))
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", 0)
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match="not a readable audio file"):
        open_sound(path)


@pytest.mark.parametrize("name", ["a.wav", "a.aiff"])
def test_a_truncated_file_says_so_and_gives_what_is_there(make_sound: MakeSound, name: str) -> None:
    x = noise(FRAMES)
    path = _cut(make_sound(name, x, subtype="PCM_24"), 0.6)
    with open_sound(path) as sound:
        assert "truncated" in (shortfall(sound) or "")
        assert 0.59 * FRAMES < sound.frames < 0.61 * FRAMES
    read = _whole(path)
    assert np.abs(read - x[: len(read)]).max() < 2**-23


@pytest.mark.parametrize("block", [100_000, 5000, 999])
def test_a_truncated_flac_gives_every_frame_that_decodes(make_sound: MakeSound, block: int) -> None:
    x = noise(FRAMES)
    path = _cut(make_sound("a.flac", x, subtype="PCM_16"), 0.66)
    with pytest.warns(UserWarning, match="damaged at frame"):
        read = _whole(path, block)
    assert len(read) > 0.66 * FRAMES - 4096 - 1024
    assert np.abs(read - x[: len(read)]).max() < 2**-15


def test_a_flac_damaged_at_its_beginning_is_an_error(make_sound: MakeSound) -> None:
    path = make_sound("a.flac", noise(FRAMES))
    data = path.read_bytes()
    path.write_bytes(data[:200])
    with pytest.raises(AudioFileError, match="damaged, nothing can be read"):
        _whole(path)


def test_a_flac_from_a_pipe_is_counted(make_sound: MakeSound) -> None:
    x = noise(10_001)
    path = make_sound("a.flac", x, subtype="PCM_24")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # STREAMINFO's 36 bits of the total number of samples: 0 is "unknown"
    data[22:26] = bytes(4)
    path.write_bytes(data)
    with open_sound(path) as sound:
        assert sound.frames == 10_001
    assert np.abs(_whole(path, 1000) - x).max() < 2**-23


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_wav_from_a_pipe_is_whole(make_sound: MakeSound, size: int) -> None:
    path = make_sound("a.wav", noise(1000))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(data)
    with open_sound(path) as sound:
        assert sound.frames == 1000
        assert shortfall(sound) is None


def test_output_format_follows_the_ending_or_the_override() -> None:
    assert output_format("a.WAV") == "WAV"
    assert output_format("a.aif") == "AIFF"
    assert output_format("a", "flac") == "FLAC"
    with pytest.raises(ParameterError, match=r"'\.xyz' names no audio format; expected one of \.wav"):
        output_format("a.xyz")
    with pytest.raises(ParameterError, match="expected one of AIFF"):
        output_format("a.wav", "SHORTEN")


@pytest.mark.parametrize(
    ("container", "source", "written"),
    [
        ("WAV", "PCM_24", "PCM_24"),
        ("WAV", "FLOAT", "FLOAT"),
        ("FLAC", "PCM_16", "PCM_16"),
        ("FLAC", "FLOAT", "PCM_24"),
        ("FLAC", "DOUBLE", "PCM_24"),
        ("FLAC", "PCM_U8", "PCM_S8"),
        ("WAV", "PCM_S8", "PCM_U8"),
        ("AIFF", "PCM_U8", "PCM_U8"),
        ("OGG", "PCM_16", "VORBIS"),
        ("OGG", "OPUS", "OPUS"),
        ("WAV", "VORBIS", "PCM_24"),
        ("WAV", "MPEG_LAYER_III", "PCM_24"),
        ("MP3", "PCM_16", "MPEG_LAYER_III"),
    ],
)
def test_the_subtype_is_kept_where_it_can_be(container: str, source: str, written: str) -> None:
    assert output_subtype(container, source) == written


def test_an_ending_may_ask_for_a_subtype_and_the_override_wins() -> None:
    assert output_subtype("OGG", "PCM_16", ending=".opus") == "OPUS"
    assert output_subtype("WAV", "PCM_16", ending=".opus") == "PCM_16"
    assert output_subtype("OGG", "PCM_16", "vorbis", ending=".opus") == "VORBIS"
    assert output_subtype("WAV", "PCM_16", "float") == "FLOAT"
    with pytest.raises(ParameterError, match="subtype 'FLOAT' in FLAC; expected one of"):
        output_subtype("FLAC", "PCM_16", "FLOAT")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg"])
def test_tags_survive(make_sound: MakeSound, tmp_path: Path, name: str) -> None:
    tags = {"title": "A song", "artist": "Sängerin", "comment": "dry"}
    if not name.endswith(".aiff"):
        tags |= {"date": "1999", "album": "One"}
    path = make_sound(name, noise(1000), **tags)
    copy = tmp_path / f"copy-{name}"
    with open_sound(path) as sound:
        read = read_tags(sound)
        with soundfile.SoundFile(copy, "w", sound.samplerate, 2, sound.subtype) as out:
            write_tags(out, read)
            out.write(noise(1000))
    with open_sound(copy) as sound:
        assert read_tags(sound).items() >= tags.items()


def test_the_software_tag_does_not_grow(make_sound: MakeSound) -> None:
    with open_sound(make_sound("a.wav", noise(10), software="Me")) as sound:
        assert read_tags(sound)["software"] == "Me"


@pytest.mark.parametrize("value", [None, 3, float("nan"), b"a.wav", ["a.wav"], np.zeros(2), "", "a\0.wav"])
def test_what_is_no_path_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="path is"):
        open_sound(value)
    with pytest.raises(ParameterError, match="path is"):
        output_format(value)


@pytest.mark.parametrize("value", [3, float("nan"), b"WAV", ["WAV"]])
def test_names_of_formats_are_texts(value: Any) -> None:
    with pytest.raises(ParameterError, match="format is"):
        output_format("a.wav", value)
    with pytest.raises(ParameterError, match="subtype is"):
        output_subtype("WAV", "PCM_16", value)


@pytest.mark.parametrize("peak", [1.0, 1e15])
def test_a_loud_sample_is_accepted(peak: float) -> None:
    check_peak(peak, "a.wav")


@pytest.mark.parametrize("peak", [1.1e15, float("inf")])
def test_a_sample_that_is_no_sound_is_refused(peak: float) -> None:
    with pytest.raises(InvalidAudioError, match=r"a\.wav: holds a sample of"):
        check_peak(peak, "a.wav")


def test_a_file_of_too_many_samples_for_its_size_is_refused(make_sound: MakeSound) -> None:
    silence = make_sound("silence.flac", np.zeros((3_000_000, 2)), subtype="PCM_16")
    with open_sound(silence) as sound, pytest.raises(AudioFileError, match="nearly all silence, or damaged"):
        check_density(sound)
    with open_sound(make_sound("noise.flac", noise(100_000))) as sound:
        check_density(sound)


def test_what_the_vorbis_encoder_crashes_at_is_refused() -> None:
    check_encoder("a.ogg", "VORBIS", 200_000, 255)
    for rate, channels in ((200_001, 2), (48_000, 256)):
        with pytest.raises(AudioFileError, match="expected at most 255 channels at 200000 Hz"):
            check_encoder("a.ogg", "VORBIS", rate, channels)
