"""Layer 4: a live session in a terminal, as a full screen (Textual) or as one line."""

from reverb import __distribution__  # noqa: F401  # fails in another project's package
