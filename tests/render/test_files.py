"""Rendering files: what comes out, in which format, how long, and what is refused."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import reverb
from reverb import Gain, LowPass, Reverb, process_file
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.render import files
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.render.responses import UNIT, room
from tests.render.wrong import WRONG
from tests.signals import noise, tone


@pytest.mark.parametrize(
    ("subtype", "step"),
    [
        ("PCM_U8", 0),
        ("PCM_16", 0),
        ("PCM_24", 2**-20),
        ("PCM_32", 2**-31),
        ("FLOAT", 2**-20),
        ("DOUBLE", 2**-49),
    ],
)
def test_a_unit_response_gives_the_samples_back(make_sound: MakeSound, subtype: str, step: float) -> None:
    source = make_sound("in.wav", noise(20_011, 2, peak=0.99), subtype=subtype)
    destination = source.with_name("out.wav")
    report = process_file(source, destination, UNIT, dither=False)
    x, y = (soundfile.read(path)[0] for path in (source, destination))
    # float32 leaves the FFTs' rounding, 120 dB and more below the peak.
    assert soundfile.info(destination).subtype == report.subtype == subtype
    assert x.shape == y.shape
    assert np.abs(x - y).max() <= step
    assert report.clipped == 0


@pytest.mark.parametrize("given", ["in.wav", "in.flac", "in.aiff", "in.ogg", "in.w64", "in.caf"])
@pytest.mark.parametrize("wanted", ["out.wav", "out.flac", "out.aiff", "out.ogg", "out.w64", "out.mp3"])
def test_any_format_in_and_out(make_sound: MakeSound, given: str, wanted: str) -> None:
    source = make_sound(given, np.stack([tone(440, 48_000, 0.2), tone(880, 48_000, 0.2)], axis=1))
    destination = source.with_name(wanted)
    report = process_file(source, destination, Gain(-6.0206))
    x, y = (soundfile.read(path)[0] for path in (source, destination))
    assert soundfile.info(destination).format == report.container == soundfile.info(destination).format
    assert len(y) == len(x) == report.frames
    lossy = wanted.endswith((".ogg", ".mp3"))
    assert np.abs(y - x / 2)[500:-500].max() < (0.03 if lossy else 1e-4)


def test_the_result_is_the_convolution(make_sound: MakeSound) -> None:
    x, response = noise(30_000), room(5000, 4)
    source = make_sound("in.wav", x, subtype="DOUBLE")
    report = process_file(source, source.with_name("out.wav"), response)
    expected = np.zeros((34_999, 2))
    for i, o, row in response.wiring.paths:
        expected[:, o] += np.convolve(x[:, i], response.samples[:, row])
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert null_db(y, expected) < -240
    assert report.peak == pytest.approx(np.abs(expected).max())
    assert report.input_peak == pytest.approx(np.abs(x).max())
    assert (report.frames, report.channels, report.sample_rate) == (34_999, 2, 48_000)
    assert report.duration == pytest.approx(34_999 / 48_000)
    assert report.speed > 0


def test_arrays_and_files_give_the_same(make_sound: MakeSound) -> None:
    x = noise(30_000).astype(np.float32)
    effect = LowPass(3000) >> Reverb(room(), mix=0.4)
    source = make_sound("in.wav", x, subtype="FLOAT")
    process_file(source, source.with_name("out.wav"), effect)
    assert null_db(soundfile.read(source.with_name("out.wav"))[0], effect(x, 48_000)) < -120


def test_a_mono_file_becomes_stereo_in_a_stereo_room(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(1000, 1))
    report = process_file(source, source.with_name("out.wav"), room())
    assert report.channels == soundfile.info(source.with_name("out.wav")).channels == 2


@pytest.mark.parametrize(
    ("given", "wanted", "override", "written"),
    [
        ("PCM_24", "out.wav", None, "PCM_24"),
        ("PCM_24", "out.flac", None, "PCM_24"),
        ("FLOAT", "out.flac", None, "PCM_24"),
        ("PCM_U8", "out.aiff", None, "PCM_U8"),
        ("PCM_U8", "out.flac", None, "PCM_S8"),
        ("PCM_16", "out.wav", "float", "FLOAT"),
        ("PCM_24", "out.wav", "PCM_16", "PCM_16"),
        ("PCM_16", "out.opus", None, "OPUS"),
    ],
)
def test_the_subtype_is_kept_or_chosen(
    make_sound: MakeSound, given: str, wanted: str, override: str | None, written: str
) -> None:
    source = make_sound("in.wav", noise(5000), subtype=given)
    process_file(source, source.with_name(wanted), UNIT, subtype=override)
    assert soundfile.info(source.with_name(wanted)).subtype == written


def test_the_container_may_be_named(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(100))
    report = process_file(source, source.with_name("out.bin"), UNIT, container="flac")
    assert report.container == soundfile.info(source.with_name("out.bin")).format == "FLAC"


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.aiff", "out.ogg"])
def test_tags_are_kept(make_sound: MakeSound, name: str) -> None:
    source = make_sound("in.flac", noise(5000), title="Lied", artist="Sängerin", comment="dry take")
    process_file(source, source.with_name(name), UNIT)
    tags = soundfile.SoundFile(source.with_name(name)).copy_metadata()
    assert (tags["title"], tags["artist"], tags["comment"]) == ("Lied", "Sängerin", "dry take")


# -- dither ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.wav", "out.aiff", "out.caf"])
def test_float_files_hold_no_time_of_day(make_sound: MakeSound, name: str) -> None:
    source = make_sound("in.wav", noise(1000), subtype="FLOAT")
    process_file(source, source.with_name(name), UNIT)
    assert b"PEAK" not in source.with_name(name).read_bytes()
    assert b"peak" not in source.with_name(name).read_bytes()


# -- level ----------------------------------------------------------------------------------------------------


def test_gain_is_in_db(make_sound: MakeSound) -> None:
    x = noise(5000)
    source = make_sound("in.wav", x, subtype="DOUBLE")
    process_file(source, source.with_name("out.wav"), UNIT, gain=-20)
    assert null_db(soundfile.read(source.with_name("out.wav"))[0], 0.1 * x) < -240
    process_file(source, source.with_name("out.wav"), UNIT, gain=-math.inf, overwrite=True)
    assert not soundfile.read(source.with_name("out.wav"))[0].any()


@pytest.mark.parametrize("gain", [-30, 0, 30])
@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_normalising_brings_the_peak_to_one_db_below_full_scale(
    make_sound: MakeSound, gain: float, subtype: str
) -> None:
    source = make_sound("in.wav", noise(50_000), subtype="PCM_24")
    report = process_file(
        source, source.with_name("out.wav"), room(), gain=gain, normalize="peak", subtype=subtype
    )
    peak = np.abs(soundfile.read(source.with_name("out.wav"))[0]).max()
    assert 20 * math.log10(peak) == pytest.approx(-1, abs=0.001)
    assert report.peak_db == pytest.approx(-1, abs=0.001)
    assert report.clipped == 0


def test_silence_stays_silence(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", np.zeros((1000, 2)), subtype="PCM_24")
    report = process_file(source, source.with_name("out.wav"), room(), normalize="peak")
    assert report.peak_db == -math.inf
    assert not soundfile.read(source.with_name("out.wav"))[0].any()


# -- large files, progress ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "container"), [(4000, "RF64"), (400_000, "WAV")])
def test_wav_gives_way_to_rf64_where_it_cannot_hold_the_output(
    make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch, limit: int, container: str
) -> None:
    monkeypatch.setattr(files, "_MAX_BYTES", limit)
    x = noise(1000)
    source = make_sound("in.wav", x, subtype="FLOAT")
    report = process_file(source, source.with_name("out.wav"), UNIT)
    assert soundfile.info(source.with_name("out.wav")).format == report.container == container
    assert np.abs(soundfile.read(source.with_name("out.wav"))[0] - x).max() < 1e-6


def test_the_limit_is_that_of_32_bits() -> None:
    four = 1 << 32
    assert four - (1 << 25) < files._MAX_BYTES < four
    assert files._large_enough("WAV", four) == "RF64"
    assert files._large_enough("WAV", four - (4 << 20)) == "WAV"
    assert [files._large_enough(name, 9 * four) for name in ("FLAC", "W64", "CAF")] == ["FLAC", "W64", "CAF"]


@pytest.mark.parametrize("name", ["out.aiff", "out.au"])
def test_other_formats_that_cannot_hold_it_are_refused(
    make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(files, "_MAX_BYTES", 4000)
    source = make_sound("in.wav", noise(10_000))
    with pytest.raises(ParameterError, match=r"holds up to 4 GiB.*expected WAV, W64, CAF or FLAC"):
        process_file(source, source.with_name(name), UNIT)
    assert os.listdir(source.parent) == ["in.wav"]


# -- what is refused ------------------------------------------------------------------------------------------


def test_the_input_is_never_the_output(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(1000))
    before = source.read_bytes()
    symbolic, hard = source.with_name("soft.wav"), source.with_name("hard.wav")
    symbolic.symlink_to(source)
    hard.hardlink_to(source)
    roundabout = source.parent / ".." / source.parent.name / "in.wav"
    for destination in (source, symbolic, hard, roundabout):
        for overwrite in (False, True):
            with pytest.raises(AudioFileError, match="is the input itself"):
                process_file(source, destination, UNIT, overwrite=overwrite)
    with pytest.raises(AudioFileError, match="is the input itself"):
        process_file(symbolic, source, UNIT, overwrite=True)
    assert source.read_bytes() == before


def test_an_existing_output_is_kept_unless_told(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(1000))
    destination = source.with_name("out.wav")
    destination.write_bytes(b"precious")
    with pytest.raises(AudioFileError, match="exists already; use --force"):
        process_file(source, destination, UNIT)
    assert destination.read_bytes() == b"precious"
    process_file(source, destination, UNIT, overwrite=True)
    assert soundfile.info(destination).frames == 1000


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"workers": 0}, "workers is 0; expected"),
        ({"subtype": "PCM_17"}, "subtype 'PCM_17' in WAV; expected one of"),
        ({"gain": 121}, "gain is 121; expected a number up to 120 dB"),
    ],
)
def test_settings_out_of_range_are_refused(
    make_sound: MakeSound, settings: dict[str, Any], says: str
) -> None:
    source = make_sound("in.wav", noise(100))
    with pytest.raises(ParameterError, match=says):
        process_file(source, source.with_name("out.wav"), UNIT, **settings)
    assert os.listdir(source.parent) == ["in.wav"]


def test_wrong_channels_and_formats_are_refused(make_sound: MakeSound, tmp_path: Path) -> None:
    six = make_sound("six.wav", noise(100, 6))
    with pytest.raises(InvalidAudioError, match="takes 2 channels; the input has 6"):
        process_file(six, tmp_path / "out.wav", room())
    with pytest.raises(
        AudioFileError, match="cannot be written as MP3 MPEG_LAYER_III with 6 channels at 48000 Hz"
    ):
        process_file(six, tmp_path / "out.mp3", UNIT)
    with pytest.raises(ParameterError, match="names no audio format"):
        process_file(six, tmp_path / "out.xyz", UNIT)
    with pytest.raises(AudioFileError, match="is a folder; give a file name"):
        process_file(six, tmp_path, UNIT)
    with pytest.raises(AudioFileError, match="does not exist; create it first"):
        process_file(six, tmp_path / "no" / "out.wav", UNIT)
    assert os.listdir(tmp_path) == ["six.wav"]


def test_six_channels_pass_a_mono_response(make_sound: MakeSound) -> None:
    x = noise(5000, 6)
    source = make_sound("six.wav", x, subtype="FLOAT")
    report = process_file(source, source.with_name("out.wav"), LowPass(3000))
    assert report.channels == 6
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert (
        null_db(y[:5000], np.stack([LowPass(3000)(x[:, c], 48_000)[:5000] for c in range(6)], axis=1)) < -120
    )


@pytest.mark.parametrize("rate", [8000, 22_050, 96_000, 192_000])
def test_any_sample_rate(make_sound: MakeSound, rate: int) -> None:
    source = make_sound("in.wav", noise(5000), rate)
    report = process_file(source, source.with_name("out.wav"), reverb.Reverb("room"))
    assert report.sample_rate == soundfile.info(source.with_name("out.wav")).samplerate == rate


def test_real_recordings_pass(audio_folder: Path, tmp_path: Path) -> None:
    for name in ("gh_castanets_dry_24bit.wav", "deb_csounddoc_singFemale.aif", "gh_librosa_solo_trumpet.ogg"):
        source = audio_folder / "dry" / name
        report = process_file(source, tmp_path / f"{Path(name).stem}.flac", reverb.Reverb("room"))
        assert report.frames > soundfile.info(source).frames


NUMBERS = ("gain", "loudness", "ceiling", "floor_db", "workers")
SWITCHES = ("tail", "match_loudness", "dither", "overwrite", "measure")
OTHERS = ("normalize", "container", "subtype", "progress", "machine")
OPTIONAL = (
    "loudness",
    "ceiling",
    "floor_db",
    "workers",
    "dither",
    "container",
    "subtype",
    "progress",
    "machine",
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in (*NUMBERS, *SWITCHES, *OTHERS) for value in WRONG),
        *((name, None) for name in (*NUMBERS, *SWITCHES, *OTHERS) if name not in OPTIONAL),
        *((name, value) for name in SWITCHES for value in (0, 1, "yes")),
    ],
)
def test_wrong_settings_are_refused_before_any_work(make_sound: MakeSound, name: str, value: Any) -> None:
    source = make_sound("in.wav", noise(100))
    with pytest.raises(ParameterError, match=name.replace("container", "format")):
        process_file(source, source.with_name("out.wav"), UNIT, **{name: value})
    assert os.listdir(source.parent) == ["in.wav"]


@pytest.mark.parametrize("value", [None, 1, b"in.wav", *WRONG])
def test_wrong_paths_and_effects_are_refused(make_sound: MakeSound, value: Any) -> None:
    source = make_sound("in.wav", noise(100))
    for name, arguments in {
        "source": (value, source.with_name("out.wav"), UNIT),
        "destination": (source, value, UNIT),
        "effect": (source, source.with_name("out.wav"), value),
    }.items():
        with pytest.raises(ParameterError, match=f"{name} is"):
            process_file(*arguments)
    with pytest.raises(ParameterError, match="effect is"):
        process_file(source, source.with_name("out.wav"), LowPass)  # type: ignore[arg-type]
    assert os.listdir(source.parent) == ["in.wav"]


@pytest.mark.parametrize("name", ["source", "destination"])
def test_a_path_with_a_null_character_is_refused(make_sound: MakeSound, name: str) -> None:
    source = make_sound("in.wav", noise(100))
    paths = {"source": str(source), "destination": str(source.with_name("out.wav")), name: "a\0.wav"}
    with pytest.raises(ParameterError, match=f"{name} is .*expected a path"):
        process_file(paths["source"], paths["destination"], UNIT)


def test_the_old_name_of_the_reduction_warns(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(48_000, 1))
    report = process_file(source, source.with_name("out.wav"), UNIT, loudness=0)
    assert report.reduction_db > 0
    with pytest.warns(DeprecationWarning, match="held is now RenderReport.reduction_db"):
        assert report.held == report.reduction_db
