"""The bundled responses in `impulses/`, compared with the designs in its catalogue and with geometry."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from reverb.responses.acoustics import AcousticReport, measure
from reverb.responses.decay.decay import onset

Array = npt.NDArray[np.float64]

FOLDER = Path(__file__).parents[2] / "impulses"
CATALOGUE: dict[str, Any] = json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8"))["responses"]
CHANNELS = {"mono": 1, "stereo": 2, "true-stereo": 4}
DESIGNED = [name for name, entry in CATALOGUE.items() if entry["design"]]
ROOMS = [name for name in DESIGNED if name != "plate"]
HALLS = ["church", "church-true-stereo", "cathedral", "hall", "hall-true-stereo"]


@cache
def read(name: str) -> tuple[Array, int]:
    samples, sample_rate = soundfile.read(FOLDER / CATALOGUE[name]["file"], always_2d=True)
    return samples, sample_rate


@cache
def report(name: str) -> AcousticReport:
    return measure(*read(name))


def octaves(name: str) -> dict[float, Any]:
    return {band.centre: band for band in report(name).mean if band.centre is not None}


def power_db(samples: Array) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-30))


def test_the_catalogue_lists_what_is_there() -> None:
    assert {entry["file"] for entry in CATALOGUE.values()} == {path.name for path in FOLDER.glob("*.flac")}
    wanted = {"church", "cathedral", "hall", "chamber", "room", "plate", "living-room"}
    assert wanted | {"church-true-stereo", "hall-true-stereo"} <= set(CATALOGUE)
    assert all(entry["license"] in ("CC0-1.0", "public domain") for entry in CATALOGUE.values())


def test_all_files_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 12e6


@pytest.mark.parametrize("name", CATALOGUE)
def test_format(name: str) -> None:
    info = soundfile.info(FOLDER / CATALOGUE[name]["file"])
    assert info.channels == CHANNELS[CATALOGUE[name]["layout"]] == CATALOGUE[name]["channels"]
    assert info.samplerate == CATALOGUE[name]["sample_rate"]
    assert info.frames / info.samplerate == pytest.approx(CATALOGUE[name]["seconds"], abs=1e-3)
    if name in DESIGNED:
        assert (info.samplerate, info.subtype, info.format) == (48_000, "PCM_24", "FLAC")


@pytest.mark.parametrize("name", DESIGNED)
def test_decay_and_clarity_are_those_of_the_design(name: str) -> None:
    design, found = CATALOGUE[name]["design"], octaves(name)
    assert design["octaves_hz"] == [125, 250, 500, 1000, 2000, 4000, 8000]
    for centre, t30, c80 in zip(design["octaves_hz"], design["t30_seconds"], design["c80_db"], strict=True):
        assert found[centre].t30.valid, (centre, found[centre].t30.reason)
        assert found[centre].t30.seconds == pytest.approx(t30, rel=0.10), f"T30 at {centre} Hz"
        assert found[centre].c80 == pytest.approx(c80, abs=1.5), f"C80 at {centre} Hz"


@pytest.mark.parametrize(
    ("name", "mid"), [("church", 4.0), ("cathedral", 7.6), ("hall", 2.0), ("chamber", 1.2), ("room", 0.44)]
)
def test_rooms_decay_like_the_buildings_they_are_named_after(name: str, mid: float) -> None:
    found = octaves(name)
    assert np.mean([found[500].t30.seconds, found[1000].t30.seconds]) == pytest.approx(mid, rel=0.1)
    assert found[8000].t30.seconds < found[4000].t30.seconds < found[1000].t30.seconds


@pytest.mark.parametrize("name", DESIGNED)
def test_the_catalogue_agrees_with_measurements(name: str) -> None:
    found = octaves(name)
    told = CATALOGUE[name]["measured"]
    for centre, t30, c80 in zip(told["octaves_hz"], told["t30_seconds"], told["c80_db"], strict=True):
        assert t30 == pytest.approx(found[centre].t30.seconds, rel=0.01)
        assert c80 == pytest.approx(found[centre].c80, abs=0.05)


@pytest.mark.parametrize("name", DESIGNED)
def test_the_tail_goes_down_by_90_db_and_ends_in_silence(name: str) -> None:
    samples, sample_rate = read(name)
    window = sample_rate // 20
    for channel in samples.T:
        assert power_db(channel[-3 * window : -2 * window]) - power_db(channel[:window]) < -85
        assert np.abs(channel[-8:]).max() < 4 * 2**-23
        # No step: each tenth of the last half is quieter than the one before it, to the very end.
        levels = [power_db(part) for part in np.array_split(channel[len(channel) // 2 :], 10)]
        assert all(later < earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("name", DESIGNED)
def test_it_starts_immediately_peaks_below_full_scale_and_has_no_offset(name: str) -> None:
    samples, sample_rate = read(name)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-1, abs=0.01)
    assert np.abs(samples.mean(axis=0)).max() < 1e-6
    assert onset(samples) <= 0.001 * sample_rate
    spectrum = np.abs(np.fft.rfft(samples, axis=0)) ** 2
    below = round(10 * len(samples) / sample_rate)
    assert 10 * np.log10(spectrum[:below].sum() / spectrum.sum()) < -30


@pytest.mark.parametrize("name", ROOMS)
def test_the_direct_sound_is_frame_0(name: str) -> None:
    samples, _ = read(name)
    nearest = samples if samples.shape[1] == 2 else samples[:, [0, 3]]
    assert (np.abs(nearest).argmax(axis=0) == 0).all()


@pytest.mark.parametrize("name", DESIGNED)
def test_left_and_right_are_decorrelated(name: str) -> None:
    samples, sample_rate = read(name)
    for first in range(0, samples.shape[1], 2):
        for band in measure(samples[:, first : first + 2], sample_rate).iacc:
            if band.centre and 500 <= band.centre <= 8000:
                assert band.late < 0.3, f"channels {first + 1} and {first + 2} at {band.label}"


@pytest.mark.parametrize("name", ["church-true-stereo", "hall-true-stereo"])
def test_true_stereo_is_wider_than_stereo(name: str) -> None:
    samples, _ = read(name)
    left_left, left_right, right_left, right_right = np.abs(samples).max(axis=0)
    assert left_left > 1.5 * left_right
    assert right_right > 1.5 * right_left
    later = onset(samples[:, 1]) - onset(samples[:, 0])
    spacing, sides = CATALOGUE[name]["geometry"]["spacing_m"], np.radians(30)
    assert later / 48_000 == pytest.approx(spacing * np.sin(sides) / 343, abs=1e-4)


def first_reflections() -> dict[str, Array]:
    """Seconds after the direct sound at (left, right) for the hall's six walls: mirror images in a box."""
    geometry = CATALOGUE["hall"]["geometry"]
    source = np.array(geometry["sources_m"][0])
    middle = np.array(geometry["microphones_m"])
    plan = np.array(geometry["plan_m"])
    forward = (source - middle)[:2] / np.hypot(*(source - middle)[:2])
    aside = 0.5 * geometry["spacing_m"] * np.array([-forward[1], forward[0], 0])
    ears = np.stack([middle + aside, middle - aside])
    planes = {
        "floor": (2, 0.0),
        "ceiling": (2, geometry["height_m"]),
        "front": (0, plan[:, 0].min()),
        "right": (1, plan[:, 1].max()),
        "left": (1, plan[:, 1].min()),
    }
    speed = 343.2 * np.sqrt((geometry["temperature_celsius"] + 273.15) / 293.15)
    direct = np.linalg.norm(source - ears, axis=1).min()
    out = {}
    for name, (axis, place) in planes.items():
        mirrored = source.copy()
        mirrored[axis] = 2 * place - source[axis]
        out[name] = (np.linalg.norm(mirrored - ears, axis=1) - direct) / speed
    return out


