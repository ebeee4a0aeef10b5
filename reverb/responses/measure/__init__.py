"""Measurement of rooms and devices: sweeps and their deconvolution, pairs of recordings, and bursts."""
