"""Signals as rows ``(channels, frames)``, as the real-time engine takes them, and the convolution they should give."""

import numpy as np

from reverb.arrays import Array
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.swap import SwappableConvolver
from reverb.engine.routing import Routing


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def direct(x: Array, h: Array, wires: Routing) -> Array:
    """Sum of direct convolutions, cut to the input's length."""
    y = np.zeros((wires.outputs, x.shape[1]))
    for path in wires.paths:
        y[path.output] += np.convolve(x[path.input].astype(float), h[path.response].astype(float))[
            : x.shape[1]
        ]
    return y


def stream(engine: RealtimeConvolver | SwappableConvolver, x: Array) -> Array:
    """Run whole blocks of ``(inputs, frames)`` through an engine."""
    size = engine.block_size
    y = np.zeros((engine.routing.outputs, x.shape[1]), engine.dtype)
    for start in range(0, x.shape[1], size):
        engine.process(x[:, start : start + size], y[:, start : start + size])
    return y
