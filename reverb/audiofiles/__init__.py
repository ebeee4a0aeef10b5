"""Layer 0: audio files through libsndfile, and outputs that appear whole or not at all."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
