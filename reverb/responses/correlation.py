"""How alike the two ears' sounds are: interaural cross-correlation after ISO 3382-1, annex B."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.responses.bands import Band
from reverb.responses.direct_sound import onset

Array: TypeAlias = npt.NDArray[np.float64]

EARLY = 0.080
"""Seconds that count as early, for music."""
EAR_DELAY = 0.001
"""Longest delay between the ears, in seconds (ISO 3382-1, annex B)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationReport:
    """Interaural cross-correlation coefficients, 0 to 1, of one band of a stereo response."""

    label: str
    centre: float | None
    early: float
    late: float
    all: float


def correlation(samples: Array, sample_rate: int, band: Band) -> CorrelationReport:
    """Correlate the channels of a stereo response, `(frames, 2)`, in a band: early, late, and as a whole."""
    start = onset(samples)
    split = start + round(EARLY * sample_rate)
    pieces = {"early": samples[start:split], "late": samples[split:], "all": samples[start:]}
    values = {name: _iacc(piece, sample_rate, band) for name, piece in pieces.items()}
    return CorrelationReport(label=band.label, centre=band.nominal, **values)


def _iacc(samples: Array, sample_rate: int, band: Band) -> float:
    """Largest normalised cross-correlation of two channels within ±1 ms (ISO 3382-1, annex B)."""
    if len(samples) == 0:
        return float("nan")
    from scipy.fft import irfft, next_fast_len, rfft

    reach = round(EAR_DELAY * sample_rate)
    length = next_fast_len(len(samples) + max(band.settling, reach), real=True)
    left, right = rfft(samples, length, axis=0).T
    weight = band.power_response(np.asarray(np.arange(len(left)) * (sample_rate / length), np.float64))
    energies = [irfft(np.abs(side) ** 2 * weight, length)[0] for side in (left, right)]
    cross = irfft(left * right.conj() * weight, length)
    norm = float(np.sqrt(energies[0] * energies[1]))
    largest = max(np.abs(cross[: reach + 1]).max(), np.abs(cross[-reach:]).max())
    return float(largest / norm) if norm > 0 else float("nan")
