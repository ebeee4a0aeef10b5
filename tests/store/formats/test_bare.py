"""Bare numbers: raw floats and NumPy arrays keep every bit, and their sample rate is found or asked for."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.errors import AudioFileError, ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.formats.bare import rate_of, write_npy, write_raw
from reverb.store.formats.text import write_text
from reverb.store.response_files import load_response, save_response
from tests.signals import decaying

RATE = 48_000


def response(channels: int = 2, dtype: type = np.float32) -> ImpulseResponse:
    return ImpulseResponse(decaying(500, channels).astype(dtype), RATE, "room_48000")


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
def test_the_sample_rate_is_found_in_the_name(rate: int, before: str, form: str) -> None:
    name = before + form.format(rate=rate, kilo=f"{rate / 1000:g}")
    if rate == 8000 and "k" in form:
        with pytest.raises(ParameterError, match="sample rate is not known"):
            rate_of(f"{name}.raw")
    else:
        assert rate_of(f"{name}.raw") == rate


def test_an_unknown_sample_rate_must_be_given(tmp_path: Path) -> None:
    for name in ("room.f32", "room.npy"):
        (write_raw if name.endswith("f32") else write_npy)(response(1), tmp_path / name)
        with pytest.raises(ParameterError, match=r"room_48000\.(f32|npy), or give it"):
            load_response(tmp_path / name)
        assert load_response(tmp_path / name, sample_rate=96_000).sample_rate == 96_000
    save_response(response(), tmp_path / "a.wav")
    with pytest.raises(ParameterError, match="is 48000 Hz, not the given 44100 Hz"):
        load_response(tmp_path / "a.wav", sample_rate=44_100)


def test_a_broken_array_is_refused_with_a_short_message(tmp_path: Path) -> None:
    path = tmp_path / "broken.npy"
    header = b"no dictionary " * 100
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(AudioFileError, match="not a plain NumPy array") as refused:
        load_response(path, sample_rate=48_000)
    assert len(str(refused.value)) < len(str(path)) + 100
