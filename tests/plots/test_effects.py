"""An effect as a figure and as HTML, drawn by a layer that is loaded on demand."""

import subprocess
import sys

from reverb import Curve, Gain, LowPass, Reverb, Width


def test_an_effect_draws_its_magnitude_and_decay() -> None:
    figure = (LowPass(1000) >> Reverb("living-room")).plot(44_100)
    magnitude, decay = figure.axes
    assert (magnitude.get_title(loc="left"), decay.get_title(loc="left")) == ("Magnitude", "Decay")
    stop = magnitude.lines[0].get_xydata()
    assert stop[stop[:, 0] > 2000][:, 1].max() < -60
    assert decay.get_xlim()[0] < 0  # the pre-ringing is drawn, too
    assert len(Width(2).plot().axes[0].lines) == 4


def test_a_notebook_has_the_expression_and_the_picture() -> None:
    page = LowPass(1000)._repr_html_()
    assert page is not None
    assert "<pre>LowPass(cutoff=1000)</pre>" in page
    assert "<svg" in page
    assert Gain(float("-inf"))._repr_html_() is not None
    # The reason takes the place of a figure that cannot be drawn.
    impossible = LowPass(30_000)._repr_html_()
    assert impossible is not None
    assert "half the sample rate" in impossible
    assert "<svg" not in impossible
    assert "&lt;" not in (Curve(((100, 1),))._repr_html_() or "")


def test_effects_alone_load_no_pictures() -> None:
    code = (
        "import sys, reverb; reverb.LowPass(100).response(8000); "
        "assert not [m for m in sys.modules if m.startswith(('matplotlib', 'reverb.plots'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
