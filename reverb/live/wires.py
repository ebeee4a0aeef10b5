"""Which of the card's columns a session uses, and how many channels it has inside."""

from dataclasses import dataclass, field

from reverb.effects.effect import HasResponse
from reverb.errors import ParameterError
from reverb.live.prepare import width
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
    # Known before the first block: the audio thread neither compares nor, as a cached property would, locks.
    _first_inputs: bool = field(init=False, repr=False, compare=False)
    _first_outputs: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, columns in (("inputs", self.inputs), ("outputs", self.outputs[: self.channels])):
            object.__setattr__(self, f"_first_{name}", columns == tuple(range(len(columns))))

    @property
    def convolved(self) -> int:
        """Channels that go into the convolution."""
        return 1 if self.mono else len(self.inputs)

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
