"""Middle and side: the sum and the difference of two channels, each with effects of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reverb.effects.effect import Effect, Gain, HasResponse
from reverb.engine import routing as wires
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse, derived
from reverb.responses.shape import dtype_within_limit

_WIDEST = 4.0
_UNCHANGED = Gain(0.0)


@dataclass(frozen=True, repr=False)
class MidSide(Effect):
    """Different effects for what both channels share and for what they do not: M = (L + R) / 2, S = (L − R) / 2.

    Parameters
    ----------
    mid, side : effect
        Mono: the same for every channel. Aligned with each other.

    Examples
    --------
    >>> from reverb.effects.equalizers import LowCut
    >>> MidSide(side=LowCut(150)).response(48_000).layout
    'true-stereo'
    """

    mid: HasResponse = _UNCHANGED
    side: HasResponse = _UNCHANGED

    def __post_init__(self) -> None:
        for effect in (self.mid, self.side):
            if not isinstance(effect, HasResponse):
                raise ParameterError(f"{effect!r} is no effect; expected filters, gains or mono responses")

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the matrix L→L, L→R, R→L, R→R at `sample_rate` Hz.

        Raises
        ------
        InvalidAudioError
            If the effects are not mono.
        """
        mid, side = (effect.response(sample_rate) for effect in (self.mid, self.side))
        for name, response in (("mid", mid), ("side", side)):
            if not response.is_mono:
                raise InvalidAudioError(
                    f"{name}: {response.name or 'the effect'} is {response.layout}; expected a mono effect"
                )
        same = (mid + side) * 0.5  # L→L and R→R
        dtype = dtype_within_limit(same.frames, 4, same.samples.dtype, "mid/side")
        crossed = (mid + side * -1.0) * 0.5
        rows = np.empty((same.frames, 4), dtype)
        rows[:, [0, 3]], rows[:, [1, 2]] = same.samples, crossed.samples
        return derived(same, rows, wiring=wires.matrix(2, 2), name="mid/side")


@dataclass(frozen=True, repr=False)
class Width(Effect):
    """Narrow or widen a stereo image: the side signal's gain.

    Parameters
    ----------
    width : float
        0 is mono, 1 leaves it, 2 doubles the sides; at most 4.
    """

    width: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.width <= _WIDEST:
            raise ParameterError(f"width {self.width:g}; expected 0 (mono) to {_WIDEST:g}")

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the matrix L→L, L→R, R→L, R→R at `sample_rate` Hz."""
        same, crossed = (1 + self.width) / 2, (1 - self.width) / 2
        row = np.array([[same, crossed, crossed, same]])
        return ImpulseResponse(row, sample_rate, "width", wires.matrix(2, 2))
