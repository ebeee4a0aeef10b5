"""A stream that runs: the callback, the card's block size, and the signs that something went wrong."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from reverb.errors import DeviceError, DeviceLostError
from reverb.live.cards import describe
from reverb.live.portaudio import Callback, StreamSettings
from reverb.live.processor import FADE_SECONDS, Strip
from reverb.live.report import Xruns
from reverb.live.ring import Block
from reverb.live.scheduling import raise_priority
from reverb.live.timing import Timing

_FIRST_BLOCKS = 4
_PATIENCE_SECONDS = 3.0
_POLL_SECONDS = 0.002


class Stream(Protocol):
    """An open stream; `reverb.live.portaudio.CardStream` is the real one."""

    @property
    def active(self) -> bool:
        """Whether callbacks are coming."""
        ...

    @property
    def latency(self) -> float:
        """Seconds from input to output, 0 where unknown."""
        ...

    def start(self) -> None:
        """Let the callbacks come."""
        ...

    def close(self) -> bool:
        """Stop; False where the card does not answer any more."""
        ...


OpenStream: TypeAlias = Callable[[StreamSettings, Callback], Stream]


class Running:
    """Plays strips through a stream; each belongs to a block size, which the card may choose and change.

    Parameters
    ----------
    settings : StreamSettings
    open_stream : callable
    make_strip : callable
        Gives a strip for a block size.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    strip : Strip or None
        None while no block size is known: silence is played.
    frames : int
        Played since the start.
    timing : Timing
    xruns : Xruns
    error : Exception or None
        What the callback raised, if it did; it plays silence then.

    Raises
    ------
    DeviceError
        If the card cannot be opened, or calls for no sound.
    """

    def __init__(
        self, settings: StreamSettings, open_stream: OpenStream, make_strip: Callable[[int], Strip]
    ) -> None:
        self._settings, self._make_strip = settings, make_strip
        self.sample_rate = settings.sample_rate
        self.strip: Strip | None = None
        self.frames = 0
        self.timing = Timing(settings.sample_rate)
        self.xruns = Xruns()
        self.error: Exception | None = None
        self._sizes: deque[int] = deque(maxlen=_FIRST_BLOCKS)
        self._prioritised = False
        self._heard_at = time.monotonic()
        self._heard_frames = 0
        self._stream = self._start(settings, open_stream)

    def callback(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:
        """Play one block; called by the audio thread."""
        started = time.perf_counter_ns()
        if status:
            self.xruns.note(status)
        strip = self.strip
        try:
            if strip is not None and strip.block_size == frames:
                strip.process(indata, outdata)
            else:
                self._without_strip(outdata, frames)
        except Exception as error:  # PortAudio would lose it
            outdata.fill(0.0)
            self.error, self.strip = error, None
        self.frames += frames
        self.timing.note(time.perf_counter_ns() - started, frames)

    def _without_strip(self, outdata: Block, frames: int) -> None:
        outdata.fill(0.0)
        self._sizes.append(frames)
        if not self._prioritised:
            self._prioritised = True
            raise_priority()

    def _start(self, settings: StreamSettings, open_stream: OpenStream) -> Stream:
        """Open the card, learn its block size from the first blocks, and put a strip in."""
        stream = open_stream(settings, self.callback)
        try:
            stream.start()
            sizes = self._first_sizes(stream)
            if len(sizes) > 1:
                # A card whose blocks vary is asked for equal ones; PortAudio then collects them.
                stream.close()
                self._sizes.clear()
                largest = 1 << (max(sizes) - 1).bit_length()
                stream = open_stream(replace(settings, block_size=largest), self.callback)
                stream.start()
                sizes = self._first_sizes(stream)
            self._put(max(sizes))
        except BaseException:
            stream.close()
            raise
        return stream

    def _first_sizes(self, stream: Stream) -> set[int]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(self._sizes) < _FIRST_BLOCKS:
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"{describe(self._settings.output)} was opened but calls for no sound; is its server running?"
                )
            if not stream.active and self._sizes:
                raise DeviceLostError(f"{describe(self._settings.output)} went away as it was opened")
            time.sleep(_POLL_SECONDS)
        return set(self._sizes)

    def _put(self, block_size: int) -> None:
        self.strip = self._make_strip(block_size)
        self.timing.reset()
        self.xruns.reset()
        self._sizes.clear()

    def renew(self) -> None:
        """Put in a new strip in place of the old one: fade out, and in again."""
        if (old := self.strip) is not None:
            new = self._make_strip(old.block_size)
            self._fade_out(old)
            self.strip = new

    def follow(self) -> int | None:
        """Make a new strip if the card has changed its block size; return the size then."""
        sizes = set(self._sizes)
        if self.error is None and len(self._sizes) == _FIRST_BLOCKS and len(sizes) == 1:
            self._put(size := sizes.pop())
            return size
        return None

    def lost(self) -> str | None:
        """Return why the card must be taken for gone, None as long as it plays."""
        now = time.monotonic()
        if self.frames != self._heard_frames:
            self._heard_at, self._heard_frames = now, self.frames
        name = describe(self._settings.output)
        if not self._stream.active:
            return f"{name} went away: unplugged, or its server stopped"
        if now - self._heard_at > _PATIENCE_SECONDS:
            return f"{name} has called for no sound for {_PATIENCE_SECONDS:g} s"
        return None

    @property
    def latency(self) -> float:
        """Seconds from input to output as the card states them."""
        return self._stream.latency

    def close(self) -> bool:
        """Fade out and close; False where the card did not answer."""
        if self.strip is not None and self.lost() is None:
            self._fade_out(self.strip)
        return self._stream.close()

    def _fade_out(self, strip: Strip) -> None:
        strip.open = False
        deadline = time.monotonic() + 3 * FADE_SECONDS
        while not strip.silent and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
