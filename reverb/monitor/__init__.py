"""Layer 4: what a live session looks like in a terminal, as a full screen (Textual) or as one line."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
