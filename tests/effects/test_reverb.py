"""The reverb: its mix, its levels, and that rooms and rates can be swapped without a jump (ITU-R BS.1770)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

import reverb
from reverb.effects.reverb import Reverb
from reverb.errors import ParameterError, UnknownNameError
from reverb.levels import to_db
from reverb.responses.acoustics import measure
from reverb.responses.level import loudness_ratio
from reverb.responses.response import ImpulseResponse
from reverb.store.library import names
from tests.signals import decaying, gaussian, pink

RATE = 48_000
DRY = sorted((Path(__file__).parents[2] / "examples" / "audio").glob("*.flac"))


def _lufs(x: npt.ArrayLike, sample_rate: int) -> float:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    return float(pyloudnorm.Meter(sample_rate).integrated_loudness(np.asarray(x, np.float64)))


def _room(rows: int = 2, frames: int = 4800) -> ImpulseResponse:
    return ImpulseResponse(decaying(frames, rows), RATE, "room")


def test_no_mix_is_dry_and_full_mix_is_the_room_alone() -> None:
    dry = Reverb(_room(), mix=0).response(RATE).samples
    assert dry[0] == pytest.approx([1, 1], rel=1e-4)
    assert np.abs(dry[1:]).max() < 1e-12
    room = _room()
    wet = Reverb(room, mix=1).response(RATE).samples
    ratio = wet[:100] / room.samples[:100]
    assert np.ptp(ratio) < 1e-6 * ratio.mean()


def test_mix_is_an_equal_power_crossfade_that_keeps_the_loudness() -> None:
    for mix in (0.1, 0.3, 0.5, 0.9):
        response = Reverb(_room(), mix=mix, predelay=0.01).response(RATE)
        assert loudness_ratio(response) == pytest.approx(1, rel=1e-3)
        dry, wet = response.samples[0, 0], response.samples[480:, 0]
        room = _room()
        levelled = room * (1 / np.sqrt(loudness_ratio(room)))
        assert wet[100] / levelled.samples[100, 0] / dry == pytest.approx(np.tan(mix * np.pi / 2), rel=1e-3)


def test_predelay_moves_the_room_and_not_the_dry_sound() -> None:
    late = Reverb(_room(), mix=0.5, predelay=0.02).response(RATE).samples
    assert np.abs(late[1:960]).max() < 1e-12
    assert np.abs(late[960:1060]).min() > 0


@pytest.mark.parametrize(
    ("wet", "dry", "wet_gain", "dry_gain"),
    [
        (-20, 0, 0.1, 1),
        (None, -20, 1, 0.1),
        (0, None, 1, 1),
        (-6, float("-inf"), 0.501187, 0),
        (float("-inf"), 0, 0, 1),
    ],
)
def test_wet_and_dry_are_levels_of_their_own(
    wet: float | None, dry: float | None, wet_gain: float, dry_gain: float
) -> None:
    room = _room()
    response = Reverb(room, wet=wet, dry=dry, level="none").response(RATE)
    expected = wet_gain * room.samples
    expected[0] += dry_gain
    assert np.abs(response.samples - expected).max() < 1e-6


def test_a_level_of_none_takes_the_response_as_it_is() -> None:
    room = _room() * 0.01
    response = Reverb(room, mix=0.5, level="none").response(RATE)
    expected = np.sqrt(0.5) * room.samples
    expected[0] += np.sqrt(0.5)
    assert np.abs(response.samples - expected).max() < 1e-12


@pytest.mark.parametrize("name", sorted(names()))
def test_every_bundled_response_keeps_the_loudness_of_pink_noise(name: str) -> None:
    effect = Reverb(name, mix=0.3)
    for channels in (1, 2):
        x = pink(RATE, 6, channels).astype(np.float32)
        assert _lufs(effect(x, RATE), RATE) - _lufs(x, RATE) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("recording", DRY, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", sorted(names()))
def test_every_bundled_response_keeps_the_loudness_of_a_recording(name: str, recording: Path) -> None:
    x, rate = soundfile.read(recording, dtype="float32")
    assert _lufs(Reverb(name, mix=0.3)(x, rate), rate) - _lufs(x, rate) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("name", ["church", "hall-true-stereo"])
def test_another_sample_rate_does_not_jump(name: str) -> None:
    levels = []
    for rate in (44_100, 48_000, 96_000):
        x = pink(rate, 5)
        levels.append(_lufs(Reverb(name, mix=0.3)(x, rate), rate) - _lufs(x, rate))
    assert np.ptp(levels) < 0.1


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("name", ["church", "room"])
def test_a_room_alone_is_as_loud_at_every_rate(name: str, rate: int) -> None:
    ratios = [loudness_ratio(Reverb(name, wet=0, dry=float("-inf")).response(r)) for r in (48_000, rate)]
    assert to_db(ratios[1] / ratios[0]) / 2 == pytest.approx(0, abs=0.1)


def test_ordinary_music_does_not_clip() -> None:
    for recording in DRY:
        x, rate = soundfile.read(recording, dtype="float32")
        for name in ("church", "hall"):
            assert np.abs(Reverb(name)(x, rate)).max() < 1


def test_cuts_and_width_change_the_room_and_not_the_dry_sound() -> None:
    room = _room()
    effect = Reverb(room, mix=0.5, predelay=0.05, low_cut=200, high_cut=5000, width=0)
    response = effect.response(RATE)
    assert loudness_ratio(response) == pytest.approx(1, rel=1e-3)
    dry, wet = response.samples[:2400], response.samples[2400:]
    assert np.abs(dry[1:]).max() < 1e-12
    frequencies = np.array([50.0, 200.0, 1000.0, 5000.0, 20_000.0])
    turn = np.exp(-2j * np.pi / RATE * np.outer(frequencies, np.arange(len(wet))))
    before = np.abs(turn[:, : room.frames] @ room.samples.mean(axis=1))
    # Butterworth's filters, 12 dB per octave each; without width, both sides are half of each input.
    shape = 1 / np.sqrt((1 + (200 / frequencies) ** 4) * (1 + (frequencies / 5000) ** 4))
    mono = np.abs(turn @ (wet[:, 0] + wet[:, 2]))  # L→L and R→L
    gain = mono / (before * shape)
    assert gain / gain[2] == pytest.approx(1, rel=0.01)
    assert wet[:, 0] == pytest.approx(wet[:, 1], abs=1e-9)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_decay_is_a_factor_of_every_bands_time(factor: float) -> None:
    falling = gaussian(RATE, 2, seed=3) * 10 ** (-3 * np.arange(RATE) / (0.5 * RATE))[:, np.newaxis]
    room = ImpulseResponse(falling, RATE, "room")
    changed = Reverb(room, decay=factor).room
    for band in measure(changed.samples, RATE).mean[2:]:
        assert band.t30.seconds == pytest.approx(0.5 * factor, rel=0.1), band.label
    assert Reverb(room, decay=1.0).room is room


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"decay": 9}, "decay is 9; expected a number from 0.125 to 8"),
        ({"low_cut": 0}, "low_cut is 0; expected a number from 1 to 1e\\+06 Hz"),
        ({"high_cut": float("nan")}, "high_cut is nan Hz"),
        ({"width": 5}, "width is 5; expected a number from 0 to 4"),
        ({"mix": 2}, "mix is 2; expected a number from 0 to 1"),
        ({"mix": -0.1}, "mix is -0.1"),
        ({"mix": float("nan")}, "mix is nan"),
        ({"mix": 0.5, "wet": -3}, "mix is given together with wet or dry"),
        ({"mix": 0.5, "dry": -3}, "mix is given together with wet or dry"),
        ({"predelay": -0.1}, "predelay is -0.1 s; expected a number from 0 to 10 s"),
        ({"predelay": 11}, "predelay is 11"),
        ({"wet": 61}, "wet is 61; expected a number up to 60 dB"),
        ({"dry": float("nan")}, "dry is nan dB"),
        ({"level": "loud"}, "level is 'loud'; .*expected 'loudness' or 'energy' or 'peak' or 'none'"),
    ],
)
def test_settings_have_ranges(settings: dict[str, float], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        Reverb(_room(), **settings)  # type: ignore[arg-type]


def test_a_name_is_loaded_at_once() -> None:
    assert Reverb("room").impulse_response == reverb.impulse("room")
    assert Reverb("room").mix == 0.3
    with pytest.raises(UnknownNameError):
        Reverb("rom")


def test_it_is_a_value() -> None:
    assert Reverb(_room(), mix=0.2) == Reverb(_room(), mix=0.2)
    assert len({Reverb(_room()), Reverb(_room(), mix=0.3)}) == 1
