"""Layer 3: effects applied to audio files, one or many."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
