"""A decaying noise for pictures."""

import numpy as np

from reverb.responses.response import ImpulseResponse
from tests.signals import gaussian

RATE = 16_000


def room(channels: int = 2, rt60: float = 0.5, layout: str | None = None) -> ImpulseResponse:
    """Return a second of noise with a decay time, under a name that HTML has to escape."""
    envelope = 10 ** (-3 * np.arange(RATE) / RATE / rt60)
    return ImpulseResponse(gaussian(RATE, channels) * envelope[:, np.newaxis], RATE, "a <room>", layout)
