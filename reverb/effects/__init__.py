"""Layer 2: filters, reverbs and chains as frozen values that fold into one impulse response."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
