"""Figures are saved whole, as files of their kind."""

from pathlib import Path
from typing import Any

import pytest

from reverb import Gain, plots
from reverb.errors import AudioFileError, ParameterError
from reverb.plots.effects import effect_figure
from tests.plots.rooms import room

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_pictures_are_files_of_their_kind(tmp_path: Path, ending: str) -> None:
    figure = plots.sheet(room(1, 0.1))
    path = tmp_path / f"room{ending}"
    plots.save(figure, path)
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)
    with pytest.raises(AudioFileError, match="exists already"):
        plots.save(figure, path, overwrite=False)
    with pytest.raises(ParameterError, match=r"expected \.png or \.svg or \.pdf"):
        plots.save(figure, tmp_path / "room.gif")


@pytest.mark.parametrize("wrong", [None, float("nan"), "a room", 3, []], ids=repr)
def test_arguments_of_another_kind_are_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(ParameterError):
        plots.sheet(wrong)
    with pytest.raises(ParameterError):
        plots.save(wrong, tmp_path / "room.png")
    with pytest.raises(ParameterError):
        effect_figure(wrong, 48_000)
    with pytest.raises(ParameterError):
        effect_figure(Gain(0), 44_100.5 if wrong == 3 else wrong)  # type: ignore[arg-type]
    if not isinstance(wrong, str):
        with pytest.raises(ParameterError):
            plots.save(plots.new_figure(1, 1)[0], wrong)
    for settings in (
        {"dynamic_range": wrong},
        {"dark": wrong},
        {"title": 3 if wrong is None or isinstance(wrong, str) else wrong},
    ):
        with pytest.raises(ParameterError):
            plots.sheet(room(), **settings)
    assert not list(tmp_path.iterdir())
