"""Which of the card's columns a session uses, and how many channels it has inside."""

from dataclasses import dataclass
from functools import cached_property

from reverb.effects.effect import HasResponse
from reverb.errors import ParameterError
from reverb.live.preparing import width
from reverb.live.ring import Block
from reverb.live.settings import Setup


@dataclass(frozen=True, kw_only=True)
class Wires:
    """Which of the card's columns the strip uses.

    Attributes
    ----------
    inputs, outputs : tuple of int
        Columns of the card's blocks, counted from 0; the outputs' first ones are used.
    mono : bool
        Whether the inputs are averaged to one channel first.
    channels : int
        Of the strip's output.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    mono: bool
    channels: int

    @property
    def convolved(self) -> int:
        """Channels that go into the convolution."""
        return 1 if self.mono else len(self.inputs)

    @cached_property
    def _first_inputs(self) -> bool:
        return self.inputs == tuple(range(len(self.inputs)))

    @cached_property
    def _first_outputs(self) -> bool:
        return self.outputs[: self.channels] == tuple(range(self.channels))

    def take(self, card: Block, block: Block) -> None:
        """Fill `block` (frames, inputs) from the card's (frames, columns)."""
        if self._first_inputs:  # one copy is quicker than several
            block[:] = card[:, : block.shape[1]]
            return
        for column, source in enumerate(self.inputs):
            block[:, column] = card[:, source]

    def give(self, block: Block, card: Block) -> None:
        """Fill the card's (frames, columns) from `block` (frames, channels), with silence where nothing goes."""
        if self._first_outputs and card.shape == block.shape:
            card[:] = block
            return
        card[:] = 0.0
        for column, target in enumerate(self.outputs[: self.channels]):
            card[:, target] = block[:, column]


def wire(setup: Setup, effect: HasResponse) -> Wires:
    """Return the wires of a session: mono to mono, otherwise to at least two outputs.

    Raises
    ------
    ParameterError
        If the effect gives more channels than outputs are in use.
    """
    mono = len(setup.outputs) == 1
    outputs = 1 if mono else max(2, width(effect, setup.stream.sample_rate, len(setup.inputs)))
    if outputs > len(setup.outputs):
        raise ParameterError(
            f"the effect gives {outputs} channels; {len(setup.outputs)} of the output's are in use "
            "(output_channels, --output-channels)"
        )
    return Wires(
        inputs=setup.inputs, outputs=setup.outputs, mono=mono and len(setup.inputs) > 1, channels=outputs
    )
