"""Which input feeds which output through which response: pure integers, no samples.

A `Routing` is the wiring of a matrix of impulse responses. The engines take it beside an array of
responses ``(rows, taps)``; a path that is not listed costs nothing, and one row may serve many paths.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Path(NamedTuple):
    """One convolution: `input` channel → row `response` of the responses → added to `output` channel."""

    input: int
    output: int
    response: int


@dataclass(frozen=True, slots=True)
class Routing:
    """The wiring of a matrix convolver.

    Attributes
    ----------
    inputs, outputs : int
        How many channels go in and come out, each at least 1.
    paths : tuple of Path
        The convolutions, in the order in which they are summed.
    """

    inputs: int
    outputs: int
    paths: tuple[Path, ...]

    def __post_init__(self) -> None:
        assert self.inputs >= 1, self
        assert self.outputs >= 1, self
        for path in self.paths:
            assert 0 <= path.input < self.inputs, path
            assert 0 <= path.output < self.outputs, path
            assert path.response >= 0, path

    @property
    def responses(self) -> int:
        """How many rows of responses the paths refer to."""
        return 1 + max((path.response for path in self.paths), default=-1)


def each(channels: int) -> Routing:
    """One response, applied to every one of `channels` channels."""
    return Routing(channels, channels, tuple(Path(c, c, 0) for c in range(channels)))


def parallel(channels: int) -> Routing:
    """One response per channel, each from an input to the output of the same number."""
    return Routing(channels, channels, tuple(Path(c, c, c) for c in range(channels)))


def matrix(inputs: int, outputs: int) -> Routing:
    """Every input to every output; rows ordered by input, then output (true stereo: LL, LR, RL, RR)."""
    pairs = ((i, o) for i in range(inputs) for o in range(outputs))
    return Routing(inputs, outputs, tuple(Path(i, o, row) for row, (i, o) in enumerate(pairs)))


def from_pairs(inputs: int, outputs: int, pairs: Iterable[tuple[int, int]]) -> Routing:
    """Give a sparse matrix: row ``n`` of the responses belongs to the ``n``-th (input, output) pair."""
    return Routing(inputs, outputs, tuple(Path(i, o, row) for row, (i, o) in enumerate(pairs)))
