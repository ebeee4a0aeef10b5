"""SOFA files: directions, speakers, and libraries that fail."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from reverb.engine.routing import matrix
from reverb.errors import AudioFileError, MissingExtraError, ParameterError
from reverb.store.response_files import load_response


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
