"""Values that no parameter of a rendering or a batch accepts."""

import math

import numpy as np

WRONG: tuple[object, ...] = (math.nan, [], np.zeros((2, 2)), object())
