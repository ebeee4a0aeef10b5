"""Convolution of a stream of blocks without latency: non-uniformly partitioned overlap-save."""
