"""Which of the card's columns a session uses, and how many channels it has inside."""

from dataclasses import dataclass

from reverb.effects.effect import HasResponse
from reverb.errors import ParameterError
from reverb.live.preparing import width
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
