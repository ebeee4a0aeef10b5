"""Measuring the round trip: from the card's output through a cable (or JACK's own wires) back to its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reverb.errors import DeviceError
from reverb.live.play_record import play_and_record
from reverb.live.portaudio import CardStream
from reverb.live.ring import Block
from reverb.live.settings import LiveSettings, Setup, decide
from reverb.live.stream import OpenStream

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
    chosen = decide_setup(replace(settings or LiveSettings(), input_file=None))
    setup = Setup(chosen.stream, chosen.inputs[:1], chosen.outputs[:1])
    rate = setup.stream.sample_rate
    burst = (np.random.default_rng(1).uniform(-_LEVEL, _LEVEL, _BURST_FRAMES)).astype(np.float32)
    spacing = _BURST_FRAMES + round(_SPACING_SECONDS * rate)
    sound = np.tile(np.pad(burst, (0, spacing - _BURST_FRAMES)), _BURSTS)[:, np.newaxis]
    taken = play_and_record(sound, setup, open_stream=open_stream, ready=ready)
    heard = taken.samples[:, 0].reshape(_BURSTS, spacing)
    delays = sorted(_delay(part, burst) for part in heard)
    median = delays[len(delays) // 2]
    spread = delays[-1] - delays[0]
    return LatencyReport(median, spread, rate, setup.stream.block_size, taken.stated_latency)


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
