"""What decides the work of a real-time convolver: the channels in use, and the paths between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reverb.engine.routing import Routing


class Group(NamedTuple):
    """Consecutive outputs that are each the sum of the same number of paths."""

    first: int
    outputs: int
    paths: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a routing decides the cost: the channels that are in use, and the paths to each output."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, routing: Routing) -> "Shape":
        """Read the shape off a routing; channels without a path do not appear."""
        counts = [sum(path.output == o for path in routing.paths) for o in range(routing.outputs)]
        groups: list[Group] = []
        for output, count in enumerate(counts):
            if groups and groups[-1].paths == count and groups[-1].first + groups[-1].outputs == output:
                groups[-1] = groups[-1]._replace(outputs=groups[-1].outputs + 1)
            elif count:
                groups.append(Group(output, 1, count))
        inputs = tuple(sorted({path.input for path in routing.paths}))
        return cls(inputs, tuple(o for o, count in enumerate(counts) if count), tuple(groups))

    def output_runs(self, rows: int) -> Iterator[tuple[int, int]]:
        """Cut the outputs into runs as `runs` does, none reaching over two groups."""
        for group in self.groups:
            yield from runs(range(group.first, group.first + group.outputs), rows)

    @property
    def paths(self) -> int:
        """How many convolutions there are."""
        return sum(group.outputs * group.paths for group in self.groups)


def runs(channels: Sequence[int], rows: int) -> Iterator[tuple[int, int]]:
    """Cut ascending `channels` into ``(first, stop)`` of consecutive ones, at most `rows` long."""
    start = 0
    for n in range(1, len(channels) + 1):
        if n == len(channels) or channels[n] != channels[n - 1] + 1 or n - start == rows:
            yield channels[start], channels[n - 1] + 1
            start = n
