"""What a session may be told about the card and the safety of ears, and how that becomes a stream."""

import math
from dataclasses import dataclass
from typing import TypedDict, get_args

from reverb.audiofiles.files import PathLike, open_sound
from reverb.errors import DeviceError, ParameterError
from reverb.live.cards import Device, Kind, describe, devices, find_device
from reverb.live.portaudio import Latency, LatencyWord, StreamSettings

_USUAL_CHANNELS = 2
LARGEST_BLOCK = 8192


class LiveChanges(TypedDict, total=False):
    """Values of `LiveSettings` by name, for signatures: any of them."""

    input_device: int | str | None
    output_device: int | str | None
    sample_rate: int | None
    block_size: int | None
    latency: Latency
    input_channels: tuple[int, ...] | None
    output_channels: tuple[int, ...] | None
    input_file: PathLike | None
    loop: bool
    record: PathLike | None
    record_dry: PathLike | None
    overwrite: bool
    limiter: bool
    feedback_guard: bool
    exclusive: bool


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """How a session uses the sound card.

    Attributes
    ----------
    input_device, output_device : int, str or None
        A number, a part of a name, or the default.
    sample_rate : int, optional
        In Hz; by default the output's own.
    block_size : int, optional
        Frames per block, 1 to 8192; by default the card's own.
    latency : float, 'low' or 'high'
        Seconds to ask of the card.
    input_channels, output_channels : tuple of int, optional
        Which of the card's channels to use, counted from 1; by default the first two.
    input_file : path-like, optional
        A recording to play instead of the card's input.
    loop : bool
        Play it again and again.
    record, record_dry : path-like, optional
        Files for what is heard and what comes in, from the first block on.
    overwrite : bool
        Replace existing recordings.
    limiter : bool
        Whether the output is held below full scale (`reverb.live.limiter`).
    feedback_guard : bool
        Whether a howl is ducked (`reverb.live.feedback`).
    exclusive : bool
        WASAPI only: without the system's mixer.

    Raises
    ------
    ParameterError
        If a value is out of range.
    """

    input_device: int | str | None = None
    output_device: int | str | None = None
    sample_rate: int | None = None
    block_size: int | None = None
    latency: Latency = "low"
    input_channels: tuple[int, ...] | None = None
    output_channels: tuple[int, ...] | None = None
    input_file: PathLike | None = None
    loop: bool = False
    record: PathLike | None = None
    record_dry: PathLike | None = None
    overwrite: bool = False
    limiter: bool = True
    feedback_guard: bool = True
    exclusive: bool = False

    def __post_init__(self) -> None:
        if self.block_size is not None and not 1 <= self.block_size <= LARGEST_BLOCK:
            raise ParameterError(f"block size {self.block_size}; expected 1 to {LARGEST_BLOCK} frames")
        if self.sample_rate is not None and not 1000 <= self.sample_rate <= 768_000:
            raise ParameterError(f"sample rate {self.sample_rate} Hz; expected 1000 to 768000 Hz")
        if isinstance(self.latency, int | float):
            if not (math.isfinite(self.latency) and 0.0 <= self.latency <= 10.0):
                raise ParameterError(f"latency {self.latency} s; expected 0 to 10 s, low or high")
        elif self.latency not in get_args(LatencyWord):
            raise ParameterError(f"latency {self.latency!r}; expected seconds, low or high")
        if self.record_dry is not None and self.record is None:
            raise ParameterError("record_dry stands alone; give record (--record) too")
        for name, chosen in (("input", self.input_channels), ("output", self.output_channels)):
            if chosen is not None and (not chosen or min(chosen) < 1 or len(set(chosen)) < len(chosen)):
                raise ParameterError(
                    f"{name} channels {chosen}; expected different numbers from 1, such as 1,2"
                )


@dataclass(frozen=True)
class Setup:
    """A session's stream and channels, decided.

    Attributes
    ----------
    stream : StreamSettings
    inputs, outputs : tuple of int
        Columns of the card's blocks that are used, counted from 0. `inputs` are the file's own channels where one
        is played.
    """

    stream: StreamSettings
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def decide(settings: LiveSettings) -> Setup:
    """Return what to open.

    Raises
    ------
    DeviceError, UnknownNameError
        If a device is missing or has not the channels asked for.
    AudioFileError
        If the input file cannot be read.
    """
    known = devices()
    output = find_device(settings.output_device, "output", known)
    outputs = _columns(settings.output_channels, output, "output")
    source: Device | None
    if settings.input_file is not None:
        with open_sound(settings.input_file) as sound:
            source, inputs = None, tuple(range(sound.channels))
    else:
        source = find_device(settings.input_device, "input", known)
        inputs = _columns(settings.input_channels, source, "input")
        if len(outputs) == 1:
            inputs = inputs[:1]
    return Setup(
        StreamSettings(
            input=source,
            output=output,
            sample_rate=settings.sample_rate or output.sample_rate,
            block_size=settings.block_size or 0,
            inputs=0 if source is None else max(inputs) + 1,
            outputs=max(outputs) + 1,
            latency=settings.latency,
            exclusive=settings.exclusive,
        ),
        inputs,
        outputs,
    )


def _columns(chosen: tuple[int, ...] | None, device: Device, kind: Kind) -> tuple[int, ...]:
    available = device.channels(kind)
    if chosen is None:
        return tuple(range(min(_USUAL_CHANNELS, available)))
    if max(chosen) > available:
        raise DeviceError(f"{describe(device)} has {available} {kind} channels; {max(chosen)} was asked for")
    return tuple(number - 1 for number in chosen)
