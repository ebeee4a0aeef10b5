"""Playing a sound through the card and recording what comes back, once: for measuring rooms and round trips."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.errors import DeviceError, InvalidAudioError
from reverb.live import scheduling as interpreter
from reverb.live.portaudio import CardStream, StreamSettings
from reverb.live.ring import Block
from reverb.live.settings import LiveSettings, Setup, decide
from reverb.live.stream import OpenStream

_PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Recording:
    """What came back.

    Attributes
    ----------
    samples : ndarray of float32, shape (frames, inputs)
        From the frame on at which playing began; the card's latency is in front.
    sample_rate : int
        In Hz.
    dropouts : int
        Blocks that the card lost; a measurement should have none.
    stated_latency : float
        Seconds from output to input as the card states them, 0 where it does not know.
    """

    samples: npt.NDArray[np.float32]
    sample_rate: int
    dropouts: int
    stated_latency: float


class _Exchange:
    """Plays (frames, outputs) and records at the same time, from the callback; owned by the audio thread."""

    def __init__(self, sound: Block, outputs: tuple[int, ...], inputs: tuple[int, ...]) -> None:
        self._sound, self._outputs, self._inputs = sound, outputs, inputs
        self.heard: Block = np.zeros((len(sound), len(inputs)), np.float32)
        self.at, self.dropouts = 0, 0
        self.done = threading.Event()

    def callback(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:
        """Play and record one block."""
        assert indata is not None
        at, count = self.at, min(frames, len(self._sound) - self.at)
        outdata.fill(0.0)
        for column, channel in enumerate(self._outputs):
            outdata[:count, channel] = self._sound[at : at + count, column]
        for column, channel in enumerate(self._inputs):
            self.heard[at : at + count, column] = indata[:count, channel]
        if status and at > 0 and count:  # while it starts, a card may stumble
            self.dropouts += 1
        self.at = at + count
        if self.at == len(self._sound):
            self.done.set()


def card_setup(
    settings: LiveSettings, sources: int, decide_setup: Callable[[LiveSettings], Setup] = decide
) -> Setup:
    """Return what to open to play `sources` channels and record all inputs chosen, however many outputs there are.

    Raises
    ------
    DeviceError
        If fewer outputs than sources are there or chosen.
    """
    settings = replace(settings, input_file=None)
    numbers = settings.output_channels or tuple(range(1, sources + 1))
    if len(numbers) < sources:
        raise DeviceError(
            f"{sources} sources need as many outputs; {len(numbers)} chosen (--output-channels)"
        )
    outputs = decide_setup(replace(settings, output_channels=numbers[:sources]))
    inputs = decide_setup(replace(settings, output_channels=None))
    stream: StreamSettings = replace(outputs.stream, inputs=inputs.stream.inputs)
    return Setup(stream, inputs.inputs, outputs.outputs)


def play_and_record(
    sound: npt.ArrayLike,
    setup: Setup,
    *,
    open_stream: OpenStream = CardStream,
    ready: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Recording:
    """Play a sound and record at the same time.

    Parameters
    ----------
    sound : array_like, shape (frames, outputs)
        Within ±1, at the setup's sample rate.
    setup : Setup
        As `card_setup` gives it.
    open_stream : callable
        Opens the card; a test has its own.
    ready : callable, optional
        Called when the card is open, before anything plays.
    progress : callable, optional
        Called ten times a second with the seconds played.

    Raises
    ------
    DeviceError
        If the card cannot be opened, or stops in between.
    InvalidAudioError
        If the sound has another number of channels than the setup has outputs.
    """
    played = np.ascontiguousarray(sound, np.float32)
    if played.ndim != 2 or played.shape[1] != len(setup.outputs):
        raise InvalidAudioError(f"sound of shape {played.shape}; expected (frames, {len(setup.outputs)})")
    rate = setup.stream.sample_rate
    exchange = _Exchange(played, setup.outputs, setup.inputs)
    with interpreter.low_latency():
        stream = open_stream(setup.stream, exchange.callback)
        try:
            if ready is not None:
                ready()
            stream.start()
            _wait(exchange, rate, progress)
            stated = stream.latency
        finally:
            stream.close()
    return Recording(exchange.heard, rate, exchange.dropouts, stated)


def _wait(exchange: _Exchange, rate: int, progress: Callable[[float], None] | None) -> None:
    """Wait until all is played; give up when nothing has moved for a while."""
    last, still = -1, 0.0
    while not exchange.done.wait(_POLL_SECONDS):
        if progress is not None:
            progress(exchange.at / rate)
        still = still + _POLL_SECONDS if exchange.at == last else 0.0
        last = exchange.at
        if still > _PATIENCE_SECONDS:
            raise DeviceError("the sound card stopped calling for sound during the measurement; try again")
