"""Layer 1: pure convolution of arrays. Knows nothing of files, hertz, decibels or names of rooms."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
