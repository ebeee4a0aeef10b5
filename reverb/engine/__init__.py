"""Layer 1: pure convolution of arrays. Knows nothing of files, hertz, decibels or names of rooms."""
