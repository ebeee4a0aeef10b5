"""Pictures: they are written, they show the measured figures, and no text overlaps another."""

import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import reverb
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.plots.notebook import as_html, decay_svg
from reverb.responses.response import ImpulseResponse

pytest.importorskip("matplotlib")

from reverb import plots
from reverb.cli.app import cli
from reverb.plots.figures import DARK, LIGHT

RATE = 16_000


def response(channels: int = 2, rt60: float = 0.5, layout: str | None = None) -> ImpulseResponse:
    n = np.arange(RATE)
    rows = (
        np.random.default_rng(0).standard_normal((RATE, channels))
        * 10 ** (-3 * n / RATE / rt60)[:, np.newaxis]
    )
    return ImpulseResponse(rows, RATE, "a <room>", layout)


@pytest.mark.parametrize(("channels", "dark"), [(1, False), (2, True), (4, False)])
def test_a_sheet_has_five_pictures_in_its_colours(channels: int, dark: bool) -> None:
    figure = plots.sheet(response(channels), dark=dark)
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

    figure = plots.sheet(response(channels, 0.8))
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
    figure = plots.sheet(response(1, 0.5))
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


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_pictures_are_files_of_their_kind(tmp_path: Path, ending: str) -> None:
    figure = plots.sheet(response(1, 0.1))
    path = tmp_path / f"room{ending}"
    plots.save(figure, path)
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)
    with pytest.raises(AudioFileError, match="exists already"):
        plots.save(figure, path, overwrite=False)
    with pytest.raises(ParameterError, match=r"expected \.png or \.svg or \.pdf"):
        plots.save(figure, tmp_path / "room.gif")


def test_odd_responses() -> None:
    plots.sheet(ImpulseResponse(np.array([0.0, 1.0]), RATE))
    plots.sheet(ImpulseResponse(np.eye(3000, 6), 48_000, "six", "1x6"))
    plots.sheet(ImpulseResponse(response().samples, RATE, latency=500))
    with pytest.raises(InvalidAudioError, match="silent"):
        plots.sheet(ImpulseResponse(np.array([[1.0, 0.0], [0.5, 0.0]]), RATE))
    with pytest.raises(ParameterError, match="dynamic_range is 5; expected a number from 20 to 160 dB"):
        plots.sheet(response(), dynamic_range=5)


def test_the_command_writes_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["ir", "plot", "plate", "--dark"], prog_name="reverb")
    assert result.exit_code == 0, result.output
    assert Path("plate.png").stat().st_size > 10_000
    again = CliRunner().invoke(cli, ["ir", "plot", "plate"], prog_name="reverb")
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    other = CliRunner().invoke(cli, ["ir", "plot", "plate", "plate.jpg"], prog_name="reverb")
    assert other.exit_code == 2


def test_a_notebook_shows_a_player_and_the_decay() -> None:
    shown = response()._repr_html_()
    assert shown == as_html(response())
    assert "a &lt;room&gt;" in shown
    assert "data:audio/wav;base64,UklGR" in shown
    assert "T30 0.5" in shown
    ElementTree.fromstring(decay_svg(response()))
    silent = ImpulseResponse(np.zeros((10, 2)), RATE)
    assert "<svg" in silent._repr_html_()
    ElementTree.fromstring(decay_svg(silent))


def test_a_notebook_plays_what_is_there() -> None:
    import base64
    import io
    import re

    import soundfile

    found = re.search(r"base64,([^\"]+)\"", response()._repr_html_())
    assert found is not None
    played, rate = soundfile.read(io.BytesIO(base64.b64decode(found[1])))
    samples = response().samples
    assert rate == RATE
    np.testing.assert_allclose(played, samples * 0.7 / np.abs(samples).max(), atol=2**-15)


def test_the_notebook_needs_no_matplotlib() -> None:
    import subprocess
    import sys

    code = "import sys, reverb; reverb.impulse('plate')._repr_html_();sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert reverb.impulse("plate").layout
