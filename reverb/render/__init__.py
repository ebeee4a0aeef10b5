"""Layer 3: where sound comes from and goes to: audio files, folders of files, the library of responses."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
