"""Middle and side: the sum and the difference of two channels, each with effects of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reverb.checks import in_range
from reverb.effects.effect import Effect, Gain, HasResponse, check_effect, check_parts, response_of
from reverb.engine import routing as wires
from reverb.errors import InvalidAudioError
from reverb.responses.layouts import dtype_within_limit
from reverb.responses.response import ImpulseResponse, derived

WIDEST = 4.0
"""The largest width of a room or of a stereo image."""
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
        check_effect("mid", self.mid)
        check_effect("side", self.side)

    def parts(self) -> tuple[HasResponse, ...]:
        """Return the effects of the middle and of the sides."""
        return self.mid, self.side

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return middle and sides with other effects."""
        check_parts(self, parts)
        return replace(self, mid=parts[0], side=parts[1])

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the matrix L→L, L→R, R→L, R→R at `sample_rate` Hz.

        Raises
        ------
        InvalidAudioError
            If the effects are not mono.
        """
        mid, side = (response_of(effect, sample_rate, causal=causal) for effect in (self.mid, self.side))
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
        in_range("width", self.width, 0.0, WIDEST)

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the matrix L→L, L→R, R→L, R→R at `sample_rate` Hz."""
        same, crossed = (1 + self.width) / 2, (1 - self.width) / 2
        row = np.array([[same, crossed, crossed, same]])
        return ImpulseResponse(row, sample_rate, "width", wires.matrix(2, 2))
