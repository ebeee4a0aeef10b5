"""Files of bare numbers, SOFA and jconvolver's configurations: what is read back, and what is refused."""

import contextlib
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine.routing import matrix
from reverb.errors import AudioFileError, InvalidAudioError, MissingExtraError, ParameterError, ReverbError
from reverb.responses.response import ImpulseResponse
from reverb.store.formats import READERS
from reverb.store.formats.bare import rate_of, write_npy, write_raw
from reverb.store.formats.text import write_text
from reverb.store.response_files import load_response, save_response
from tests.signals import decaying

RATE = 48_000
REW = """Impulse Response data saved by REW V5.19
IR is not normalised
Source: Microphone (Umik-1  Gain:  0dB  ), Right channel, volume: 0.550
Response measured over: 2.2 to 24,000.0 Hz
4.33353241533041E-4 // Peak value before normalisation
3 // Peak index
6 // Response length
2.0833333333333333E-5 // Sample interval (seconds)
-6.25E-5 // Start time (seconds)
{start}
-3.1990022E-4
4.7188485E-4
0.1
1.0
-0.5
2.5E-1
"""


def response(channels: int = 2, dtype: type = np.float32) -> ImpulseResponse:
    return ImpulseResponse(decaying(500, channels).astype(dtype), RATE, "room_48000")


@pytest.mark.parametrize("ending", [".wav", ".aiff", ".caf", ".w64", ".rf64", ".flac"])
def test_sound_files_keep_what_they_can_hold(tmp_path: Path, ending: str) -> None:
    saved = response()
    save_response(saved, tmp_path / f"room_48000{ending}")
    loaded = load_response(tmp_path / f"room_48000{ending}")
    np.testing.assert_allclose(loaded.samples, saved.samples, atol=2**-23 if ending == ".flac" else 0)
    assert (loaded.sample_rate, loaded.layout) == (RATE, "stereo")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_bare_numbers_keep_every_bit(tmp_path: Path, dtype: type, channels: int) -> None:
    saved = response(channels, dtype)
    raw = tmp_path / ("room_48000.f64" if dtype == np.float64 else "room_48000.f32")
    write_raw(saved, raw)
    write_npy(saved, tmp_path / "room_48000.npy")
    write_text(saved, tmp_path / "room.txt")
    assert load_response(raw, saved.layout) == saved
    assert load_response(tmp_path / "room_48000.npy") == saved
    text = load_response(tmp_path / "room.txt")
    assert text.sample_rate == RATE
    np.testing.assert_array_equal(text.samples.astype(dtype), saved.samples)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    rate=st.sampled_from([8000, 44_100, 48_000, 88_200, 192_000]),
    before=st.sampled_from(["", "hall", "take 3 ", "x-"]),
    form=st.sampled_from(["_{rate}", "_{rate}Hz", "_{kilo}k", " {kilo} kHz"]),
)
def test_a_name_tells_the_rate(rate: int, before: str, form: str) -> None:
    name = before + form.format(rate=rate, kilo=f"{rate / 1000:g}")
    if rate == 8000 and "k" in form:
        with pytest.raises(ParameterError, match="sample rate is not known"):
            rate_of(f"{name}.raw")
    else:
        assert rate_of(f"{name}.raw") == rate


def test_a_rate_that_nobody_tells_is_asked_for(tmp_path: Path) -> None:
    for name in ("room.f32", "room.npy"):
        (write_raw if name.endswith("f32") else write_npy)(response(1), tmp_path / name)
        with pytest.raises(ParameterError, match=r"room_48000\.(f32|npy), or give it"):
            load_response(tmp_path / name)
        assert load_response(tmp_path / name, sample_rate=96_000).sample_rate == 96_000
    save_response(response(), tmp_path / "a.wav")
    with pytest.raises(ParameterError, match="is 48000 Hz, not the given 44100 Hz"):
        load_response(tmp_path / "a.wav", sample_rate=44_100)


@pytest.mark.parametrize("start", ["* Data start", ""])
@pytest.mark.parametrize("star", ["", "* "])
def test_what_rew_exports(tmp_path: Path, start: str, star: str) -> None:
    text = "".join(
        line if "//" in line or line[0] in "-0123456789*\n" else star + line
        for line in REW.format(start=start).splitlines(keepends=True)
    )
    (tmp_path / "rew.txt").write_text(text)
    loaded = load_response(tmp_path / "rew.txt")
    assert (loaded.sample_rate, loaded.latency, loaded.layout) == (48_000, 3, "mono")
    np.testing.assert_array_equal(loaded.samples[:, 0], [-3.1990022e-4, 4.7188485e-4, 0.1, 1.0, -0.5, 0.25])


