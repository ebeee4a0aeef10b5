"""Layer 4: pictures of responses and effects, drawn with matplotlib (extra `plot`).

::

    sheet      five pictures of a response on one page
    effects    magnitude and decay of an effect, as a figure or in a notebook
    notebook   a response in a notebook: facts, a player and its decay, without matplotlib
    outlines   the points to draw: outlines, spectra, decay curves
    figures    figures without a window: themes, frequency axes, saving
"""

from reverb import __distribution__  # noqa: F401  # fails in another's package
from reverb.plots.figures import new_figure, save
from reverb.plots.sheet import sheet

__all__ = ["new_figure", "save", "sheet"]
