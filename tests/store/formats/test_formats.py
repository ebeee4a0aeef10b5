"""All readers refuse broken, hostile and missing files."""

import contextlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.errors import AudioFileError, InvalidAudioError, ReverbError
from reverb.store.formats import READERS
from reverb.store.response_files import load_response

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
