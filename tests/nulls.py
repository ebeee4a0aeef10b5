"""The null test: the difference of two signals, in dB relative to the peak of the reference."""

import numpy as np
import numpy.typing as npt

FLOAT32_BUDGET_DB = -120.0
FLOAT64_BUDGET_DB = -280.0


def null_db(actual: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the peak of the residual ÷ the peak of the reference, in dB; −inf if identical."""
    a, r = np.asarray(actual, np.float64), np.asarray(reference, np.float64)
    assert a.shape == r.shape, f"{a.shape} against {r.shape}"
    if a.size == 0:
        return -np.inf
    residual, peak = np.abs(a - r).max(), np.abs(r).max()
    if residual == 0:
        return -np.inf
    return float(20 * np.log10(residual / peak)) if peak > 0 else np.inf
