"""Layer 2: impulse responses as immutable values: edit, measure, analyze, synthesize."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
