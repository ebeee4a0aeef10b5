"""Settings of a session: those a user gives, and the stream and channels that follow from them."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from reverb.audiofiles.files import PathLike, open_sound
from reverb.checks import file_path, flag, in_range, is_number, one_of, whole
from reverb.errors import DeviceError, ParameterError, shown
from reverb.live.cards import MAX_INDEX, Device, Kind, describe, devices, find_device

LatencyWord: TypeAlias = Literal["low", "high"]
Latency: TypeAlias = float | LatencyWord

MAX_BLOCK_SIZE = 8192
_MIN_SAMPLE_RATE, _MAX_SAMPLE_RATE = 1000, 768_000
_MAX_LATENCY_SECONDS = 10
_DEFAULT_CHANNELS = 2
_SWITCHES = ("loop", "overwrite", "limiter", "feedback_guard", "exclusive")


class LiveChanges(TypedDict, total=False):
    """The fields of `LiveSettings` as optional keywords, for signatures."""

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
    """How a session uses the sound card. Immutable.

    Attributes
    ----------
    input_device, output_device : int, str or None
        A number, a part of a name, or None for the default device.
    sample_rate : int, optional
        In Hz, 1000 to 768000; by default the output's own.
    block_size : int, optional
        Frames per block, 1 to 8192; by default the card's own.
    latency : float, 'low' or 'high'
        Latency to request from the card: one of its own two, or seconds from 0 to 10.
    input_channels, output_channels : tuple of int, optional
        The card's channels to use, counted from 1; by default the first two.
    input_file : path-like, optional
        A recording to play instead of the card's input.
    loop : bool
        Repeat the recording without end.
    record, record_dry : path-like, optional
        Files that record the output and the input, from the first block on.
    overwrite : bool
        Replace existing recordings.
    limiter : bool
        Keep the output within full scale (`reverb.live.processor.Limiter`).
    feedback_guard : bool
        Turn the output down at acoustic feedback (`reverb.live.feedback`).
    exclusive : bool
        Bypass the system's mixer; WASAPI only.

    Raises
    ------
    ParameterError
        If a value is out of range or of the wrong type.
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
        for name in ("input_file", "record", "record_dry"):
            if getattr(self, name) is not None:
                file_path(name, getattr(self, name))
        for name in ("input_device", "output_device"):
            device = getattr(self, name)
            if device is not None and not isinstance(device, str):
                whole(name, device, 0, MAX_INDEX)
        if self.block_size is not None:
            frames = whole("block_size", self.block_size, 1, MAX_BLOCK_SIZE, "frames")
            object.__setattr__(self, "block_size", frames)
        if self.sample_rate is not None:
            rate = whole("sample_rate", self.sample_rate, _MIN_SAMPLE_RATE, _MAX_SAMPLE_RATE, "Hz")
            object.__setattr__(self, "sample_rate", rate)
        if isinstance(self.latency, str):
            one_of("latency", self.latency, get_args(LatencyWord))
        else:
            in_range("latency", self.latency, 0, _MAX_LATENCY_SECONDS, "s")
        if self.record_dry is not None and self.record is None:
            raise ParameterError("record_dry needs record (--record-dry needs --record); give both")
        for name in ("input_channels", "output_channels"):
            object.__setattr__(self, name, _channels(name, getattr(self, name)))
        for name in _SWITCHES:
            flag(name, getattr(self, name))


def _channels(name: str, chosen: Any) -> tuple[int, ...] | None:
    if chosen is None:
        return None
    listed = isinstance(chosen, tuple | list) and len(chosen) > 0
    if (
        not listed
        or not all(is_number(n) and n % 1 == 0 and n >= 1 for n in chosen)
        or len({*chosen}) < len(chosen)
    ):
        raise ParameterError(
            f"{name} is {shown(repr(chosen))}; expected distinct channel numbers from 1, such as (1, 2)"
        )
    return tuple(int(number) for number in chosen)


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """How to open the card.

    Attributes
    ----------
    input : Device or None
        None opens the output only.
    output : Device
    sample_rate : int
        In Hz.
    block_size : int
        Frames per callback; 0 for the card's own.
    inputs, outputs : int
        Channels to open.
    latency : float, 'low' or 'high'
        In seconds, or one of the card's own two.
    exclusive : bool
        Bypass the system's mixer; WASAPI only.
    """

    input: Device | None
    output: Device
    sample_rate: int
    block_size: int
    inputs: int
    outputs: int
    latency: Latency = "low"
    exclusive: bool = False


@dataclass(frozen=True)
class Setup:
    """The stream of a session, and its channels.

    Attributes
    ----------
    stream : StreamSettings
    inputs, outputs : tuple of int
        Columns of the card's blocks, counted from 0; if a file is played, `inputs` are the file's channels.
    """

    stream: StreamSettings
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def decide(settings: LiveSettings) -> Setup:
    """Return the stream to open for the given settings.

    Raises
    ------
    DeviceError, UnknownNameError
        If a device is missing or does not have a requested channel.
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
        return tuple(range(min(_DEFAULT_CHANNELS, available)))
    if max(chosen) > available:
        raise DeviceError(
            f"{describe(device)} has {available} {kind} channels; channel {max(chosen)} was requested "
            f"(--{kind}-channels)"
        )
    return tuple(number - 1 for number in chosen)