def test_text_with_columns_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "a_44100.csv"
    path.write_text("# left, right\n1.0, 0.5\n\n-2e-1,0\n")
    np.testing.assert_array_equal(load_response(path).samples, [[1, 0.5], [-0.2, 0]])
    path.write_text("1.0;0.5\n1.0\n")
    with pytest.raises(AudioFileError, match="line 2 has 1 numbers; expected 2"):
        load_response(path)
    path.write_text("1.0\nabc\n")
    with pytest.raises(AudioFileError, match="line 2 is not a number: 'abc'"):
        load_response(path)


HOSTILE = {
    "empty.npy": b"",
    "pickle_48000.npy": pickle.dumps({"a": 1}),
    "objects_48000.npy": b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }".ljust(117)
    + b"\n"
    + pickle.dumps([1, 2, 3]),
    "huge_48000.npy": b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }".ljust(117)
    + b"\n"
    + bytes(80),
    "cut_48000.npy": b"\x93NUMPY\x01\x00v\x00{'descr'",
    "code_48000.npy": b"\x93NUMPY\x01\x00v\x00" + b"__import__('os').system('true')".ljust(117) + b"\n",
    "odd_48000.f32": b"12345",
    "integers_48000.f32": np.full(64, 0x7F7F7F7F, "<i4").tobytes(),
    "nan_48000.f64": np.array([1.0, np.nan]).tobytes(),
    "silent_48000.f32": bytes(400),
    "binary_48000.txt": bytes(range(256)),
    "nothing_48000.txt": b"# only a comment\n",
    "infinite_48000.txt": b"1.0\ninf\n",
    "interval.txt": b"0 // Sample interval (seconds)\n1.0\n",
    "late.txt": b"1E-4 // Sample interval (seconds)\n-5 // Start time (seconds)\n1.0\n",
    "noise.sofa": b"CDF\x01 but no more",
    "hdf.sofa": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "bad.conf": b"/convolver/new 2 2 256 100\n/impulse/read 1 3 1 0 0 0 1 x.wav\n",
    "many.conf": b"/convolver/new 9999 2 256 100\n",
    "long.conf": b"/convolver/new 2 2 256 99999999999\n",
    "late.conf": b"/convolver/new 2 2 256 100\n/impulse/dirac 1 1 1 999999999999\n",
    "missing.conf": b"/convolver/new 2 2 256 100\n/impulse/read 1 1 1 0 0 0 1 none.wav\n",
    "hilbert.conf": b"/convolver/new 2 2 256 100\n/impulse/hilbert 1 1 1 50 100\n",
    "quote.conf": b'/convolver/new 2 2 256 100\n/cd "un\n',
    "none.conf": b"# nothing\n",
    "binary.conf": bytes(range(255, 0, -1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    if name.endswith(".sofa"):
        pytest.importorskip("sofar")
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    with pytest.raises((AudioFileError, InvalidAudioError)) as caught:
        load_response(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(ending=st.sampled_from([e for e in READERS if e != ".sofa"]), content=st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, ending: str, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a_48000{ending}"
    path.write_bytes(content)
    with contextlib.suppress(ReverbError):
        assert np.isfinite(load_response(path).samples).all()


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for ending in READERS:
        with pytest.raises(AudioFileError, match="no such file"):
            load_response(tmp_path / f"none_48000{ending}")
        (tmp_path / f"folder_48000{ending}").mkdir()
        with pytest.raises(AudioFileError, match="not a file"):
            load_response(tmp_path / f"folder_48000{ending}")


def test_a_configuration_is_read_as_the_matrix_it_builds(tmp_path: Path) -> None:
    samples = decaying(300, 3)
    (tmp_path / "in it").mkdir()
    soundfile.write(tmp_path / "in it" / "a room.wav", samples, RATE, "DOUBLE")
    (tmp_path / "x.conf").write_text(
        "# a comment\n/jack/client me\n/convolver/new 2 3 256 280\n/input/name 1 L system:capture_1\n"
        '/cd "in it"\n'
        '/impulse/read 1 1 0.5 10 20 100 2 "a room.wav"\n'
        "/impulse/read 1 2 1 0 0 0 3 a room.wav\n"
        "/impulse/dirac 1 1 2.0 5\n"
        "/impulse/copy 2 3 1 2\n"
    )
    loaded = load_response(tmp_path / "x.conf")
    assert (loaded.wiring.inputs, loaded.wiring.outputs, loaded.channels) == (2, 3, 2)
    paths = {(p.input, p.output): loaded.samples[:, p.response] for p in loaded.wiring.paths}
    first = np.zeros(280)
    first[10:110] = 0.5 * samples[20:120, 1]
    first[5] += 2.0
    np.testing.assert_array_equal(paths[0, 0], first)
    np.testing.assert_array_equal(paths[0, 1], samples[:280, 2])
    np.testing.assert_array_equal(paths[1, 2], paths[0, 1])
    assert set(paths) == {(0, 0), (0, 1), (1, 2)}
    with pytest.raises(ParameterError, match="has a layout of its own"):
        load_response(tmp_path / "x.conf", "stereo")


def test_directions_of_a_sofa_file(audio_folder: Path) -> None:
    pytest.importorskip("sofar")
    import netCDF4

    from reverb.store.formats.sofa import nearest, read_sofa, sofa_directions

    path = audio_folder / "sofa" / "pypi_pyroomacoustics_mit_kemar_normal_pinna.sofa"
    with netCDF4.Dataset(path) as file:
        data, positions = np.asarray(file["Data.IR"][:]), np.asarray(file["SourcePosition"][:])
    front = load_response(path)
    assert (front.layout, front.sample_rate, front.frames) == ("1×2", 44_100, 512)
    row = int(np.flatnonzero((positions[:, 0] == 0) & (positions[:, 1] == 0))[0])
    np.testing.assert_array_equal(front.samples, data[row].T)
    directions = sofa_directions(path)
    assert len(directions) == len(data)
    left = nearest(directions, 91.0, 1.0)
    assert (left.azimuth, left.elevation) == (90.0, 0.0)
    # A source on the left is louder at the left ear, which is the first.
    ears = read_sofa(path, directions=[(90, 0)]).samples
    assert np.sum(ears[:, 0] ** 2) > 4 * np.sum(ears[:, 1] ** 2)
    pair = read_sofa(path, directions=[(30, 0), (-30, 0)])
    assert pair.layout == "true-stereo"
    assert pair.wiring == matrix(2, 2)
    with pytest.raises(ParameterError, match="is 44100 Hz, not the given 48000 Hz"):
        load_response(path, sample_rate=48_000)
    other = load_response(audio_folder / "sofa" / "pypi_spatialaudiometrics_example_sofa_1.sofa")
    assert (other.sample_rate, other.frames) == (48_000, 256)


@pytest.mark.parametrize("fate", ["while True: pass", "os.abort()", "os._exit(0)"])
def test_a_library_that_hangs_or_crashes_over_a_sofa_file_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    from reverb.store.formats import sofa

    (tmp_path / "sofar.py").touch()
    (tmp_path / "netCDF4.py").write_text(
        f"import os\nclass Dataset:\n    def __init__(self, path):\n        {fate}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)  # type: ignore[no-untyped-call,unused-ignore]
    monkeypatch.setattr(sofa, "_CPU_SECONDS", 1)
    path = tmp_path / "a.sofa"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(AudioFileError, match="the library that reads it crashed, or came to no end"):
        load_response(path)


def test_sofa_files_without_the_extra_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sofar", None)
    path = tmp_path / "a.sofa"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(MissingExtraError, match=r"install it with: pip install '.*\[sofa\]'"):
        load_response(path)


def test_a_room_with_several_speakers_in_a_sofa_file(tmp_path: Path) -> None:
    sofar = pytest.importorskip("sofar")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the convention is preliminary
        made = sofar.Sofa("MultiSpeakerBRIR")
    data = np.random.default_rng(0).standard_normal((1, 2, 2, 64))
    made.Data_IR, made.Data_SamplingRate = data, 48_000
    made.Data_Delay = np.array([[[3.0, 0.0], [0.0, 1.0]]])
    made.EmitterPosition = np.array([[1.0, 0.5, 0], [1.0, -0.5, 0]])[:, :, np.newaxis]
    made.EmitterView = np.tile([[1.0], [0.0], [0.0]], (2, 1, 1)).reshape(2, 3, 1)
    made.EmitterUp = np.tile([[0.0], [0.0], [1.0]], (2, 1, 1)).reshape(2, 3, 1)
    made.EmitterPosition_Type = "cartesian"
    made.EmitterPosition_Units = "metre"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.upgrade_convention("SingleRoomMIMOSRIR_1.0", verify=False)
        sofar.write_sofa(str(tmp_path / "room.sofa"), made, compression=0)
    loaded = load_response(tmp_path / "room.sofa")
    assert loaded.layout == "true-stereo"
    np.testing.assert_allclose(loaded.samples[3 : 3 + 64, 0], data[0, 0, 0])
    np.testing.assert_allclose(loaded.samples[:64, 1], data[0, 1, 0])
    np.testing.assert_allclose(loaded.samples[:64, 2], data[0, 0, 1])
    np.testing.assert_allclose(loaded.samples[1:65, 3], data[0, 1, 1])


def test_a_broken_array_is_refused_in_few_words(tmp_path: Path) -> None:
    path = tmp_path / "broken.npy"
    header = b"no dictionary " * 100
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(AudioFileError, match="not a plain NumPy array") as refused:
        load_response(path, sample_rate=48_000)
    assert len(str(refused.value)) < len(str(path)) + 100