@pytest.mark.parametrize("wall", first_reflections())
def test_first_reflections_of_the_hall_arrive_as_the_geometry_predicts(wall: str) -> None:
    samples, sample_rate = read("hall")
    expected = first_reflections()[wall] * sample_rate
    # The reflection is strongest in the cardioid that points to it.
    ear = int(
        np.argmax([np.abs(samples[round(t) - 3 : round(t) + 4, e]).max() for e, t in enumerate(expected)])
    )
    place = round(expected[ear])
    around = np.abs(samples[place - 240 : place + 240, ear])
    assert np.abs(samples[place - 2 : place + 3, ear]).max() > 4 * np.median(around)
    assert abs(int(np.argmax(np.abs(samples[place - 8 : place + 9, ear]))) - 8) <= 2


@pytest.mark.parametrize("name", [*HALLS, "plate"])
def test_the_tail_neither_rings_nor_flutters(name: str) -> None:
    samples, sample_rate = read(name)
    late = samples[round(0.25 * sample_rate) : round(1.25 * sample_rate), 0]
    power = np.abs(np.fft.rfft(late)) ** 2
    inside = slice(500, 6000)  # 1 Hz a bin
    smooth = np.convolve(power, np.ones(101) / 101, "same")
    # Periodograms of noise are exponentially distributed: of 5500 values the largest is about ln 5500 = 8.6 means.
    assert (power / smooth)[inside].max() < 20
    envelope = np.convolve(late**2, np.hanning(96), "same")[::48]
    trend = np.exp(np.polyval(np.polyfit(np.arange(1000), np.log(envelope + 1e-20), 2), np.arange(1000)))
    steady = envelope / trend
    steady -= steady.mean()
    echo = np.correlate(steady, steady, "full")[1000:] / (steady @ steady)
    assert echo[15:200].max() < 0.2


@pytest.mark.parametrize("name", HALLS)
def test_reflections_grow_dense(name: str) -> None:
    samples, sample_rate = read(name)
    early, late = (samples[round(s * sample_rate) :][: sample_rate // 20, 0] for s in (0.01, 0.5))
    # Gaussian noise exceeds one standard deviation 31.7 % of the time (Abel & Huang 2006).
    assert np.mean(np.abs(early) > early.std()) < 0.2
    assert np.mean(np.abs(late) > late.std()) == pytest.approx(0.317, abs=0.05)
