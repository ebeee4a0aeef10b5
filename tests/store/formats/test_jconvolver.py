"""Configurations of jconvolver: the matrix that they build."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverb.errors import ParameterError
from reverb.store.response_files import load_response
from tests.signals import decaying

RATE = 48_000


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
