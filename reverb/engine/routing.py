"""Which input feeds which output through which response: pure integers, no samples.

A `Routing` is the wiring of a matrix of impulse responses. The engines take it beside an array of
responses ``(rows, taps)``; a path that is not listed costs nothing, and one row may serve many paths.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from reverb.checks import instance, whole
from reverb.errors import ParameterError, shown

MAX_CHANNELS = 1 << 16
MAX_RESPONSES = MAX_CHANNELS**2 - 1


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

    Raises
    ------
    ParameterError
        If a number of channels is none, or a path refers to channels that are not there.
    """

    inputs: int
    outputs: int
    paths: tuple[Path, ...]

    def __post_init__(self) -> None:
        whole("inputs", self.inputs, 1, MAX_CHANNELS)
        whole("outputs", self.outputs, 1, MAX_CHANNELS)
        instance("paths", self.paths, tuple, "a tuple of Path(input, output, response)")
        for path in (path for path in self.paths if not self._fits(path)):
            instance("path", path, Path, "a Path(input, output, response)")
            whole("input of a path", path.input, 0, self.inputs - 1)
            whole("output of a path", path.output, 0, self.outputs - 1)
            whole("response of a path", path.response, 0, MAX_RESPONSES)

    def _fits(self, path: object) -> bool:
        """Return whether a path is right, at a glance: a large matrix has tens of thousands of them."""
        return (
            type(path) is Path
            and all(type(number) is int for number in path)
            and 0 <= path.input < self.inputs
            and 0 <= path.output < self.outputs
            and path.response >= 0
        )

    @property
    def responses(self) -> int:
        """How many rows of responses the paths refer to."""
        return 1 + max((path.response for path in self.paths), default=-1)


def each(channels: int) -> Routing:
    """Return the routing of one response to every one of `channels` channels."""
    channels = whole("channels", channels, 1, MAX_CHANNELS)
    return Routing(channels, channels, tuple(Path(c, c, 0) for c in range(channels)))


def parallel(channels: int) -> Routing:
    """Return the routing of one response per channel, each from an input to the output of the same number."""
    channels = whole("channels", channels, 1, MAX_CHANNELS)
    return Routing(channels, channels, tuple(Path(c, c, c) for c in range(channels)))


def matrix(inputs: int, outputs: int) -> Routing:
    """Return the routing of every input to every output; rows by input, then output (true stereo: LL, LR, RL, RR)."""
    inputs, outputs = whole("inputs", inputs, 1, MAX_CHANNELS), whole("outputs", outputs, 1, MAX_CHANNELS)
    pairs = ((i, o) for i in range(inputs) for o in range(outputs))
    return Routing(inputs, outputs, tuple(Path(i, o, row) for row, (i, o) in enumerate(pairs)))


def from_pairs(inputs: int, outputs: int, pairs: Iterable[tuple[int, int]]) -> Routing:
    """Return a sparse matrix: row ``n`` of the responses belongs to the ``n``-th (input, output) pair."""
    try:
        paths = tuple(Path(i, o, row) for row, (i, o) in enumerate(pairs))
    except (TypeError, ValueError):
        raise ParameterError(f"pairs is {shown(repr(pairs))}; expected pairs of (input, output)") from None
    return Routing(inputs, outputs, paths)
