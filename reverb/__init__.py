"""Convolution reverb and FIR filters: all that is done to sound is an impulse response, one engine applies it."""

__version__ = "0.1.0"
