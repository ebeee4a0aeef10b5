"""Rendering files: what comes out, in which format, how long, and what is refused."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from reverb import Gain, ImpulseResponse, LowPass, Reverb, process_file
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.render import files
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import decaying, noise, tone

UNIT = ImpulseResponse([1.0], 48_000, "unit")


def _room(frames: int = 3000, rows: int = 2, rate: int = 48_000) -> ImpulseResponse:
    room = ImpulseResponse(decaying(frames, rows), rate, "room")
    return room * (0.2 / np.abs(room.samples).sum(axis=0).max())  # never clips


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


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_full_scale_stays_full_scale(make_sound: MakeSound, subtype: str) -> None:
    x = np.tile([[-1.0], [1.0], [0.0]], (500, 2))
    source = make_sound("in.wav", x, subtype=subtype)
    process_file(source, source.with_name("out.wav"), UNIT, dither=False)
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert np.abs(y - soundfile.read(source)[0]).max() <= 2**-15


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
    x, room = noise(30_000), _room(5000, 4)
    source = make_sound("in.wav", x, subtype="DOUBLE")
    report = process_file(source, source.with_name("out.wav"), room)
    expected = np.zeros((34_999, 2))
    for i, o, row in room.wiring.paths:
        expected[:, o] += np.convolve(x[:, i], room.samples[:, row])
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert null_db(y, expected) < -240
    assert report.peak == pytest.approx(np.abs(expected).max())
    assert report.input_peak == pytest.approx(np.abs(x).max())
    assert (report.frames, report.channels, report.sample_rate) == (34_999, 2, 48_000)
    assert report.duration == pytest.approx(34_999 / 48_000)
    assert report.speed > 0


def test_arrays_and_files_give_the_same(make_sound: MakeSound) -> None:
    x = noise(30_000).astype(np.float32)
    effect = LowPass(3000) >> Reverb(_room(), mix=0.4)
    source = make_sound("in.wav", x, subtype="FLOAT")
    process_file(source, source.with_name("out.wav"), effect)
    assert null_db(soundfile.read(source.with_name("out.wav"))[0], effect(x, 48_000)) < -120


@pytest.mark.parametrize("frames", [1, 2, 100, 65_536, 100_003])
@pytest.mark.parametrize("tail", [True, False])
def test_the_length_is_exact(make_sound: MakeSound, frames: int, tail: bool) -> None:
    source = make_sound("in.wav", noise(frames), subtype="FLOAT")
    for effect in (_room(777), LowPass(5000), _room(777, rate=44_100)):
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


def test_a_mono_file_becomes_stereo_in_a_stereo_room(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(1000, 1))
    report = process_file(source, source.with_name("out.wav"), _room())
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


def _rounding_error(
    make_sound: MakeSound, x: np.ndarray, dither: bool | None, subtype: str = "PCM_16"
) -> np.ndarray:
    """What writing adds, in steps of the subtype."""
    source = make_sound("in.wav", x, subtype="DOUBLE")
    destination = source.with_name("out.wav")
    process_file(source, destination, UNIT, subtype=subtype, dither=dither, overwrite=True)
    bits = {"PCM_U8": 8, "PCM_16": 16}[subtype]
    return (soundfile.read(destination)[0] - x) * 2 ** (bits - 1)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16"])
def test_dither_is_triangular(make_sound: MakeSound, subtype: str) -> None:
    # Below a step, where rounding alone is nothing but distortion.
    step = 2.0**-7 if subtype == "PCM_U8" else 2.0**-15
    x = np.stack([tone(1000, 48_000, 4, 0.4 * step), tone(50, 48_000, 4, 20 * step)], axis=1)
    error = _rounding_error(make_sound, x, None, subtype)
    # Triangular dither of ±1 step and rounding: 1/6 + 1/12 of a step squared, whatever the sound.
    assert error.var(axis=0) == pytest.approx(0.25, rel=0.03)
    assert np.abs(error.mean(axis=0)).max() < 0.01
    assert np.abs(error).max() <= 1.5 + 1e-6
    for channel in range(2):
        assert abs(np.corrcoef(error[:, channel], x[:, channel])[0, 1]) < 0.01
    assert abs(np.corrcoef(error[:, 0], error[:, 1])[0, 1]) < 0.01
    # White: no correlation from one frame to the next; and the variance does not follow the sound.
    assert abs(np.corrcoef(error[1:, 0], error[:-1, 0])[0, 1]) < 0.01
    assert abs(np.corrcoef(error[:, 0] ** 2, x[:, 0])[0, 1]) < 0.01


def test_without_dither_a_whisper_is_lost_and_with_it_not(make_sound: MakeSound) -> None:
    x = np.stack([tone(1000, 48_000, 2, 0.4 * 2**-15)] * 2, axis=1)
    plain = _rounding_error(make_sound, x, False) / 2**15 + x
    assert not plain.any()
    dithered = _rounding_error(make_sound, x, True) / 2**15 + x
    assert (dithered * x).sum() / (x * x).sum() == pytest.approx(1, abs=0.1)


def test_dither_is_for_16_bits_and_fewer(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", np.zeros((5000, 2)), subtype="PCM_24")
    for subtype, dithered in (("PCM_24", False), ("FLOAT", False), ("PCM_16", True), ("PCM_U8", True)):
        process_file(source, source.with_name("out.wav"), UNIT, subtype=subtype, overwrite=True)
        assert bool(soundfile.read(source.with_name("out.wav"))[0].any()) is dithered
    process_file(source, source.with_name("out.wav"), UNIT, dither=True, overwrite=True)
    assert soundfile.read(source.with_name("out.wav"))[0].any()


@pytest.mark.parametrize("name", ["out.wav", "out.aiff", "out.caf"])
def test_float_files_hold_no_time_of_day(make_sound: MakeSound, name: str) -> None:
    source = make_sound("in.wav", noise(1000), subtype="FLOAT")
    process_file(source, source.with_name(name), UNIT)
    assert b"PEAK" not in source.with_name(name).read_bytes()
    assert b"peak" not in source.with_name(name).read_bytes()


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_same_bytes_every_time_and_with_any_number_of_workers(
    make_sound: MakeSound, subtype: str
) -> None:
    source = make_sound("in.wav", noise(150_000), subtype="PCM_24")
    results = []
    for workers in (1, 2, 3, None):
        destination = source.with_name("out.wav")
        process_file(source, destination, _room(9000, 4), subtype=subtype, workers=workers, overwrite=True)
        results.append(destination.read_bytes())
    assert all(result == results[0] for result in results)


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
        source, source.with_name("out.wav"), _room(), gain=gain, normalize="peak", subtype=subtype
    )
    peak = np.abs(soundfile.read(source.with_name("out.wav"))[0]).max()
    assert 20 * math.log10(peak) == pytest.approx(-1, abs=0.001)
    assert report.peak_db == pytest.approx(-1, abs=0.001)
    assert report.clipped == 0


def test_silence_stays_silence(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", np.zeros((1000, 2)), subtype="PCM_24")
    report = process_file(source, source.with_name("out.wav"), _room(), normalize="peak")
    assert report.peak_db == -math.inf
    assert not soundfile.read(source.with_name("out.wav"))[0].any()


@pytest.mark.parametrize(
    ("subtype", "kept"), [("PCM_16", 1.0), ("PCM_24", 1.0), ("PCM_32", 1.0), ("FLOAT", 2.0)]
)
def test_what_does_not_fit_is_counted_and_held(make_sound: MakeSound, subtype: str, kept: float) -> None:
    x = np.zeros((1000, 2))
    x[10], x[20, 0], x[30, 1] = 0.9, -0.7, 0.4
    source = make_sound("in.wav", x, subtype="FLOAT")
    report = process_file(
        source, source.with_name("out.wav"), Gain(20 * math.log10(2 / 0.9)), subtype=subtype, dither=False
    )
    assert report.clipped == 3
    assert report.peak == pytest.approx(2, rel=1e-5)
    y = soundfile.read(source.with_name("out.wav"))[0]
    assert y[10].tolist() == pytest.approx([kept, kept], abs=1e-4)
    assert y[20, 0] == pytest.approx(-min(kept, 0.7 * 2 / 0.9), abs=1e-4)
    assert y[30, 1] == pytest.approx(0.4 * 2 / 0.9, abs=1e-4)


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


@pytest.mark.parametrize("normalize", ["none", "peak"])
def test_progress_rises_to_the_whole(make_sound: MakeSound, normalize: str) -> None:
    source = make_sound("in.wav", noise(400_000, 1))
    seen: list[tuple[int, int]] = []
    process_file(
        source,
        source.with_name("out.wav"),
        _room(500, 1),
        normalize=normalize,  # type: ignore[arg-type]
        progress=lambda done, total: seen.append((done, total)),
    )
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert shares[0] < 0.9


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


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_nan_late_in_a_file_leaves_nothing(make_sound: MakeSound, bad: float, subtype: str) -> None:
    x = noise(600_000)
    x[580_000, 1] = bad
    source = make_sound("in.wav", x, subtype=subtype)
    with pytest.raises(InvalidAudioError, match=r"in\.wav: NaN or infinity at frame 580000 \(12\.083 s\)"):
        process_file(source, source.with_name("out.wav"), _room())
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


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"normalize": "loud"}, "normalize is 'loud'; expected 'none' or 'peak'"),
        ({"gain": math.nan}, "gain is nan dB; expected a number up to 120 dB"),
        ({"gain": 121}, "gain is 121; expected a number up to 120 dB"),
        ({"workers": 0}, "workers is 0; expected at least 1"),
        ({"subtype": "PCM_17"}, "subtype 'PCM_17' in WAV; expected one of"),
        ({"container": "SHN"}, "format 'SHN'; expected one of AIFF"),
    ],
)
def test_settings_have_ranges(make_sound: MakeSound, settings: dict[str, object], says: str) -> None:
    source = make_sound("in.wav", noise(100))
    with pytest.raises(ParameterError, match=says):
        process_file(source, source.with_name("out.wav"), UNIT, **settings)  # type: ignore[arg-type]
    assert os.listdir(source.parent) == ["in.wav"]


def test_wrong_channels_and_formats_are_refused(make_sound: MakeSound, tmp_path: Path) -> None:
    six = make_sound("six.wav", noise(100, 6))
    with pytest.raises(InvalidAudioError, match="takes 2 channels; the input has 6"):
        process_file(six, tmp_path / "out.wav", _room())
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
