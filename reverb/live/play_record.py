"""Playing a sound through the card while recording: for measuring rooms and the card's round trip."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Block
from reverb.errors import DeviceError, InvalidAudioError
from reverb.live import scheduling
from reverb.live.settings import LiveSettings, Setup, StreamSettings, decide
from reverb.live.stream import CardStream, OpenStream

_MAX_SILENT_SECONDS = 5.0
_POLL_SECONDS = 0.1
_BURSTS = 5
_BURST_FRAMES = 4096
_SPACING_SECONDS = 0.25
_BURST_LEVEL = 0.25
_MIN_PEAK_TO_RMS = 8.0


@dataclass(frozen=True)
class Recording:
    """The recorded sound.

    Attributes
    ----------
    samples : ndarray of float32, shape (frames, inputs)
        Begins with the first frame played; the card's latency comes first.
    sample_rate : int
        In Hz.
    dropouts : int
        Blocks that the card lost; a measurement should have none.
    stated_latency : float
        Seconds from output to input as stated by the card, 0 where unknown.
    """

    samples: Block
    sample_rate: int
    dropouts: int
    stated_latency: float


class _PlayRecord:
    """Plays (frames, outputs) and records at the same time, in the callback; owned by the audio thread."""

    def __init__(self, sound: Block, outputs: tuple[int, ...], inputs: tuple[int, ...]) -> None:
        self._sound, self._outputs, self._inputs = sound, outputs, inputs
        self.recorded: Block = np.zeros((len(sound), len(inputs)), np.float32)
        self.frames, self.dropouts = 0, 0
        self.done = threading.Event()

    def callback(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:
        """Play and record one block."""
        assert indata is not None
        start, count = self.frames, min(frames, len(self._sound) - self.frames)
        outdata.fill(0.0)
        for column, channel in enumerate(self._outputs):
            outdata[:count, channel] = self._sound[start : start + count, column]
        for column, channel in enumerate(self._inputs):
            self.recorded[start : start + count, column] = indata[:count, channel]
        if status and start > 0 and count:  # dropouts before the first sound do no harm
            self.dropouts += 1
        self.frames = start + count
        if self.frames == len(self._sound):
            self.done.set()


def card_setup(
    settings: LiveSettings, sources: int, decide_setup: Callable[[LiveSettings], Setup] = decide
) -> Setup:
    """Return the stream that plays `sources` channels and records all chosen inputs.

    Raises
    ------
    DeviceError
        If there are fewer outputs than sources.
    """
    settings = replace(settings, input_file=None)
    numbers = settings.output_channels or tuple(range(1, sources + 1))
    if len(numbers) < sources:
        raise DeviceError(
            f"{sources} sources need {sources} outputs, but {len(numbers)} are chosen; choose more (--output-channels)"
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
        As returned by `card_setup`.
    open_stream : callable
        Opens the card; tests replace it.
    ready : callable, optional
        Called when the card is open, before the sound starts.
    progress : callable, optional
        Called ten times a second with the number of seconds played.

    Raises
    ------
    DeviceError
        If the card cannot be opened, or stops before the end.
    InvalidAudioError
        If the number of channels is not the setup's number of outputs.
    """
    played = np.ascontiguousarray(sound, np.float32)
    if played.ndim != 2 or played.shape[1] != len(setup.outputs):
        raise InvalidAudioError(f"sound has shape {played.shape}; expected (frames, {len(setup.outputs)})")
    rate = setup.stream.sample_rate
    work = _PlayRecord(played, setup.outputs, setup.inputs)
    with scheduling.low_latency():
        stream = open_stream(setup.stream, work.callback)
        try:
            if ready is not None:
                ready()
            stream.start()
            _wait(work, rate, progress)
            stated = stream.latency
        finally:
            stream.close()
    return Recording(work.recorded, rate, work.dropouts, stated)


def _wait(work: _PlayRecord, rate: int, progress: Callable[[float], None] | None) -> None:
    """Wait until everything has been played; raise DeviceError if the card stops for five seconds."""
    last, stopped = -1, 0.0
    while not work.done.wait(_POLL_SECONDS):
        if progress is not None:
            progress(work.frames / rate)
        stopped = stopped + _POLL_SECONDS if work.frames == last else 0.0
        last = work.frames
        if stopped > _MAX_SILENT_SECONDS:
            raise DeviceError("the sound card stopped during the measurement; try again")


@dataclass(frozen=True)
class LatencyReport:
    """A measured round trip from the card's output to its input.

    Attributes
    ----------
    frames : int
        Median of five bursts.
    spread : int
        Difference between the longest and the shortest, in frames; 0 on a card with one clock.
    sample_rate, block_size : int
        `block_size` is 0 if the card chose it.
    stated : float
        Latency as stated by the card, in seconds.
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

    Output and input must be connected by a cable, or by JACK.

    Parameters
    ----------
    settings : LiveSettings, optional
        Card, channels, sample rate and block size.
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
    burst = np.random.default_rng(1).uniform(-_BURST_LEVEL, _BURST_LEVEL, _BURST_FRAMES).astype(np.float32)
    spacing = _BURST_FRAMES + round(_SPACING_SECONDS * rate)
    sound = np.tile(np.pad(burst, (0, spacing - _BURST_FRAMES)), _BURSTS)[:, np.newaxis]
    recording = play_and_record(sound, setup, open_stream=open_stream, ready=ready)
    parts = recording.samples[:, 0].reshape(_BURSTS, spacing)
    delays = sorted(_delay(part, burst) for part in parts)
    median = delays[len(delays) // 2]
    spread = delays[-1] - delays[0]
    return LatencyReport(median, spread, rate, setup.stream.block_size, recording.stated_latency)


def _delay(recorded: Block, burst: Block) -> int:
    """Return the delay of a burst in a recording, in frames, by cross-correlation.

    Raises
    ------
    DeviceError
        If no peak stands out: the burst did not come back.
    """
    size = 1 << (len(recorded) + len(burst) - 1).bit_length()
    spectrum = np.fft.rfft(recorded, size) * np.conj(np.fft.rfft(burst, size))
    correlation = np.abs(np.fft.irfft(spectrum, size)[: len(recorded)])
    delay = int(np.argmax(correlation))
    if not correlation[delay] > _MIN_PEAK_TO_RMS * np.sqrt(np.mean(correlation**2)):
        raise DeviceError(
            "the test sound did not come back; connect the output to the input with a cable, turn up the input, "
            "and choose both with --output-channels and --input-channels"
        )
    return delay
