"""Signals as rows ``(channels, frames)``, as the real-time engine takes them, and the convolution they should give."""

import numpy as np

from reverb.arrays import Array
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.swap import SwappableConvolver
from reverb.engine.routing import Routing
from tests.signals import direct


def direct_rows(x: Array, h: Array, wires: Routing) -> Array:
    """Return the direct convolution of rows, cut to the input's length."""
    return direct(x.T, h, wires)[: x.shape[1]].T


def stream(engine: RealtimeConvolver | SwappableConvolver, x: Array) -> Array:
    """Run whole blocks of ``(inputs, frames)`` through an engine."""
    size = engine.block_size
    y = np.zeros((engine.routing.outputs, x.shape[1]), engine.dtype)
    for start in range(0, x.shape[1], size):
        engine.process(x[:, start : start + size], y[:, start : start + size])
    return y
