"""Impulse responses as text: columns, comments, and the exports of REW."""

from pathlib import Path

import numpy as np
import pytest

from reverb.errors import AudioFileError
from reverb.store.response_files import load_response

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


@pytest.mark.parametrize("start", ["* Data start", ""])
@pytest.mark.parametrize("star", ["", "* "])
def test_an_export_of_rew_has_rate_latency_and_samples(tmp_path: Path, start: str, star: str) -> None:
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
