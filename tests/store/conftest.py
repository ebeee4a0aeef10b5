"""Helpers for the tests of presets."""

from pathlib import Path

from reverb.effects.effect import Effect
from reverb.store.presets import read_preset

HEAD = "format = 1\n"


def read_steps(steps: str, path: Path = Path("some.toml")) -> Effect:
    """Return the effect of a preset's steps."""
    return read_preset(HEAD + steps, path).effect
