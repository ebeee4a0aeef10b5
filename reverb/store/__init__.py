"""Every disk access for responses and presets: file formats, the library, presets, texts of equalizers."""

from reverb import __distribution__  # noqa: F401  # fails in another's package
