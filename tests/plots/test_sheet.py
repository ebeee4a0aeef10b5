"""The sheet: it has all pictures, shows the measured figures, and no text overlaps another."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from reverb import ImpulseResponse, plots
from reverb.cli.app import cli
from reverb.errors import InvalidAudioError, ParameterError
from reverb.plots.figures import DARK, LIGHT
from tests.plots.rooms import RATE, room

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("channels", "dark"), [(1, False), (2, True), (4, False)])
def test_a_sheet_has_five_pictures_in_its_colors(channels: int, dark: bool) -> None:
    figure = plots.sheet(room(channels), dark=dark)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    for wanted in ("Waveform", "Energy decay", "Spectrogram", "Decay time", "Frequency response"):
        assert any(title.startswith(wanted) for title in titles)
    theme = DARK if dark else LIGHT
    from matplotlib.colors import to_hex

    assert to_hex(figure.get_facecolor()) == theme.ground
    for axes in figure.axes:
        labels = axes.get_xlabel() + axes.get_ylabel()
        assert any(unit in labels for unit in ("(s)", "(Hz)", "(dB)"))


@pytest.mark.parametrize("channels", [1, 4])
def test_no_text_lies_on_another(channels: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = plots.sheet(room(channels, 0.8))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    boxes = []
    for text in _texts(figure):
        box = text.get_window_extent(renderer)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1, text.get_text()
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1, text.get_text()
        boxes.append((text.get_text(), box))
    assert len(boxes) > 50
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert not a.shrunk(0.9, 0.7).overlaps(b.shrunk(0.9, 0.7)), (one, other)


def _texts(figure: Any) -> Iterator[Any]:
    """Return every text that is drawn; labels of ticks beyond the limits are not."""
    yield figure._suptitle
    for axes in figure.axes:
        yield from (t for t in (axes.xaxis.label, axes.yaxis.label, axes._left_title) if t.get_text())
        yield from axes.get_legend().get_texts() if axes.get_legend() else ()
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in axis.get_major_ticks():
                for label in (tick.label1, tick.label2):
                    drawn = label.get_visible() and min(limits) <= tick.get_loc() <= max(limits)
                    if drawn and label.get_text():
                        yield label


def test_the_lines_are_those_of_the_measurement() -> None:
    figure = plots.sheet(room(1, 0.5))
    decay = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("Energy decay"))
    legend = decay.get_legend()
    assert legend is not None
    told = {text.get_text().split()[0]: float(text.get_text().split()[1]) for text in legend.get_texts()}
    assert told["T30"] == pytest.approx(0.5, rel=0.05)
    for line in decay.get_lines():
        if str(line.get_label()).startswith("T30"):
            times, levels = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
            slope = -60 / ((levels[1] - levels[0]) / (times[1] - times[0]))
            assert slope == pytest.approx(0.5, rel=0.05)


def test_odd_responses() -> None:
    plots.sheet(ImpulseResponse(np.array([0.0, 1.0]), RATE))
    plots.sheet(ImpulseResponse(np.eye(3000, 6), 48_000, "six", "1x6"))
    plots.sheet(ImpulseResponse(room().samples, RATE, latency=500))
    with pytest.raises(InvalidAudioError, match="silent"):
        plots.sheet(ImpulseResponse(np.array([[1.0, 0.0], [0.5, 0.0]]), RATE))
    with pytest.raises(ParameterError, match="dynamic_range is 5; expected a number from 20 to 160 dB"):
        plots.sheet(room(), dynamic_range=5)


def test_the_command_writes_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["ir", "plot", "plate", "--dark"], prog_name="reverb")
    assert result.exit_code == 0, result.output
    assert Path("plate.png").stat().st_size > 10_000
    again = CliRunner().invoke(cli, ["ir", "plot", "plate"], prog_name="reverb")
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    other = CliRunner().invoke(cli, ["ir", "plot", "plate", "plate.jpg"], prog_name="reverb")
    assert other.exit_code == 2
