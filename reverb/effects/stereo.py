"""Mid/side: different effects for the sum and the difference of two channels, and the width of a stereo image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reverb.checks import in_range
from reverb.effects.effect import MAX_WIDTH, Effect, HasResponse, check_effect, check_parts, response_of
from reverb.effects.gain import Gain
from reverb.engine import routing
from reverb.errors import InvalidAudioError
from reverb.responses.layouts import dtype_within_limit
from reverb.responses.response import ImpulseResponse, derived

_UNCHANGED = Gain(0.0)


@dataclass(frozen=True, repr=False)
class MidSide(Effect):
    """Different effects for the mid signal, M = (L + R) / 2, and the side signal, S = (L − R) / 2.

    Parameters
    ----------
    mid, side : effect or ImpulseResponse
        Mono; by default the signal is unchanged. Different latencies are aligned.

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
        """Return the effects of mid and side."""
        return self.mid, self.side

    def with_parts(self, parts: Sequence[HasResponse]) -> Effect:
        """Return mid/side with other effects."""
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
        return derived(same, rows, wiring=routing.matrix(2, 2), name="mid/side")


@dataclass(frozen=True, repr=False)
class Width(Effect):
    """Narrow or widen a stereo image, by the gain of the side signal.

    Parameters
    ----------
    width : float
        0 is mono, 1 leaves it, 2 doubles the side signal; at most 4.

    Examples
    --------
    >>> Width(0)([[1.0, 0.0]], 48_000).tolist()
    [[0.5, 0.5]]
    """

    width: float

    def __post_init__(self) -> None:
        in_range("width", self.width, 0.0, MAX_WIDTH)

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the matrix L→L, L→R, R→L, R→R at `sample_rate` Hz."""
        same, crossed = (1 + self.width) / 2, (1 - self.width) / 2
        row = np.array([[same, crossed, crossed, same]])
        return ImpulseResponse(row, sample_rate, "width", routing.matrix(2, 2))
