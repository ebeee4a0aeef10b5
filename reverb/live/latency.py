"""Measuring the round trip: from the card's output through a cable (or JACK's own wires) back to its input."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reverb.errors import DeviceError
from reverb.live import interpreter
from reverb.live.portaudio import CardStream
from reverb.live.ring import Block
from reverb.live.running import OpenStream
from reverb.live.settings import LiveSettings, Setup, decide

_BURSTS = 5
_BURST_FRAMES = 4096
_SPACING_SECONDS = 0.25
_LEVEL = 0.25
_CLEAR = 8.0


@dataclass(frozen=True)
class LatencyReport:
    """A measured round trip.

    Attributes
    ----------
    frames : int
        From output to input: the median of the bursts.
    spread : int
        Between the longest and the shortest, in frames; 0 on a card with one clock.
    sample_rate, block_size : int
        `block_size` is 0 where it was the card's own.
    stated : float
        Seconds that the card states.
    """

    frames: int
    spread: int
    sample_rate: int
    block_size: int
    stated: float

    @property
    def milliseconds(self) -> float:
        """The round trip in ms."""
        return 1000.0 * self.frames / self.sample_rate


class _Exchange:
    """Plays a sound and records at the same time, from a callback."""

    def __init__(self, sound: Block, output: int, source: int) -> None:
        self._sound, self._output, self._source = sound, output, source
        self.heard = np.zeros_like(sound)
        self._at = 0
        self.done = threading.Event()

    def callback(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:  # noqa: ARG002  # a pause changes the delay; its spread shows it
        """Play and record one block; called by the audio thread."""
        assert indata is not None
        count = min(frames, len(self._sound) - self._at)
        outdata.fill(0.0)
        outdata[:count, self._output] = self._sound[self._at : self._at + count]
        self.heard[self._at : self._at + count] = indata[:count, self._source]
        self._at += count
        if count < frames:
            self.done.set()


def measure_latency(
    settings: LiveSettings | None = None,
    *,
    open_stream: OpenStream = CardStream,
    decide_setup: Callable[[LiveSettings], Setup] = decide,
    ready: Callable[[], None] | None = None,
) -> LatencyReport:
    """Measure the card's round trip with five bursts of noise, from its first used output to its first used input.

    Parameters
    ----------
    settings : LiveSettings, optional
        Which card, channels, rate and block size.
    open_stream, decide_setup : callable
        As for `Session`.
    ready : callable, optional
        Called when the card is open, before the first burst.

    Raises
    ------
    DeviceError
        If the card cannot be opened, or the bursts do not come back.
    """
    setup = decide_setup(replace(settings or LiveSettings(), input_file=None))
    rate = setup.stream.sample_rate
    burst = (np.random.default_rng(1).uniform(-_LEVEL, _LEVEL, _BURST_FRAMES)).astype(np.float32)
    spacing = _BURST_FRAMES + round(_SPACING_SECONDS * rate)
    sound = np.zeros(spacing * _BURSTS, np.float32)
    starts = [n * spacing for n in range(_BURSTS)]
    for start in starts:
        sound[start : start + _BURST_FRAMES] = burst
    exchange = _Exchange(sound, setup.outputs[0], setup.inputs[0])
    with interpreter.low_latency():
        stream = open_stream(setup.stream, exchange.callback)
        try:
            if ready is not None:
                ready()
            stream.start()
            finished = exchange.done.wait(5.0 + 2.0 * len(sound) / rate)
            stated = stream.latency
        finally:
            stream.close()
    if not finished:
        raise DeviceError("the sound card stopped calling for sound during the measurement; try again")
    delays = sorted(_delay(exchange.heard[start : start + spacing], burst) for start in starts)
    median = delays[len(delays) // 2]
    return LatencyReport(median, delays[-1] - delays[0], rate, setup.stream.block_size, stated)


def _delay(heard: Block, burst: Block) -> int:
    """Return the delay of a burst in what was heard, by cross-correlation.

    Raises
    ------
    DeviceError
        If no peak stands out: the burst did not come back.
    """
    size = 1 << (len(heard) + len(burst) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(burst, size))
    correlation = np.abs(np.fft.irfft(spectrum, size)[: len(heard)])
    delay = int(np.argmax(correlation))
    if not correlation[delay] > _CLEAR * np.sqrt(np.mean(correlation**2)):
        raise DeviceError(
            "the test sound did not come back; connect the output to the input by a cable, turn up the input, "
            "and choose them with --output-channels and --input-channels"
        )
    return delay
