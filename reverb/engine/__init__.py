"""Layer 1: convolution of arrays, without files, hertz, decibels, or names of rooms."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
