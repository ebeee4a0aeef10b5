"""Public functions of the store refuse arguments of the wrong kind with an error of ours, and write nothing."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reverb.effects.gain import Gain
from reverb.errors import ParameterError, ReverbError
from reverb.responses.measure.sweep import Sweep, signal
from reverb.responses.response import ImpulseResponse
from reverb.store.eq_files import load_equalizer, report_on_equalizer
from reverb.store.formats.exports import KINDS, export
from reverb.store.formats.sofa import read_sofa, sofa_directions
from reverb.store.library import as_response, entries, impulse
from reverb.store.presets import load_chain, load_preset, read_preset
from reverb.store.response_files import load_response, save_response
from reverb.store.sweep_files import load_played, save_played

ROOM = ImpulseResponse([1.0, 0.5], 48_000, "room")
SWEEP = Sweep(seconds=0.1, pause=0.1)
WRONG: list[Any] = [None, math.nan, 3, True, b"a.wav", ["a.wav"], {"a": 1}, np.ones((2, 2, 2)), object()]
NO_RATES: list[Any] = [math.nan, math.inf, "48000", -1, 0, 48_000.5, True, [48_000]]
NO_LAYOUTS: list[Any] = [math.nan, 3, ["stereo"], b"stereo", "quad"]

PATHS: dict[str, Callable[[Any], object]] = {
    "load_response": load_response,
    "save_response": lambda path: save_response(ROOM, path),
    "impulse": impulse,
    "load_chain": load_chain,
    "load_preset": load_preset,
    "read_preset": lambda path: read_preset("format = 1", path),
    "load_equalizer": load_equalizer,
    "save_played": lambda path: save_played(signal(SWEEP), SWEEP, path),
    "load_played": load_played,
    "export": lambda path: export(ROOM, path, "raw"),
    "read_sofa": read_sofa,
    "sofa_directions": sofa_directions,
}


@pytest.mark.parametrize("door", PATHS)
def test_a_path_is_text_or_path_like(door: str) -> None:
    for value in ["", *WRONG]:
        with pytest.raises(ParameterError, match=r"is .*; expected a path, as text or a Path"):
            PATHS[door](value)


@pytest.mark.parametrize("ending", ["wav", "f32", "npy", "txt", "conf"])
def test_a_sample_rate_and_a_layout_are_checked_before_the_file_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a_48000.{ending}"
    export(ROOM, path, {"f32": "raw", "npy": "npy", "txt": "text", "conf": "jconvolver"}.get(ending, "raw"))
    if ending == "wav":
        save_response(ROOM, path, overwrite=True)
    for rate in NO_RATES:
        with pytest.raises(ParameterError, match="sample rate"):
            load_response(path, None, rate)
    for layout in NO_LAYOUTS:
        with pytest.raises(ParameterError, match="layout"):
            load_response(path, layout)
        with pytest.raises(ParameterError, match="layout"):
            impulse(path, layout)
    for value in ("hall", [1.0, 0.5]):
        with pytest.raises(ReverbError):
            as_response(value, 48_000, "quad")


def test_a_sample_rate_of_samples_is_checked() -> None:
    for rate in NO_RATES:
        for given in ([1.0, 0.5], Gain(0.0)):
            with pytest.raises(ParameterError, match="sample rate"):
                as_response(given, rate)


def test_only_responses_and_sweeps_are_written(tmp_path: Path) -> None:
    wrong: list[Any] = [*WRONG, "hall", Gain(0.0)]
    for value in wrong:
        with pytest.raises(ParameterError, match="expected an ImpulseResponse"):
            save_response(value, tmp_path / "a.wav")
        for kind in KINDS:
            with pytest.raises(ParameterError, match="expected an ImpulseResponse"):
                export(value, tmp_path / "a", kind)
        with pytest.raises(ParameterError, match="expected a Sweep"):
            save_played(signal(SWEEP), value, tmp_path / "a.wav")
        with pytest.raises(ReverbError):
            save_played(value, SWEEP, tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_kind_of_export_and_its_channels_are_checked(tmp_path: Path) -> None:
    for value in [*WRONG, "vst"]:
        with pytest.raises(ParameterError, match="format is"):
            export(ROOM, tmp_path / "a", value)
    for count in (None, math.nan, "2", 0, -1, 2.5, True):
        with pytest.raises(ParameterError, match="channels is"):
            export(ROOM, tmp_path / "a.conf", "jconvolver", channels=count)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_switch_is_true_or_false(tmp_path: Path) -> None:
    switches: list[Any] = [None, 1, "yes", math.nan, np.ones(2)]
    for value in switches:
        with pytest.raises(ParameterError, match=r"overwrite is .*; expected True or False"):
            save_response(ROOM, tmp_path / "a.wav", overwrite=value)
        with pytest.raises(ParameterError, match=r"overwrite is .*; expected True or False"):
            save_played(signal(SWEEP), SWEEP, tmp_path / "a.wav", overwrite=value)
        with pytest.raises(ParameterError, match=r"overwrite is .*; expected True or False"):
            export(ROOM, tmp_path / "a", "ffmpeg", overwrite=value)
        with pytest.raises(ParameterError, match=r"allow_outside is .*; expected True or False"):
            load_chain("telephone", allow_outside=value)
    assert list(tmp_path.iterdir()) == []


def test_a_search_is_words() -> None:
    wrong: list[Any] = [None, 3, math.nan, b"hall", ["hall", None], object()]
    for value in wrong:
        with pytest.raises(ParameterError, match=r"search is .*; expected words"):
            list(entries(value))


def test_a_preset_is_text() -> None:
    wrong: list[Any] = [None, 3, b"format = 1", {"format": 1}]
    for value in wrong:
        with pytest.raises(ParameterError, match="expected a text in TOML"):
            read_preset(value, "a.toml")


def test_an_equalizer_has_a_phase_and_a_rate(tmp_path: Path) -> None:
    path = tmp_path / "eq.txt"
    path.write_text("100 3\n1000 0\n")
    wrong: list[Any] = [None, math.nan, "minimal", 3, ["linear"]]
    for phase in wrong:
        with pytest.raises(ParameterError, match="phase is"):
            load_equalizer(path, phase)
    for rate in [None, *NO_RATES]:
        with pytest.raises(ReverbError):
            report_on_equalizer(load_equalizer(path), rate)
    for effect in WRONG:
        with pytest.raises(ParameterError, match="equalizer is"):
            report_on_equalizer(effect, 48_000)


def test_directions_are_pairs_of_degrees(tmp_path: Path) -> None:
    wrong: list[Any] = [None, 3, (), [30], [(30,)], [(30, 0, 1)], [(math.nan, 0)], [("30", 0)], [None], "30"]
    for value in wrong:
        with pytest.raises(ParameterError, match=r"direction|azimuth"):
            read_sofa(tmp_path / "a.sofa", directions=value)
