"""Long, large and tiny: hours of sound in constant memory, files beyond 4 GiB, one frame, 32 channels at 192 kHz."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from long_run import file, stream

from reverb.effects.filters import LowPass
from reverb.render.files import process_file
from reverb.responses.response import ImpulseResponse
from tests.conftest import MakeSound
from tests.signals import decaying, noise


def test_a_slice_of_a_day_is_exact_to_its_end_and_of_its_length() -> None:
    assert stream(0.05, 2, 48_000, "living-room")


def test_an_output_beyond_4_gib_opens_and_has_its_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.environ.get("REVERB_BIG_FILES"):
        pytest.skip("set REVERB_BIG_FILES=1 to write 4.2 GiB")
    monkeypatch.chdir(tmp_path)
    assert file(4.2, 32, 192_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [1, 2, 32])
def test_one_frame_of_32_channels_at_192_khz(tmp_path: Path, make_sound: MakeSound, channels: int) -> None:
    x = noise(1, channels)
    path = make_sound("a.wav", x, 192_000, "DOUBLE")
    response = ImpulseResponse(decaying(7), 192_000)
    report = process_file(path, tmp_path / "out.wav", response)
    assert (report.frames, report.channels) == (7, channels)
    y, rate = soundfile.read(tmp_path / "out.wav", always_2d=True)
    assert rate == 192_000
    np.testing.assert_allclose(y, response.samples * x.reshape(1, -1), atol=1e-15)


def test_a_filter_at_192_khz_keeps_32_channels_apart(tmp_path: Path, make_sound: MakeSound) -> None:
    x = noise(3000, 32) * 0.3
    path = make_sound("a.wav", x, 192_000, "DOUBLE")
    effect = LowPass(30_000, transition=20_000)
    report = process_file(path, tmp_path / "out.wav", effect, tail=False)
    y, _ = soundfile.read(tmp_path / "out.wav")
    taps = effect.response(192_000)
    assert report.frames == len(y) == 3000
    for channel in (0, 17, 31):
        whole = np.convolve(x[:, channel], taps.samples[:, 0])
        assert np.abs(y[:, channel] - whole[taps.latency :][:3000]).max() < 1e-13
