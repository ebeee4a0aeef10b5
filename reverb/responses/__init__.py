"""Layer 2: impulse responses as immutable values: load, edit, synthesise, measure, analyse."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
