"""A sound played through the card while its input is recorded, to measure rooms and the card's round trip."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Block, as_audio
from reverb.checks import instance, whole
from reverb.errors import DeviceError, InvalidAudioError
from reverb.live import scheduling
from reverb.live.settings import LiveSettings, Setup, StreamSettings, decide
from reverb.live.stream import CardStream, OpenStream

_MAX_SOURCES = 1024
_MAX_SILENT_SECONDS = 5.0
_POLL_SECONDS = 0.1
_BURSTS = 5
_BURST_FRAMES = 4096
_SPACING_SECONDS = 0.25
_BURST_LEVEL = 0.25
_MIN_PEAK_TO_RMS = 8.0


@dataclass(frozen=True)
class Capture:
    """A sound recorded while another was played.

    Attributes
    ----------
    samples : ndarray of float32, shape (frames, inputs)
        From the first played frame on, so the recorded sound is late by the card's latency.
    sample_rate : int
        In Hz.
    dropouts : int
        Blocks that the card lost; they spoil a measurement.
    stated_latency : float
        Seconds from output to input as stated by the card, 0 if unknown.
    """

    samples: Block
    sample_rate: int
    dropouts: int
    stated_latency: float


class _PlayRecord:
    """Plays (frames, outputs) and records as much in its callback. Owned by the audio thread."""

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
        if status and start > 0 and count:  # dropouts before the sound do no harm
            self.dropouts += 1
        self.frames = start + count
        if self.frames == len(self._sound):
            self.done.set()


def card_setup(
    settings: LiveSettings, sources: int, decide_setup: Callable[[LiveSettings], Setup] = decide
) -> Setup:
    """Return the setup that plays as many channels as there are sources and records all chosen inputs.

    Raises
    ------
    ParameterError
        If `settings` is no `LiveSettings`, or `sources` no whole number from 1.
    DeviceError
        If there are fewer outputs than sources.
    """
    whole("sources", sources, 1, _MAX_SOURCES)
    settings = replace(instance("settings", settings, LiveSettings), input_file=None)
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
) -> Capture:
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
        If it is no finite sound with as many channels as the setup has outputs.
    """
    played = np.ascontiguousarray(as_audio(sound, "sound"), np.float32)
    if played.ndim != 2 or played.shape[1] != len(setup.outputs):
        raise InvalidAudioError(f"sound has shape {played.shape}; expected (frames, {len(setup.outputs)})")
    rate = setup.stream.sample_rate
    job = _PlayRecord(played, setup.outputs, setup.inputs)
    with scheduling.low_latency():
        stream = open_stream(setup.stream, job.callback)
        try:
            if ready is not None:
                ready()
            stream.start()
            _wait(job, rate, progress)
            stated = stream.latency
        finally:
            stream.close()
    return Capture(job.recorded, rate, job.dropouts, stated)


def _wait(job: _PlayRecord, rate: int, progress: Callable[[float], None] | None) -> None:
    """Wait until everything has been played; raise DeviceError if the card stops for five seconds."""
    last, stopped = -1, 0.0
    while not job.done.wait(_POLL_SECONDS):
        if progress is not None:
            progress(job.frames / rate)
        stopped = stopped + _POLL_SECONDS if job.frames == last else 0.0
        last = job.frames
        if stopped > _MAX_SILENT_SECONDS:
            raise DeviceError("the sound card stopped during the measurement; try again")


@dataclass(frozen=True)
class LatencyReport:
    """The measured round trip from a card's output to its input.

    Attributes
    ----------
    frames : int
        Median of five bursts.
    spread : int
        Longest minus shortest, in frames; 0 if output and input have one clock.
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
    ParameterError
        If `settings` is no `LiveSettings`.
    DeviceError
        If the card cannot be opened, or the bursts do not come back.
    """
    given = LiveSettings() if settings is None else instance("settings", settings, LiveSettings)
    chosen = decide_setup(replace(given, input_file=None))
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
        If there is no clear peak: the burst has not come back.
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
