"""Layer 4: pictures of responses and filters, drawn with matplotlib (extra `plot`)."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
from reverb.plots.figures import new_figure, save
from reverb.plots.sheet import sheet

__all__ = ["new_figure", "save", "sheet"]
