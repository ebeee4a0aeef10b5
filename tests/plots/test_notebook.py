"""A response in a notebook: facts, a player, its decay, and no matplotlib."""

import base64
import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import soundfile

from reverb.plots.notebook import as_html, decay_svg
from reverb.responses.response import ImpulseResponse
from tests.plots.rooms import RATE, room


def test_a_notebook_shows_a_player_and_the_decay() -> None:
    shown = room()._repr_html_()
    assert shown == as_html(room())
    assert "a &lt;room&gt;" in shown
    assert "data:audio/wav;base64,UklGR" in shown
    assert "T30 0.5" in shown
    ElementTree.fromstring(decay_svg(room()))
    silent = ImpulseResponse(np.zeros((10, 2)), RATE)
    assert "<svg" in silent._repr_html_()
    ElementTree.fromstring(decay_svg(silent))


def test_a_notebook_plays_what_is_there() -> None:
    found = re.search(r"base64,([^\"]+)\"", room()._repr_html_())
    assert found is not None
    played, rate = soundfile.read(io.BytesIO(base64.b64decode(found[1])))
    samples = room().samples
    assert rate == RATE
    np.testing.assert_allclose(played, samples * 0.7 / np.abs(samples).max(), atol=2**-15)


def test_the_notebook_needs_no_matplotlib() -> None:
    code = "import sys, reverb; reverb.impulse('plate')._repr_html_();sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
