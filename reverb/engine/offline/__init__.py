"""Convolution of files and arrays: uniformly partitioned overlap-add."""
