"""Responses from and to files: formats, layouts, round trips, and refusals."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverb.engine.routing import from_pairs
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.response_files import load_response, save_response
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import decaying, tone


def _ringing(frames: int, rows: int) -> np.ndarray:
    """Decaying tones, which lossy formats keep better than noise."""
    envelope = 10 ** (-2 * np.arange(frames) / frames)
    return np.stack(
        [tone(300 * (row + 1), 48_000, frames / 48_000) * envelope for row in range(rows)], axis=1
    )


@pytest.mark.parametrize(
    ("name", "subtype", "budget"),
    [
        ("room.wav", "PCM_16", -80),
        ("room.wav", "PCM_24", -130),
        ("room.wav", "FLOAT", -140),
        ("room.aiff", "PCM_24", -130),
        ("room.flac", "PCM_24", -130),
        ("room.ogg", "VORBIS", -25),
    ],
)
def test_a_response_loads_from_any_format(
    make_sound: MakeSound, name: str, subtype: str, budget: float
) -> None:
    samples = _ringing(9600, 2)
    response = load_response(make_sound(name, samples, 44_100, subtype))
    assert (response.name, response.sample_rate, response.layout) == ("room", 44_100, "stereo")
    assert response.samples.dtype == np.float32
    assert null_db(response.samples, samples) < budget


@pytest.mark.parametrize("subtype", ["DOUBLE", "PCM_32"])
def test_more_than_24_bits_load_as_float64(make_sound: MakeSound, subtype: str) -> None:
    samples = decaying(1000)
    response = load_response(make_sound("a.wav", samples, subtype=subtype))
    assert response.samples.dtype == np.float64
    assert null_db(response.samples, samples) < -180


def test_the_layout_may_be_given(make_sound: MakeSound) -> None:
    path = make_sound("a.wav", decaying(100, 4))
    assert load_response(path).layout == "true-stereo"
    assert load_response(path, "1x4").wiring.outputs == 4
    with pytest.raises(InvalidAudioError, match="has 4 channels; layout 2×3 needs 6"):
        load_response(path, "2x3")
    with pytest.raises(ParameterError, match="layout 'quad'"):
        load_response(path, "quad")


@pytest.mark.parametrize("channels", [3, 6, 25])
def test_an_ambiguous_layout_is_an_error_that_names_the_choices(make_sound: MakeSound, channels: int) -> None:
    with pytest.raises(InvalidAudioError, match=r"expected 1 \(mono\), 2 \(stereo\) or 4 \(true stereo"):
        load_response(make_sound("a.wav", decaying(100, channels)))


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.caf", "a.rf64"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_response_comes_back_the_same(tmp_path: Path, name: str, dtype: type[np.floating]) -> None:
    wiring = from_pairs(2, 4, [(0, 0), (1, 1), (0, 3), (1, 2), (0, 2)])
    response = ImpulseResponse(3 * decaying(500, 5).astype(dtype), 96_000, "Große Halle", wiring, latency=17)
    save_response(response, tmp_path / name)
    loaded = load_response(tmp_path / name)
    assert loaded == response
    assert loaded.name == "Große Halle"


@pytest.mark.parametrize("ending", [".wav", ".aiff", ".caf", ".w64", ".rf64", ".flac"])
def test_sound_files_keep_their_precision(tmp_path: Path, ending: str) -> None:
    saved = ImpulseResponse(decaying(500, 2).astype(np.float32), 48_000, "room_48000")
    save_response(saved, tmp_path / f"room_48000{ending}")
    loaded = load_response(tmp_path / f"room_48000{ending}")
    np.testing.assert_allclose(loaded.samples, saved.samples, atol=2**-23 if ending == ".flac" else 0)
    assert (loaded.sample_rate, loaded.layout) == (48_000, "stereo")


def test_flac_and_ogg_keep_the_facts_and_round_the_samples(tmp_path: Path) -> None:
    wiring = from_pairs(2, 2, [(0, 0), (1, 1), (0, 1)])
    response = ImpulseResponse(_ringing(4800, 3), 48_000, "room", wiring, latency=5)
    for name, budget in (("a.flac", -130), ("a.ogg", -15)):
        save_response(response, tmp_path / name)
        loaded = load_response(tmp_path / name)
        assert (loaded.wiring, loaded.latency, loaded.name) == (wiring, 5, "room")
        assert null_db(loaded.samples, response.samples) < budget


def test_a_format_without_comments_stores_usual_layouts_only(tmp_path: Path) -> None:
    plain = ImpulseResponse(decaying(100, 4), 48_000)
    save_response(plain, tmp_path / "a.w64")
    assert load_response(tmp_path / "a.w64") == plain
    for odd in (
        ImpulseResponse(plain.samples, 48_000, latency=3),
        ImpulseResponse(plain.samples, 48_000, wiring="1x4"),
    ):
        with pytest.raises(ParameterError, match=r"cannot store .* save the response as \.wav"):
            save_response(odd, tmp_path / "b.w64")


def test_comments_of_other_programs_are_ignored(make_sound: MakeSound) -> None:
    comments = ("nice room", "reverb impulse response: {not json", 'reverb impulse response: {"latency": -5}')
    for number, comment in enumerate(comments):
        loaded = load_response(make_sound(f"{number}.wav", decaying(100, 2), comment=comment))
        assert (loaded.layout, loaded.latency) == ("stereo", 0)


def test_a_format_of_integers_refuses_samples_that_would_clip(tmp_path: Path) -> None:
    response = ImpulseResponse([1.5, 0.0], 48_000)
    with pytest.raises(InvalidAudioError, match=r"FLAC stores samples up to ±1, the response reaches 1\.5"):
        save_response(response, tmp_path / "a.flac")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_with_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    save_response(ImpulseResponse([1.0], 48_000, "first"), path)
    with pytest.raises(AudioFileError, match="exists already"):
        save_response(ImpulseResponse([0.5], 48_000), path)
    assert load_response(path).name == "first"
    save_response(ImpulseResponse([0.5], 48_000, "second"), path, overwrite=True)
    assert load_response(path).name == "second"


def test_silence_nan_and_length_are_refused(make_sound: MakeSound) -> None:
    with pytest.raises(InvalidAudioError, match="is silent"):
        load_response(make_sound("silent.wav", np.zeros((100, 2))))
    bad = decaying(100)
    bad[50] = np.inf
    with pytest.raises(InvalidAudioError, match="NaN or infinity, first at frame 50"):
        load_response(make_sound("bad.wav", bad, subtype="FLOAT"))
    with pytest.raises(InvalidAudioError, match="lasts 121 s; expected at most 120 s"):
        load_response(make_sound("long.wav", np.ones(121 * 100), 100))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff"])
def test_a_truncated_response_is_read_as_far_as_it_goes_with_a_warning(
    make_sound: MakeSound, name: str
) -> None:
    samples = decaying(48_000, 2)
    path = make_sound(name, samples, subtype="PCM_16")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match="truncated|damaged"):
        response = load_response(path)
    assert response.frames > 15_000
    assert np.abs(response.samples - samples[: response.frames]).max() < 2**-15


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("gh_openair_spokane_womans_club.wav", "stereo"),
        ("gh_chrome_cardioid_true_stereo_4ch.wav", "true-stereo"),
        ("gh_audiomentations_ir0_16k.wav", "mono"),
        ("npm_pedalboard_hall-reverb.ogg", "stereo"),
        ("gh_emt140_bright_1.wav", "stereo"),
    ],
)
def test_measured_responses_load(audio_folder: Path, name: str, layout: str) -> None:
    path = audio_folder / "ir" / name
    response = load_response(path)
    assert response.layout == layout
    assert (response.frames, response.sample_rate) == (
        soundfile.info(path).frames,
        soundfile.info(path).samplerate,
    )
