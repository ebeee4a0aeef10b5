"""The card's stream: its opening, callback and block size, and the signs that the card is lost."""

import atexit
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from reverb.arrays import Block
from reverb.errors import DeviceError, DeviceLostError
from reverb.live import cards
from reverb.live.cards import Device, Kind, describe
from reverb.live.meters import CallbackTimes, Xruns
from reverb.live.processor import FADE_SECONDS, LiveProcessor
from reverb.live.scheduling import raise_priority
from reverb.live.settings import StreamSettings

_FIRST_BLOCKS = 4
_MAX_SILENT_SECONDS = 3.0
_POLL_SECONDS = 0.002
_CLOSING_SECONDS = 1.0


class Callback(Protocol):
    """The function that the sound card calls for every block."""

    def __call__(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:
        """Fill `outdata` (frames, outputs) from `indata` (frames, inputs), None without an input."""
        ...


class Stream(Protocol):
    """An open stream of sound, such as `CardStream`."""

    @property
    def active(self) -> bool:
        """Whether the card calls back."""
        ...

    @property
    def latency(self) -> float:
        """Seconds from input to output, 0 if unknown."""
        ...

    def start(self) -> None:
        """Start the callbacks."""
        ...

    def close(self) -> bool:
        """Stop; return False if the card no longer responds."""
        ...


OpenStream: TypeAlias = Callable[[StreamSettings, Callback], Stream]


class CardStream:
    """An open stream of the sound card.

    Raises
    ------
    DeviceError
        If the card cannot be opened with these settings; the message lists those it supports.
    """

    def __init__(self, settings: StreamSettings, callback: Callback) -> None:
        sounddevice = cards.load_sounddevice()
        common = {
            "samplerate": settings.sample_rate,
            "blocksize": settings.block_size,
            "latency": settings.latency,
            "dtype": "float32",
        }
        try:
            if settings.input is None:
                self._stream = sounddevice.OutputStream(
                    device=settings.output.index,
                    channels=settings.outputs,
                    extra_settings=_extra(sounddevice, settings, settings.output),
                    callback=lambda out, frames, _time, status: callback(None, out, frames, status),
                    **common,
                )
            else:
                self._stream = sounddevice.Stream(
                    device=(settings.input.index, settings.output.index),
                    channels=(settings.inputs, settings.outputs),
                    extra_settings=tuple(
                        _extra(sounddevice, settings, device) for device in (settings.input, settings.output)
                    ),
                    callback=lambda data, out, frames, _time, status: callback(data, out, frames, status),
                    **common,
                )
        except sounddevice.PortAudioError as error:
            raise DeviceError(_opening_error(settings, error)) from error

    @property
    def active(self) -> bool:
        """Whether the card calls back."""
        return bool(self._stream.active)

    @property
    def latency(self) -> float:
        """Seconds from input to output as stated by the card, 0 if unknown."""
        value = self._stream.latency
        return float(sum(value) if isinstance(value, tuple) else value)

    def start(self) -> None:
        """Start the callbacks."""
        sounddevice = cards.load_sounddevice()
        try:
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise DeviceError(f"the sound card does not start: {_reason(error)}") from error

    def close(self) -> bool:
        """Stop and close; return False if PortAudio does not return, because the card's server is gone.

        PortAudio is then unusable for the rest of the process, and its clean-up at exit, which would hang or abort the
        process, is canceled.
        """
        thread = threading.Thread(target=self._close, name="reverb-close", daemon=True)
        thread.start()
        thread.join(_CLOSING_SECONDS)
        if thread.is_alive():
            with contextlib.suppress(AttributeError):  # the name is private, and may be missing
                atexit.unregister(cards.load_sounddevice()._exit_handler)
            return False
        return True

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # errors of a lost card do not matter
            self._stream.abort()
        with contextlib.suppress(Exception):
            self._stream.close()


def _extra(sounddevice: Any, settings: StreamSettings, device: Device) -> Any:
    if not settings.exclusive or "WASAPI" not in device.host_api:
        return None
    return sounddevice.WasapiSettings(exclusive=True)


def _opening_error(settings: StreamSettings, error: Exception) -> str:
    """Return the reason why a stream cannot be opened, with the settings that the card supports."""
    reason = _reason(error)
    ends: list[tuple[Device | None, Kind, int]] = [
        (settings.input, "input", settings.inputs),
        (settings.output, "output", settings.outputs),
    ]
    for device, kind, channels in ends:
        if device is None:
            continue
        if channels > device.channels(kind):
            return (
                f"{describe(device)} has {device.channels(kind)} {kind} channels; {channels} were requested"
            )
        if "sample rate" in reason.lower():
            rates = cards.supported_rates(device, kind)
            if settings.sample_rate not in rates:
                supported = ", ".join(map(str, rates)) or "none of the usual rates"
                return f"{describe(device)} refuses {settings.sample_rate} Hz; it supports {supported} (--sample-rate)"
    if settings.input is not None and settings.input.host_api != settings.output.host_api:
        apis = f"input ({settings.input.host_api}) and output ({settings.output.host_api})"
        reason += f"; {apis} must have the same host API"
    return f"{describe(settings.output)} cannot be opened: {reason} (see reverb devices)"


def _reason(error: Exception) -> str:
    """Return the message of a PortAudio error without its standard beginning."""
    text = str(error.args[0]) if error.args else str(error)
    return (
        text.removeprefix("Error opening Stream: ").removeprefix("Error opening OutputStream: ").rstrip(". ")
    )


class StreamRunner:
    """Runs processors in a stream; each has one block size, which the card may choose and change.

    Parameters
    ----------
    settings : StreamSettings
    open_stream : callable
    build_processor : callable
        Builds a processor for a block size and passes it to a function.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    processor : LiveProcessor or None
        None while the block size is unknown, and after an error; the stream is then silent.
    frames : int
        Number of frames played since the start.
    times : CallbackTimes
    xruns : Xruns
    error : Exception or None
        The exception that ended processing, if one did.

    Raises
    ------
    DeviceError
        If the card cannot be opened, or does not call back.
    """

    def __init__(
        self,
        settings: StreamSettings,
        open_stream: OpenStream,
        build_processor: Callable[[int, Callable[[LiveProcessor], None]], None],
    ) -> None:
        self._settings, self._build_processor = settings, build_processor
        self.sample_rate = settings.sample_rate
        self.processor: LiveProcessor | None = None
        self.frames = 0
        self.times = CallbackTimes(settings.sample_rate)
        self.xruns = Xruns()
        self.error: Exception | None = None
        self._sizes: deque[int] = deque(maxlen=_FIRST_BLOCKS)  # of blocks that no processor fits
        self._has_priority = False
        self._seen_at = time.monotonic()
        self._seen_frames = 0
        self._stream = self._start(settings, open_stream)

    def callback(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:
        """Play one block; called by the audio thread."""
        started = time.perf_counter_ns()
        if status:
            self.xruns.add(status)
        processor = self.processor
        try:
            if processor is not None and processor.block_size == frames:
                processor.process(indata, outdata)
            else:
                self._play_silence(outdata, frames)
        except Exception as error:  # PortAudio would discard it
            outdata.fill(0.0)
            self.error, self.processor = error, None
        self.frames += frames
        self.times.add(time.perf_counter_ns() - started, frames)

    def _play_silence(self, outdata: Block, frames: int) -> None:
        outdata.fill(0.0)
        self._sizes.append(frames)
        if not self._has_priority:
            self._has_priority = True
            raise_priority()

    def _start(self, settings: StreamSettings, open_stream: OpenStream) -> Stream:
        """Open the card, find its block size from the first blocks, and start processing."""
        stream = open_stream(settings, self.callback)
        try:
            stream.start()
            sizes = self._first_sizes(stream)
            if len(sizes) > 1:
                # With a fixed block size, PortAudio buffers the card's varying blocks.
                stream.close()
                self._sizes.clear()
                largest = 1 << (max(sizes) - 1).bit_length()
                stream = open_stream(replace(settings, block_size=largest), self.callback)
                stream.start()
                sizes = self._first_sizes(stream)
            self._build_processor(max(sizes), self._begin_with)
        except BaseException:
            stream.close()
            raise
        return stream

    def _first_sizes(self, stream: Stream) -> set[int]:
        deadline = time.monotonic() + _MAX_SILENT_SECONDS
        while len(self._sizes) < _FIRST_BLOCKS:
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"{describe(self._settings.output)} was opened but requests no sound; is its server running?"
                )
            if not stream.active and self._sizes:
                raise DeviceLostError(f"{describe(self._settings.output)} was lost while it was being opened")
            time.sleep(_POLL_SECONDS)
        return set(self._sizes)

    def _begin_with(self, processor: LiveProcessor) -> None:
        if (before := self.processor) is not None:
            processor.carry_counts_from(before)
        self.processor = processor
        self.times.reset()
        self.xruns.reset()
        self._sizes.clear()

    def replace_processor(self, processor: LiveProcessor) -> None:
        """Fade out the present processor and continue with another one."""
        if (before := self.processor) is not None:
            self._fade_out(before)
            processor.carry_counts_from(before)
            self.processor = processor

    def follow_block_size(self) -> int | None:
        """Build another processor if the card has changed its block size; return the new size then."""
        sizes = set(self._sizes)
        if self.error is None and len(self._sizes) == _FIRST_BLOCKS and len(sizes) == 1:
            self._build_processor(size := sizes.pop(), self._begin_with)
            return size
        return None

    def loss_reason(self) -> str | None:
        """Return the reason for which the card is considered lost; None while it plays."""
        now = time.monotonic()
        if self.frames != self._seen_frames:
            self._seen_at, self._seen_frames = now, self.frames
        name = describe(self._settings.output)
        if not self._stream.active:
            return f"{name} was lost: unplugged, or its server stopped"
        if now - self._seen_at > _MAX_SILENT_SECONDS:
            return f"{name} has requested no sound for {_MAX_SILENT_SECONDS:g} s"
        return None

    @property
    def latency(self) -> float:
        """Seconds from input to output as stated by the card."""
        return self._stream.latency

    def close(self) -> bool:
        """Fade out and close; return False if the card did not respond."""
        if self.processor is not None and self.loss_reason() is None:
            self._fade_out(self.processor)
        return self._stream.close()

    def _fade_out(self, processor: LiveProcessor) -> None:
        processor.closing = True
        deadline = time.monotonic() + 3 * FADE_SECONDS
        while not processor.silent and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
