"""Responses for the tests of rendering."""

import numpy as np

from reverb import ImpulseResponse
from tests.signals import decaying

UNIT = ImpulseResponse([1.0], 48_000, "unit")


def room(frames: int = 3000, rows: int = 2, sample_rate: int = 48_000) -> ImpulseResponse:
    """Return a response that never clips: no output exceeds 0.2 of the input's peak."""
    samples = decaying(frames, rows)
    samples *= 0.2 / np.abs(samples).sum(axis=0).max()
    return ImpulseResponse(samples, sample_rate, "room")
