"""A sound card that is a thread, which can misbehave; and sessions on it."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

import reverb
from reverb.audiofiles.files import open_sound
from reverb.effects.effect import HasResponse
from reverb.live.cards import Device
from reverb.live.session import Session
from reverb.live.settings import LiveSettings, Setup, StreamSettings
from reverb.live.stream import Callback
from tests import signals
from tests.signals import gaussian

RATE = 48_000
CARD = Device(0, "fake", "Fake API", 2, 2, RATE, 0.001, 0.01, True, True)


class Flags:
    """PortAudio's status of one block."""

    def __init__(self, *, overflow: bool = False, underflow: bool = False) -> None:
        self.input_overflow, self.output_underflow = overflow, underflow


class FakeStream:
    """Calls the callback again and again, with silence or the sound given to `play`."""

    latency = 0.005

    def __init__(self, settings: StreamSettings, callback: Callback, sizes: Iterator[int]) -> None:
        self.settings, self._callback = settings, callback
        self._sizes = repeat(settings.block_size) if settings.block_size else sizes
        self._input: npt.NDArray[np.float32] = np.zeros((0, settings.inputs), np.float32)
        self._at = 0
        self.status: object = None
        self._heard: list[npt.NDArray[np.float32]] = []
        self._stop, self._played = threading.Event(), threading.Event()
        self._played.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.active, self.stalled, self.closed = False, False, False

    def start(self) -> None:
        self.active = True
        self._thread.start()

    def close(self) -> bool:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.active, self.closed = False, True
        return True

    def play(self, sound: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Use (frames, inputs) and half a second of silence as input; return the output of that time."""
        given = np.asarray(sound, np.float32)
        self._input = np.concatenate([given, np.zeros((RATE // 2, given.shape[1]), np.float32)])
        self._heard, self._at = [], 0
        self._played.clear()
        assert self._played.wait(20)
        return np.concatenate(self._heard)

    def _run(self) -> None:
        for frames in self._sizes:
            if self._stop.is_set():
                return
            while self.stalled and not self._stop.is_set():
                time.sleep(0.001)
            block = np.zeros((frames, self.settings.inputs), np.float32)
            playing = not self._played.is_set()
            if playing:
                piece = self._input[self._at : self._at + frames]
                block[: len(piece)] = piece
            out = np.full((frames, self.settings.outputs), np.nan, np.float32)
            status, self.status = self.status, None
            self._callback(block if self.settings.inputs else None, out, frames, status)
            if playing:
                self._heard.append(out)
                self._at += frames
                if self._at >= len(self._input):
                    self._played.set()
            time.sleep(0.00005 if playing else 0.0005)


class FakeCard:
    """Opens fake streams and remembers them."""

    def __init__(
        self, sizes: Callable[[], Iterator[int]] | None = None, inputs: int = 2, outputs: int = 2
    ) -> None:
        self._sizes = sizes or (lambda: repeat(128))
        self._inputs, self._outputs = inputs, outputs
        self.streams: list[FakeStream] = []

    @property
    def stream(self) -> FakeStream:
        return self.streams[-1]

    def open(self, settings: StreamSettings, callback: Callback) -> FakeStream:
        self.streams.append(FakeStream(settings, callback, self._sizes()))
        return self.streams[-1]

    def decide(self, settings: LiveSettings) -> Setup:
        inputs = tuple(range(self._inputs))
        source: Device | None = CARD
        if settings.input_file is not None:
            with open_sound(settings.input_file) as sound:
                inputs, source = tuple(range(sound.channels)), None
        stream = StreamSettings(
            input=source,
            output=CARD,
            sample_rate=settings.sample_rate or RATE,
            block_size=settings.block_size or 0,
            inputs=len(inputs) if source else 0,
            outputs=self._outputs,
        )
        return Setup(stream, inputs, tuple(range(self._outputs)))


def then(*sizes: int) -> Callable[[], Iterator[int]]:
    """Return an iterator of these block sizes, the last one forever."""
    return lambda: chain(sizes, repeat(sizes[-1]))


def room(
    seconds: float = 0.2, channels: int = 2, name: str = "room", seed: int = 3
) -> reverb.ImpulseResponse:
    """Return a response of decaying noise."""
    n = np.arange(int(seconds * RATE))
    decay = np.exp(-6.9 * n / len(n))[:, np.newaxis]
    return reverb.ImpulseResponse(gaussian(len(n), channels, seed=seed) * decay, RATE, name)


def noise(frames: int = RATE // 2, channels: int = 2) -> npt.NDArray[np.float32]:
    """Return noise so quiet that no limiter changes it."""
    return signals.noise(frames, channels, peak=0.2).astype(np.float32)


def open_session(card: FakeCard, effect: HasResponse, **settings: Any) -> Session:
    """Return a session on a card that is a thread."""
    return Session(effect, open_stream=card.open, decide_setup=card.decide, **settings)


def settle(session: Session) -> None:
    """Wait until every fade has ended."""
    end = session.stats().seconds + 6000 / RATE
    assert eventually(lambda: session.stats().seconds >= end)


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until a condition holds; return False if it does not after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()
